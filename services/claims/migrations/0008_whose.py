"""A settlement names its member; by which index it was found nobody ever asked."""

from services.common.kit import migrate

revision = "0008"
down_revision = "0007"

STATEMENTS = ("alter table settlement drop column identity_index",)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
