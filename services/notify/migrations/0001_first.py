"""The first shape: who can be written to, what is said, and how it goes to the provider."""

from services.common.kit import consumer, migrate, outbox, positions

revision = "0001"
down_revision = None

WHO_CAN_BE_WRITTEN_TO = (
    # Erasing a member empties the salt; none of the sealed values opens again.
    """
    create table member (
        member_id uuid constraint member_pk primary key,
        version integer not null,
        unit_code text not null,
        salt bytea
    ) with (fillfactor = 90)
    """,
    # Every version stays, for a text is asked about under the phone it was sent to.
    """
    create table contact (
        member_id uuid not null,
        version integer not null,
        sealed bytea not null,
        constraint contact_pk primary key (member_id, version)
    )
    """,
    """
    create table card_tail (
        member_id uuid not null,
        payee_version integer not null,
        sealed bytea not null,
        constraint card_tail_pk primary key (member_id, payee_version)
    )
    """,
    """
    create table unit_officers (
        unit_code text not null,
        version integer not null,
        unit_id uuid not null,
        sealed bytea not null,
        constraint unit_officers_pk primary key (unit_code, version)
    )
    """,
)
WHAT_IS_SAID = (
    # The id follows from (payout_id, attempt_no, template, recipient_no), so the primary key is
    # the natural key too. No index on a column that changes: every update stays on its page.
    """
    create table message (
        message_id uuid constraint message_pk primary key,
        member_id uuid not null,
        payout_id uuid not null,
        attempt_no integer not null,
        template text not null,
        recipient_no smallint not null,
        payee_version integer not null,
        amount_fen bigint not null,
        reason text,
        paid_on date,
        contact_version integer,
        unit_code text,
        officers_version integer,
        created_at timestamptz not null,
        state text not null,
        code text,
        sent_at timestamptz,
        receipt text,
        receipt_code text,
        receipt_at timestamptz,
        constraint message_amount_positive check (amount_fen > 0),
        constraint message_state_known check (state in ('awaiting_contact', 'ready', 'submitting',
            'unknown', 'sent', 'refused', 'no_recipient')),
        constraint message_receipt_known check (receipt in ('delivered', 'undelivered'))
    ) with (fillfactor = 45, autovacuum_vacuum_scale_factor = 1,
            autovacuum_vacuum_insert_threshold = -1)
    """,
    "create index message_member on message (member_id)",
    """
    create table waiting (
        member_id uuid not null,
        message_id uuid not null,
        until timestamptz,
        constraint waiting_pk primary key (member_id, message_id)
    )
    """,
    "create index waiting_until on waiting (until) where until is not null",
)
HOW_IT_GOES = (
    # Two queues, of first tries and of others: a row is a text that may go from ready_at on. What
    # is taken is deleted.
    """
    create table ready (
        again boolean not null generated always as (tries > 0) stored,
        ready_at timestamptz not null,
        message_id uuid not null,
        tries smallint not null,
        constraint ready_pk primary key (again, ready_at, message_id)
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)
    """,
    # One call to the provider; its id is the OutId by which the provider is asked. The phones'
    # blind indexes stand in the order of the messages, for receipts name a phone.
    """
    create table dispatch (
        dispatch_id uuid constraint dispatch_pk primary key,
        template text not null,
        message_ids uuid[] not null,
        phone_indexes bytea[] not null,
        tries smallint not null,
        signed_at timestamptz not null,
        state text not null,
        constraint dispatch_state_known check (state in ('submitting', 'unknown', 'done')),
        constraint dispatch_phones check (cardinality(message_ids) = cardinality(phone_indexes))
    ) with (fillfactor = 50)
    """,
    # One row in a hundred texts, and nearly always empty: worth its price though state changes.
    "create index dispatch_open on dispatch (signed_at) where state <> 'done'",
    # The code itself is nowhere kept.
    """
    create table login_code (
        code_id uuid constraint login_code_pk primary key,
        phone_index bytea not null,
        phone bytea not null,
        created_at timestamptz not null,
        state text not null,
        code text,
        receipt text,
        receipt_code text,
        receipt_at timestamptz,
        constraint login_code_state_known check (state in ('submitting', 'unknown', 'sent',
            'refused')),
        constraint login_code_receipt_known check (receipt in ('delivered', 'undelivered'))
    ) with (fillfactor = 50)
    """,
    "create index login_code_phone on login_code (phone_index, created_at)",
)


def upgrade() -> None:
    migrate.execute(
        (
            *outbox.DDL,
            *positions.DDL,
            *consumer.DEAD_LETTERS_DDL,
            *WHO_CAN_BE_WRITTEN_TO,
            *WHAT_IS_SAID,
            *HOW_IT_GOES,
        )
    )
