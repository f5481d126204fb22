"""When a hospital's post was last taken: the feed gives room while people are there."""

from services.common.kit import migrate

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    "create table people_seen (at timestamptz not null) with (fillfactor = 50)",
    "insert into people_seen values ('epoch')",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
