"""The bank's own story: lines on the accounts, day statements, and what is expected to come."""

from services.common.kit import migrate

revision = "0003"
down_revision = "0002"

LINES = (
    # A line is kept once, whether a movement told of it or a statement, and never forgotten. Who is
    # on the other side lies sealed.
    """
    create table bank_line (
        line_id uuid not null,
        fund_id text not null,
        bank_ref text not null,
        booked_on date not null,
        direction text not null,
        amount_fen bigint not null,
        kind text not null,
        batch_no text not null,
        instruction_id text not null,
        bank_code text not null,
        return_reason text not null,
        remark text not null,
        sealed bytea not null,
        batch_id uuid,
        payout_id uuid,
        attempt_no smallint,
        state text not null,
        reason text,
        match_id uuid,
        round smallint default 0 not null,
        seen_at timestamptz not null,
        matched_at timestamptz,
        primary key (line_id),
        constraint bank_line_ref unique (fund_id, bank_ref),
        constraint bank_line_amount check (amount_fen > 0),
        constraint bank_line_direction check (direction in ('credit', 'debit')),
        constraint bank_line_state check (state in ('new', 'matched', 'exception', 'void')),
        constraint bank_line_reason check ((state = 'exception') = (reason is not null))
    ) with (fillfactor = 70)
    """,
    "create index bank_line_day on bank_line (fund_id, booked_on)",
    # What still waits for its counterpart or for a person: few at any time.
    """
    create index bank_line_open on bank_line (fund_id, booked_on)
        where state in ('new', 'exception')
    """,
    "create index bank_line_batch on bank_line (batch_id) where batch_id is not null",
    "create index bank_line_match on bank_line (match_id) where match_id is not null",
    # A transfer is shown by one debit, and given back by one line.
    """
    create unique index bank_line_transfer on bank_line (payout_id, attempt_no, (kind = 'payout'))
        where state = 'matched' and payout_id is not null
    """,
    # How much of a batch its lines have shown; it is confirmed once that is what was paid.
    "alter table batch add column shown_fen bigint default 0 not null",
    """
    alter table batch add constraint batch_shown check (shown_fen between 0 and paid_fen)
    """,
    """
    create index batch_unconfirmed on batch (fund_id)
        where confirmed_at is null and state <> 'voided'
    """,
    # A day of an account: asked for from its first movement on, until it is there.
    """
    create table bank_statement (
        fund_id text not null,
        day date not null,
        asked_at timestamptz,
        read_at timestamptz,
        opening_fen bigint,
        closing_fen bigint,
        lines integer,
        primary key (fund_id, day),
        constraint bank_statement_whole check (num_nulls(read_at, opening_fen, closing_fen, lines)
            in (0, 4))
    )
    """,
    "create index bank_statement_due on bank_statement (fund_id, day) where read_at is null",
)

RECEIPTS = (
    """
    create table receipt (
        receipt_id uuid not null,
        fund_id text not null,
        scheme_id text not null,
        kind text not null,
        unit_code text not null,
        amount_fen bigint not null,
        reference text not null,
        entered_by uuid not null,
        entered_at timestamptz not null,
        match_id uuid,
        round smallint default 0 not null,
        primary key (receipt_id),
        constraint receipt_amount check (amount_fen > 0),
        constraint receipt_kind check (kind in ('member_contributions', 'union_subsidy',
            'membership_fees', 'allotted', 'handed_up'))
    )
    """,
    "create unique index receipt_reference on receipt (fund_id, reference) where reference <> ''",
    "create index receipt_open on receipt (fund_id, entered_at) where match_id is null",
    "create index receipt_match on receipt (match_id) where match_id is not null",
    # What one side had on `from_day` and the other only on `until_day`: cleared by now, and still
    # to be shown for the days between. Rows are added, and taken back by their negative.
    """
    create table outstanding (
        outstanding_no bigint generated always as identity,
        fund_id text not null,
        side text not null,
        from_day date not null,
        until_day date not null,
        amount_fen bigint not null,
        items integer not null,
        primary key (outstanding_no),
        constraint outstanding_side check (side in ('bank', 'book')),
        constraint outstanding_span check (from_day < until_day)
    )
    """,
    "create index outstanding_until on outstanding (fund_id, until_day)",
)


def upgrade() -> None:
    migrate.execute((*LINES, *RECEIPTS))
    migrate.append_only("outstanding")
