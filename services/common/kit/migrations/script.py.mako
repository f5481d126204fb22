"""${message}."""

from services.common.kit import migrate

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    migrate.execute(
        (
            """
            """,
        )
    )
