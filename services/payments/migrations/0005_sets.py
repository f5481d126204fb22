"""Payouts wait for their batch in sets, and a payout's first attempt needs no second index."""

from services.common.kit import migrate

revision = "0005"
down_revision = "0004"

# A row for every payout cost an insert, a deletion and a dead tuple each; a set of fifty is one
# row that still fits into a page.
QUEUE = (
    "alter table ready_queue rename to ready_payout",
    """
    create table ready_queue (
        lane text not null,
        queue_no bigint generated always as identity,
        payouts smallint not null,
        payout_ids uuid[] not null,
        member_ids uuid[] not null,
        ready_at timestamptz not null,
        constraint ready_queue_key primary key (lane, queue_no),
        constraint ready_queue_whole check (payouts > 0 and cardinality(payout_ids) = payouts
            and cardinality(member_ids) = payouts)
    )
    """,
    """
    insert into ready_queue (lane, payouts, payout_ids, member_ids, ready_at)
    select lane, count(*), array_agg(payout_id order by queue_no),
           array_agg(member_id order by queue_no), min(ready_at)
    from (select *, (row_number() over (partition by lane order by queue_no) - 1) / 50 as part
          from ready_payout) as waiting
    group by lane, part order by min(queue_no)
    """,
    "drop table ready_payout",
    """
    alter table ready_queue
    set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
)

# Hardly any payout is tried twice: only a second attempt is held against those before it. Attempts
# of a payout are made under its lock, so that none is on its way unseen.
ATTEMPTS = (
    "alter table attempt drop constraint attempt_per_payee",
    """
    create function attempt_per_payee() returns trigger language plpgsql as $$
    begin
        if exists (select from attempt where payout_id = new.payout_id
                   and attempt_no <> new.attempt_no and payee_version = new.payee_version
                   and round = new.round) then
            raise exception 'this card has been tried' using errcode = 'unique_violation',
                constraint = 'attempt_per_payee';
        end if;
        return null;
    end $$
    """,
    """
    create trigger attempt_per_payee after insert on attempt
    for each row when (new.attempt_no > 1) execute function attempt_per_payee()
    """,
)


def upgrade() -> None:
    migrate.execute((*QUEUE, *ATTEMPTS))
