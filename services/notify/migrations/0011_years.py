"""Messages and calls lie by years: a year that nobody asks for any more goes as a whole."""

from services.common.kit import migrate

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    "alter table message rename to message_default",
    "alter table message_default rename constraint message_pk to message_default_pk",
    "alter index message_member rename to message_default_member",
    """
    create table message (like message_default including all excluding indexes,
        constraint message_pk primary key (message_id)
    ) partition by range (message_id)
    """,
    "create index message_member on message (member_id)",
    "alter table message attach partition message_default default",
    "alter table dispatch rename to dispatch_default",
    "alter table dispatch_default rename constraint dispatch_pk to dispatch_default_pk",
    """
    create table dispatch (like dispatch_default including all excluding indexes,
        constraint dispatch_pk primary key (dispatch_id)
    ) partition by range (dispatch_id)
    """,
    "alter table dispatch attach partition dispatch_default default",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
