"""What the bank gave back, what waits too long, and the codes that mend a card."""

from services.common.kit import migrate

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # A return has its day of booking as a payment has.
    "alter table message rename column paid_on to booked_on",
    "alter table message add column days smallint",
    # Which member, which payout: the message says it. The code itself is nowhere kept.
    """
    create table mend_code (
        code_index bytea constraint mend_code_pk primary key,
        message_id uuid not null,
        expires_at timestamptz not null,
        tries smallint not null default 0,
        used_at timestamptz,
        constraint mend_code_tries check (tries >= 0)
    ) with (fillfactor = 50)
    """,
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
