"""When a hospital's post was last taken: the feed gives room while people are there."""

from services.common.kit import migrate

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "create table people_seen (at timestamptz not null) with (fillfactor = 50)",
    "insert into people_seen values ('epoch')",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
