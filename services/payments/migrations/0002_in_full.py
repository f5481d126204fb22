"""Funds, approvals, acts of two people, returns; the ledger gets days and an order."""

from services.common.kit import migrate

revision = "0002"
down_revision = "0001"

ACCOUNTS = (
    "bank", "due_from_association", "benefits_payable", "payouts_in_transit", "returned",
    "due_to_association", "fund", "member_contributions", "union_subsidy", "membership_fees",
    "recoveries", "allotted", "benefit_expense", "handed_up", "bank_charges",
)  # fmt: skip
KNOWN = ", ".join(f"'{account}'" for account in ACCOUNTS)

# What lies in a fund, as the ledger's entries add up to it; moved with them, in one statement.
FUNDS = (
    """
    create table fund (
        fund_id text not null,
        bank_fen bigint not null,
        in_transit_fen bigint not null,
        low_since timestamptz,
        movements_mark text default '' not null,
        primary key (fund_id),
        constraint fund_in_transit check (in_transit_fen >= 0)
    ) with (fillfactor = 20)
    """,
)

# What was written before funds had names belongs to the one fund there was.
LEDGER = (
    "alter table ledger disable trigger ledger_stays",
    "alter table ledger add column entry_no bigint generated always as identity",
    "alter table ledger add column fund_id text default 'union' not null",
    "alter table ledger alter column fund_id drop default",
    "alter table ledger add column day date",
    "update ledger set day = (booked_at at time zone 'Asia/Shanghai')::date",
    "alter table ledger alter column day set not null",
    f"""
    alter table ledger add constraint ledger_accounts
        check (debit in ({KNOWN}) and credit in ({KNOWN}))
    """,
    "create index ledger_by_day on ledger using brin (day, entry_no) with (pages_per_range = 32)",
    "alter table ledger enable trigger ledger_stays",
    """
    insert into fund (fund_id, bank_fen, in_transit_fen)
    select 'union',
           coalesce(sum(case 'bank'
                        when debit then amount_fen when credit then -amount_fen end), 0),
           coalesce(sum(case 'payouts_in_transit'
                        when credit then amount_fen when debit then -amount_fen end), 0)
    from ledger having count(*) > 0
    """,
    # A closed day: no entry comes into it any more. Its root is reckoned once it is closed.
    """
    create table ledger_day (
        day date not null,
        closed_at timestamptz not null,
        primary key (day)
    )
    """,
    """
    create table ledger_root (
        day date not null references ledger_day (day),
        entries bigint not null,
        root bytea not null,
        primary key (day)
    )
    """,
    """
    create table ledger_day_sum (
        day date not null references ledger_day (day),
        fund_id text not null,
        scheme_id text not null,
        account text not null,
        debit_fen bigint not null,
        credit_fen bigint not null,
        primary key (day, fund_id, scheme_id, account)
    )
    """,
    """
    create function ledger_day_is_open() returns trigger language plpgsql as $$
    begin
        -- Whoever closes a day holds this lock alone, so no entry is on its way then.
        perform pg_advisory_xact_lock_shared(hashtext('ledger'));
        if exists (select from entered where day <= (select max(day) from ledger_day)) then
            -- Whoever was too late books once more, into the next day.
            raise exception 'the day is closed' using errcode = 'serialization_failure';
        end if;
        return null;
    end $$
    """,
    """
    create trigger ledger_day_is_open after insert on ledger
    referencing new table as entered
    for each statement execute function ledger_day_is_open()
    """,
)

PAYOUTS = (
    "alter table payout add column round smallint default 0 not null",
    "alter table payout drop constraint payout_state",
    """
    alter table payout add constraint payout_state
        check (state in ('awaiting_payee', 'ready', 'batched', 'paid', 'refused', 'returned',
            'cancelled', 'netted'))
    """,
    "alter table attempt add column round smallint default 0 not null",
    "alter table attempt add column returned_on date",
    "alter table attempt add column returned_at timestamptz",
    "alter table attempt drop constraint attempt_per_payee",
    """
    alter table attempt add constraint attempt_per_payee
        unique (payout_id, payee_version, round)
    """,
    "alter table attempt drop constraint attempt_state",
    """
    alter table attempt add constraint attempt_state
        check (state in ('in_flight', 'paid', 'refused', 'returned', 'withdrawn'))
    """,
    # The queue is kept by lane: one fund's payouts of one tier of approval.
    "alter table ready_queue add column lane text default 'union.0' not null",
    "alter table ready_queue alter column lane drop default",
    "alter table ready_queue drop constraint ready_queue_pkey",
    "alter table ready_queue add primary key (lane, queue_no)",
    # Ready, but held back: another payout of the member is on its way to another card.
    """
    create table held (
        payout_id uuid not null,
        member_id uuid not null,
        held_at timestamptz not null,
        primary key (payout_id)
    )
    """,
    "create index held_member on held (member_id)",
    "alter table refusal add column reminded_days integer default 0 not null",
)

BATCHES = (
    "alter table batch add column fund_id text default 'union' not null",
    "alter table batch alter column fund_id drop default",
    "alter table batch add column tier smallint default 0 not null",
    # Who has refused it, and whether the bank's statement has shown it.
    "alter table batch add column refused_by uuid",
    "alter table batch add column confirmed_at timestamptz",
    "alter table batch drop constraint batch_state",
    """
    alter table batch add constraint batch_state
        check (state in ('awaiting_approval', 'fixed', 'recalled', 'submitting', 'submitted',
            'unknown', 'closed', 'voided'))
    """,
    "alter table batch drop constraint batch_keeps_its_bytes",
    # A closed batch keeps its bytes until the statement has shown it: it may be asked again.
    """
    alter table batch add constraint batch_keeps_its_bytes check (
        case state when 'voided' then sealed_file is null
                   when 'closed' then sealed_file is null or confirmed_at is null
                   else sealed_file is not null end)
    """,
    "drop index batch_open",
    "create index batch_open on batch (cut_at) where state not in ('closed', 'voided')",
    """
    create table approval (
        batch_id uuid not null,
        person_id uuid not null,
        part text not null,
        sha256 bytea not null,
        approved_at timestamptz not null,
        primary key (batch_id, person_id),
        constraint approval_part check (part in ('maker', 'checker'))
    )
    """,
    # Transfers of which nobody knows what became, each with since when and whose it is.
    """
    create table doubt (
        payout_id uuid not null,
        attempt_no smallint not null,
        batch_id uuid not null,
        since timestamptz not null,
        owner uuid,
        primary key (payout_id)
    )
    """,
    "alter table bank_exception add column settled_at timestamptz",
    "alter table bank_exception add column settled_by uuid",
)

# What one person proposes and another confirms; carried out in the transaction of the confirming.
ACTS = (
    """
    create table act (
        act_id uuid not null,
        kind text not null,
        content jsonb not null,
        reason text not null,
        proposed_by uuid not null,
        proposed_at timestamptz not null,
        state text not null,
        decided_by uuid,
        decided_at timestamptz,
        primary key (act_id),
        constraint act_state check (state in ('proposed', 'confirmed', 'refused')),
        constraint act_two_people check (decided_by <> proposed_by or state = 'refused'),
        constraint act_decided
            check ((state = 'proposed') = (decided_at is null)
                and (decided_at is null) = (decided_by is null))
    )
    """,
    """
    create table recovery (
        source_id uuid not null,
        member_id uuid not null,
        scheme_id text not null,
        amount_fen bigint not null,
        booked_at timestamptz not null,
        primary key (source_id),
        constraint recovery_amount check (amount_fen > 0)
    )
    """,
    "create index recovery_member on recovery (member_id)",
)


def upgrade() -> None:
    migrate.execute((*FUNDS, *LEDGER, *PAYOUTS, *BATCHES, *ACTS))
    migrate.append_only("ledger", "ledger_day", "ledger_root", "ledger_day_sum")
