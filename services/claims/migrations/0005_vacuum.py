"""What is only added to is not vacuumed while a feed runs; sums are replaced within their page."""

from services.common.kit import migrate

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    "alter table settlement set (autovacuum_vacuum_insert_threshold = -1)",
    "alter table benefit_grant set (autovacuum_vacuum_insert_threshold = -1)",
    """
    alter table accumulator
        set (autovacuum_vacuum_scale_factor = 1, autovacuum_vacuum_insert_threshold = -1)
    """,
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
