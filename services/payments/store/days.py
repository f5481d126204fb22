"""The ledger's days: closed one after the other, each then vouched for by its root and sums."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from services.common.kit.db import Database, Unit
from services.payments.model.ledger import ClosedDay, PairSum, TrialRow
from services.payments.rules.roots import Entry

PAGE_ENTRIES: Final = 5_000
_ENTRY_NO_MIN: Final = -(2**63)
_ENTRY_NO_MAX: Final = 2**63 - 1
_PAGE: Final = """
    select entry_no, source_id, leg, fund_id, scheme_id, debit, credit, amount_fen, day, booked_at
    from ledger where day = $1 and entry_no between $2 and $3 order by entry_no
"""
_SUM_COLUMNS: Final = (
    "day", "fund_id", "scheme_id", "account", "contra", "entries", "debit_fen", "credit_fen",
)  # fmt: skip
# Of the days from $1 to $2: the sums up to $3, the last day that has them, and the entries behind
# it. The day is handed in, as the planner takes the index for no day that it cannot see.
_MOVED: Final = """
    moved as (
        select day, fund_id, scheme_id, account, contra, entries, debit_fen, credit_fen
        from ledger_day_sum where day between $1::date and least($2::date, $3::date)
        union all
        select day, fund_id, scheme_id, debit, credit, count(*), sum(amount_fen), 0
        from ledger where day > $3::date and day between $1::date and $2::date
        group by day, fund_id, scheme_id, debit, credit
        union all
        select day, fund_id, scheme_id, credit, debit, count(*), 0, sum(amount_fen)
        from ledger where day > $3::date and day between $1::date and $2::date
        group by day, fund_id, scheme_id, debit, credit)
"""


class Reached(NamedTuple):
    """The last day that is closed, and the last that has its root; None while there is none."""

    closed: date | None
    vouched: date | None


async def reached(unit: Unit) -> Reached:
    row = await unit.fetchrow(
        """
        select (select max(day) from ledger_day) as closed,
               (select max(day) from ledger_root) as vouched
        """
    )
    assert row is not None, "two values are a row"
    return Reached(*row)


async def first_closed(unit: Unit) -> date | None:
    """Give the day with which the chain begins, the one before the first entry."""
    return await unit.fetchval("select min(day) from ledger_day")


async def entries_before(unit: Unit, day: date) -> int:
    return await unit.fetchval("select count(*) from ledger where day < $1", day)


async def first_entry(unit: Unit) -> date | None:
    """Give the day of the first entry; it reads the whole ledger."""
    return await unit.fetchval("select min(day) from ledger")


async def hold(unit: Unit) -> None:
    """Keep everybody from the ledger until the transaction ends; who was writing has finished."""
    await unit.execute("select pg_advisory_xact_lock(hashtext('ledger'))")


async def close(unit: Unit, first: date, last: date, at: datetime) -> None:
    """Close the days of a span that are open; `hold` comes before it."""
    await unit.execute(
        """
        insert into ledger_day (day, closed_at)
        select day::date, $3 from generate_series($1::date, $2::date, interval '1 day') as day
        on conflict do nothing
        """,
        first,
        last,
        at,
    )


async def summarize(unit: Unit) -> None:
    """Let the index know of the newest entries, so that a day is found without reading others."""
    await unit.execute("select ledger_summarize()")


async def closed_without_root(unit: Unit) -> list[date]:
    rows = await unit.fetch(
        """
        select day from ledger_day
        where day > coalesce((select max(day) from ledger_root), '-infinity') order by day
        """
    )
    return [row["day"] for row in rows]


async def last_root(unit: Unit) -> bytes | None:
    return await unit.fetchval("select root from ledger_root order by day desc limit 1")


async def roots(unit: Unit, first: date = date.min, last: date = date.max) -> list[ClosedDay]:
    """Give the closed days of a span that are vouched for, oldest first."""
    rows = await unit.fetch(
        "select day, entries, root from ledger_root where day between $1 and $2 order by day",
        first,
        last,
    )
    return [ClosedDay(*row) for row in rows]


async def entries(database: Database, day: date) -> AsyncIterator[Sequence[Entry]]:
    """Give a closed day's entries in the order of entry_no, page by page, each its own look.

    entry_no runs with few gaps, so that a page is a piece of it, found by the index.
    """
    start = await _next_entry_no(database, day, _ENTRY_NO_MIN)
    while start is not None and start <= _ENTRY_NO_MAX:
        async with database.begin() as unit:
            rows = await unit.fetch(_PAGE, day, start, min(start + PAGE_ENTRIES - 1, _ENTRY_NO_MAX))
        if rows:
            yield [Entry(*row) for row in rows]
            start = rows[-1]["entry_no"] + 1
        else:
            start = await _next_entry_no(database, day, start)


async def _next_entry_no(database: Database, day: date, start: int) -> int | None:
    async with database.begin() as unit:
        return await unit.fetchval(
            "select min(entry_no) from ledger where day = $1 and entry_no >= $2", day, start
        )


async def vouch(unit: Unit, closed: ClosedDay, sums: Sequence[PairSum]) -> None:
    """Keep a closed day's root and sums, unless somebody has done so before."""
    new = await unit.execute(
        "insert into ledger_root (day, entries, root) values ($1, $2, $3) on conflict do nothing",
        *closed,
    )
    if new:
        await unit.copy("ledger_day_sum", _SUM_COLUMNS, [(closed.day, *each) for each in sums])


async def kept_sums(unit: Unit, day: date) -> list[PairSum]:
    """Give a closed day's sums as they are kept."""
    rows = await unit.fetch(
        """
        select fund_id, scheme_id, account, contra, entries, debit_fen, credit_fen
        from ledger_day_sum where day = $1
        """,
        day,
    )
    return sorted(PairSum(*row) for row in rows)


async def sums(unit: Unit, first: date, last: date) -> list[PairSum]:
    """Give what the accounts were moved by each other in a span of days."""
    rows = await unit.fetch(
        f"""
        with {_MOVED}
        select fund_id, scheme_id, account, contra, sum(entries)::bigint, sum(debit_fen)::bigint,
               sum(credit_fen)::bigint
        from moved group by fund_id, scheme_id, account, contra order by 1, 2, 3, 4
        """,  # noqa: S608 - a constant
        first,
        last,
        await _vouched(unit),
    )
    return [PairSum(*row) for row in rows]


async def trial_rows(unit: Unit, first: date, last: date) -> list[TrialRow]:
    """Give every account with what it held before a span, and what moved it in the span."""
    rows = await unit.fetch(
        f"""
        with {_MOVED}
        select fund_id, scheme_id, account,
               coalesce(sum(debit_fen - credit_fen) filter (where day < $4::date), 0)::bigint,
               coalesce(sum(debit_fen) filter (where day >= $4::date), 0)::bigint,
               coalesce(sum(credit_fen) filter (where day >= $4::date), 0)::bigint
        from moved group by fund_id, scheme_id, account order by 1, 2, 3
        """,  # noqa: S608 - a constant
        date.min,
        last,
        await _vouched(unit),
        first,
    )
    return [TrialRow(*row) for row in rows]


async def _vouched(unit: Unit) -> date:
    return (await reached(unit)).vouched or date.min
