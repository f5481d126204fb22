"""Closed days say what stood against what, and months are closed."""

from services.common.kit import migrate

revision = "0004"
down_revision = "0003"

DAYS = (
    # Nothing has been summed yet. With the account that stood against it a sum tells money paid
    # out from money handed up; with the number of entries, how many were paid.
    "alter table ledger_day_sum drop constraint ledger_day_sum_pkey",
    "alter table ledger_day_sum add column contra text not null",
    "alter table ledger_day_sum add column entries bigint not null",
    """
    alter table ledger_day_sum
        add primary key (day, fund_id, scheme_id, account, contra)
    """,
    # A table that is only added to is hardly ever vacuumed, and what is not summarized is read
    # whole: whoever closes a day has its entries summarized, which is the owner's to do.
    "alter index ledger_by_day set (autosummarize = on)",
    """
    create function ledger_summarize() returns integer
    language sql security definer set search_path = public, pg_temp as $$
        select pg_catalog.brin_summarize_new_values('ledger_by_day')
    $$
    """,
)

MONTHS = (
    """
    create table ledger_month (
        month text not null,
        last_day date not null references ledger_day (day),
        total_fen bigint not null,
        closed_at timestamptz not null,
        act_id uuid not null,
        primary key (month),
        constraint ledger_month_total check (total_fen >= 0)
    )
    """,
)

# Whoever lists a unit's payouts reads the members of that unit alone.
UNITS = ("create index payee_unit on payee (unit_code)",)


def upgrade() -> None:
    migrate.execute((*DAYS, *MONTHS, *UNITS))
    migrate.append_only("ledger_month")
