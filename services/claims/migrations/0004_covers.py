"""A cover is found by its member: one index for both, and new rows go to its end."""

from services.common.kit import migrate

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # A cover's id follows from member and scheme, so it is of one member for ever; an index by it
    # alone was written to all over for every new member.
    "alter table coverage drop constraint coverage_pkey",
    "drop index coverage_member",
    "alter table coverage add constraint coverage_key primary key (member_id, coverage_id)",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
