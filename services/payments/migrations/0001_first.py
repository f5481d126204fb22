"""The first shape of the books."""

from services.common.kit import consumer, migrate, outbox, positions

revision = "0001"
down_revision = None

TABLES = (
    """
    create table payee (
        member_id uuid not null,
        member_version bigint not null,
        unit_code text not null,
        salt_wrapped bytea not null,
        version bigint not null,
        sealed bytea not null,
        primary key (member_id)
    ) with (fillfactor = 50)
    """,
    """
    create table balance (
        member_id uuid not null,
        scheme_id text not null,
        granted_fen bigint not null,
        paid_fen bigint not null,
        in_flight_fen bigint not null,
        open_fen bigint not null,
        constraint balance_key primary key (member_id, scheme_id),
        constraint balance_paid check (paid_fen >= 0),
        constraint balance_in_flight check (in_flight_fen >= 0),
        constraint balance_open_is_owed
            check (open_fen = greatest(0, granted_fen - paid_fen - in_flight_fen))
    ) with (fillfactor = 50)
    """,
    """
    create table payout (
        payout_id uuid not null,
        member_id uuid not null,
        scheme_id text not null,
        claim_id uuid not null,
        period integer not null,
        grant_fen bigint not null,
        amount_fen bigint not null,
        state text not null,
        version integer not null,
        attempt_no smallint not null,
        payee_version bigint not null,
        created_at timestamptz not null,
        changed_at timestamptz not null,
        primary key (payout_id),
        constraint payout_within_its_grant
            check (amount_fen between 0 and greatest(0, grant_fen)),
        constraint payout_state
            check (state in ('awaiting_payee', 'ready', 'batched', 'paid',
                'refused', 'cancelled', 'netted')),
        constraint payout_has_an_amount
            check ((amount_fen = 0) = (state in ('cancelled', 'netted')))
    ) with (fillfactor = 50)
    """,
    "create index payout_member on payout (member_id)",
    """
    create table ready_queue (
        queue_no bigint generated always as identity,
        payout_id uuid not null,
        member_id uuid not null,
        ready_at timestamptz not null,
        primary key (queue_no)
    )
    """,
    """
    create table refusal (
        payout_id uuid not null,
        member_id uuid not null,
        reason text not null,
        actor text not null,
        since timestamptz not null,
        primary key (payout_id)
    )
    """,
    """
    create table attempt (
        payout_id uuid not null,
        attempt_no smallint not null,
        payee_version bigint not null,
        batch_id uuid,
        line integer,
        amount_fen bigint not null,
        state text not null,
        bank_code text,
        reason text,
        bank_serial text,
        paid_on date,
        made_at timestamptz not null,
        decided_at timestamptz,
        constraint attempt_key primary key (payout_id, attempt_no),
        constraint attempt_per_payee unique (payout_id, payee_version),
        constraint attempt_line unique (batch_id, line),
        constraint attempt_amount check (amount_fen > 0),
        constraint attempt_state check (state in ('in_flight', 'paid', 'refused')),
        constraint attempt_has_a_batch check (batch_id is not null or state = 'refused')
    ) with (fillfactor = 40)
    """,
    """
    create table batch (
        batch_id uuid not null,
        batch_no text not null,
        file_name text not null,
        business_day date not null,
        lines integer not null,
        total_fen bigint not null,
        sha256 bytea not null,
        sealed_file bytea,
        state text not null,
        bank_code text,
        cut_at timestamptz not null,
        submitted_at timestamptz,
        closed_at timestamptz,
        paid_lines integer default 0 not null,
        paid_fen bigint default 0 not null,
        refused_lines integer default 0 not null,
        refused_fen bigint default 0 not null,
        primary key (batch_id),
        constraint batch_state
            check (state in ('fixed', 'submitting', 'submitted', 'unknown', 'closed')),
        constraint batch_closed_adds_up
            check (state <> 'closed' or (paid_lines + refused_lines = lines
                and paid_fen + refused_fen = total_fen)),
        constraint batch_keeps_its_bytes check ((state = 'closed') = (sealed_file is null)),
        unique (batch_no),
        unique (file_name)
    )
    """,
    "create index batch_open on batch (cut_at) where state <> 'closed'",
    """
    create table bank_exception (
        batch_id uuid not null,
        kind text not null,
        instruction_id text not null,
        seen_at timestamptz not null,
        constraint bank_exception_key primary key (batch_id, kind, instruction_id)
    )
    """,
    """
    create table ledger (
        source_id uuid not null,
        leg text not null,
        scheme_id text not null,
        debit text not null,
        credit text not null,
        amount_fen bigint not null,
        booked_at timestamptz not null,
        constraint ledger_key primary key (source_id, leg),
        constraint ledger_amount check (amount_fen > 0),
        constraint ledger_two_accounts check (debit <> credit)
    )
    """,
)

# What is written in the ledger stays; a mistake is put right by another entry.
LEDGER_STAYS = (
    """
    create function ledger_stays() returns trigger language plpgsql as $$
    begin
        raise exception 'the ledger is append-only' using errcode = 'restrict_violation';
    end $$
    """,
    """
    create trigger ledger_stays before update or delete or truncate on ledger
    for each statement execute function ledger_stays()
    """,
)
# A file is sealed, so it does not compress; append-only and updated-in-place rows need no vacuum
# while a feed runs.
STORAGE = (
    "alter table batch alter column sealed_file set storage external",
    "alter table ledger set (autovacuum_vacuum_insert_threshold = -1)",
    *(
        f"""
        alter table {table}
        set (autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_scale_factor = 1)
        """
        for table in ("balance", "payout", "attempt")
    ),
    # The queue is short and its rows come and go: cleaned often, it stays small.
    """
    alter table ready_queue
    set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
)


def upgrade() -> None:
    migrate.execute((*TABLES, *LEDGER_STAYS, *STORAGE))
    migrate.execute((*outbox.DDL, *positions.DDL, *consumer.DEAD_LETTERS_DDL))
