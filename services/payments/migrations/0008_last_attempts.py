"""A payout's row holds its last attempt while that is under way or paid: mostly the only one.

Attempts that came to another end keep a row of their own; who is in a batch lies in sets.
"""

from services.common.kit import migrate

revision = "0008"
down_revision = "0007"

LINES = (
    """
    create table batch_lines (
        batch_id uuid not null,
        first_line integer not null,
        payout_ids uuid[] not null,
        payee_versions bigint[] not null,
        primary key (batch_id, first_line),
        constraint batch_lines_whole check (first_line > 0 and cardinality(payout_ids) > 0
            and cardinality(payee_versions) = cardinality(payout_ids))
    )
    """,
    """
    insert into batch_lines (batch_id, first_line, payout_ids, payee_versions)
    select batch_id, min(line), array_agg(payout_id order by line),
           array_agg(payee_version order by line)
    from attempt where batch_id is not null group by batch_id, (line - 1) / 50
    """,
)

PAYOUTS = (
    "alter table payout add column batch_id uuid",
    "alter table payout add column line integer",
    "alter table payout add column bank_serial text",
    "alter table payout add column paid_on date",
    """
    update payout p set batch_id = a.batch_id, line = a.line, bank_serial = a.bank_serial,
        paid_on = a.paid_on
    from attempt a
    where a.payout_id = p.payout_id and a.attempt_no = p.attempt_no
      and a.state in ('in_flight', 'paid')
    """,
    "delete from attempt where state in ('in_flight', 'paid')",
    """
    alter table payout add constraint payout_in_a_batch
        check ((state in ('batched', 'paid')) = (batch_id is not null)
            and (batch_id is null) = (line is null))
    """,
    """
    alter table payout add constraint payout_as_booked
        check ((state = 'paid') = (paid_on is not null)
            and (paid_on is null) = (bank_serial is null))
    """,
    # The outcome makes the row longer.
    "alter table payout set (fillfactor = 40)",
)

PAST = (
    "alter table attempt rename to past_attempt",
    "alter table past_attempt drop constraint attempt_state",
    """
    alter table past_attempt add constraint attempt_state
        check (state in ('refused', 'returned', 'withdrawn'))
    """,
    "alter table past_attempt reset (fillfactor)",
    "drop trigger attempt_per_payee on past_attempt",
    """
    create or replace function attempt_per_payee() returns trigger language plpgsql as $$
    begin
        if exists (select from past_attempt where payout_id = new.payout_id
                   and payee_version = new.payee_version and round = new.round) then
            raise exception 'this card has been tried' using errcode = 'unique_violation',
                constraint = 'attempt_per_payee';
        end if;
        return null;
    end $$
    """,
    """
    create trigger attempt_per_payee after update on payout for each row
    when (new.attempt_no > 1 and new.attempt_no <> old.attempt_no)
    execute function attempt_per_payee()
    """,
)

_PAST_COLUMNS = (
    "payout_id, attempt_no, payee_version, batch_id, line, amount_fen, state, bank_code, reason,"
    " bank_serial, paid_on, made_at, decided_at, round, returned_on, returned_at"
)
_LAST_COLUMNS = (
    "p.payout_id, p.attempt_no, p.payee_version, p.batch_id, p.line, p.amount_fen,"
    " case p.state when 'paid' then 'paid' else 'in_flight' end, null::text, null::text,"
    " p.bank_serial, p.paid_on, (select b.cut_at from batch b where b.batch_id = p.batch_id),"
    " case p.state when 'paid' then p.changed_at end, p.round, null::date, null::timestamptz"
)

# All attempts: the one to be asked by payout, the other by batch.
VIEWS = (
    f"""
    create view attempt as
    select {_PAST_COLUMNS} from past_attempt
    union all
    select {_LAST_COLUMNS} from payout p where p.batch_id is not null
    """,  # noqa: S608 - constants
    f"""
    create view batch_attempt as
    select {_PAST_COLUMNS} from past_attempt where batch_id is not null
    union all
    select {_LAST_COLUMNS}
    from batch_lines l, unnest(l.payout_ids) as u(id), payout p
    where p.payout_id = u.id and p.batch_id = l.batch_id
    """,  # noqa: S608 - constants
)


def upgrade() -> None:
    migrate.execute((*LINES, *PAYOUTS, *PAST, *VIEWS))
