"""How far the banks' accounts have been read, and their days."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.model.payouts import Named
from services.payments.model.statements import DayStatement
from services.payments.store.tried import attempts_of


class Due(NamedTuple):
    """A day of an account that is over and has no statement."""

    fund_id: str
    day: date


async def marks(unit: Unit, fund_ids: Sequence[str]) -> dict[str, str]:
    rows = await unit.fetch(
        "select fund_id, movements_mark from fund where fund_id = any($1)", fund_ids
    )
    return {row["fund_id"]: row["movements_mark"] for row in rows}


async def move_mark(unit: Unit, fund_id: str, before: str, after: str) -> None:
    """Note how far the account was read, unless somebody has read on meanwhile."""
    await unit.execute(
        "update fund set movements_mark = $3 where fund_id = $1 and movements_mark = $2",
        fund_id,
        before,
        after,
    )


async def due(
    unit: Unit, fund_ids: Sequence[str], yesterday: date, asked_before: datetime, at: datetime
) -> list[Due]:
    """Give the days that are over and have no statement, from the account's first movement on.

    Each is given again once it was asked for before `asked_before`; a few at a time.
    """
    await unit.execute(
        """
        insert into bank_statement (fund_id, day)
        select f.fund_id, d.day::date
        from unnest($1::text[]) as f(fund_id), lateral (select coalesce(
                (select max(day) + 1 from bank_statement s where s.fund_id = f.fund_id),
                (select min(booked_on) from bank_line l where l.fund_id = f.fund_id)) as day
            ) as first, generate_series(first.day, $2::date, '1 day') as d(day)
        on conflict do nothing
        """,
        fund_ids,
        yesterday,
    )
    rows = await unit.fetch(
        """
        with due as (
            select fund_id, day from bank_statement
            where fund_id = any($1) and read_at is null and coalesce(asked_at < $2, true)
            order by asked_at nulls first, day limit 8)
        update bank_statement s set asked_at = $3 from due
        where s.fund_id = due.fund_id and s.day = due.day
        returning s.fund_id, s.day
        """,
        fund_ids,
        asked_before,
        at,
    )
    return sorted(Due(*row) for row in rows)


async def keep(unit: Unit, fund_id: str, statement: DayStatement, at: datetime) -> bool:
    """Keep a day; tell whether it is news."""
    return bool(
        await unit.execute(
            """
            insert into bank_statement (fund_id, day, opening_fen, closing_fen, lines, read_at)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (fund_id, day) do update set opening_fen = excluded.opening_fen,
                closing_fen = excluded.closing_fen, lines = excluded.lines,
                read_at = excluded.read_at
            where bank_statement.read_at is null
            """,
            fund_id,
            statement.day,
            statement.opening_fen,
            statement.closing_fen,
            len(statement.lines),
            at,
        )
    )


async def breaks(unit: Unit, fund_id: str, day: date) -> list[date]:
    """Give the days at which the balance does not go on as the day before ended."""
    rows = await unit.fetch(
        """
        select s.day from bank_statement s join bank_statement before
            on before.fund_id = s.fund_id and before.day = s.day - 1
        where s.fund_id = $1 and s.day between $2 and $2 + 1
          and s.opening_fen <> before.closing_fen
        """,
        fund_id,
        day,
    )
    return [row["day"] for row in rows]


async def told_but_absent(unit: Unit, fund_id: str, day: date, refs: Sequence[str]) -> list[str]:
    """Give the lines of a day that were told as movements and that its statement lacks."""
    rows = await unit.fetch(
        """
        select bank_ref from bank_line
        where fund_id = $1 and booked_on = $2 and state <> 'void'
          and not exists (select from unnest($3::text[]) as u(ref) where u.ref = bank_ref)
        """,
        fund_id,
        day,
        refs,
    )
    return [row["bank_ref"] for row in rows]


async def unshown(
    unit: Unit, fund_id: str, paid_until: date, rows_max: int
) -> list[tuple[UUID, Named | None]]:
    """Give what was paid until a day and has no line: a batch whole, or single transfers of it."""
    rows = await unit.fetch(
        f"""
        with late as (
            select b.batch_id, exists (select from bank_line l where l.batch_id = b.batch_id)
                as has_lines
            from batch b
            where b.fund_id = $1 and b.confirmed_at is null and b.state = 'closed'
              and b.paid_lines > 0 and $2 >=
                (select max(a.paid_on) from batch_attempt a where a.batch_id = b.batch_id))
        select batch_id, null::uuid as payout_id, null::smallint as attempt_no
        from late where not has_lines
        union all
        select late.batch_id, a.payout_id, a.attempt_no
        from late join {attempts_of("late.batch_id")} a on true
        where has_lines and a.state in ('paid', 'returned')
          and exists (select from bank_line l
                      where l.batch_id = late.batch_id and l.payout_id is not null)
          and not exists (select from bank_line l
                          where l.payout_id = a.payout_id and l.attempt_no = a.attempt_no
                            and l.kind = 'payout' and l.state = 'matched')
        limit $3
        """,  # noqa: S608 - a view
        fund_id,
        paid_until,
        rows_max,
    )
    return [
        (row["batch_id"], (row["payout_id"], row["attempt_no"]) if row["payout_id"] else None)
        for row in rows
    ]


async def confirm_unpaid(unit: Unit, fund_id: str, closed_before: datetime, at: datetime) -> None:
    """Confirm the batches of which nothing was paid, once the statements have shown nothing."""
    await unit.execute(
        """
        update batch b set confirmed_at = $3, sealed_file = null
        where fund_id = $1 and confirmed_at is null and state = 'closed' and paid_lines = 0
          and closed_at < $2
          and not exists (select from bank_line l where l.batch_id = b.batch_id)
        """,
        fund_id,
        closed_before,
        at,
    )


async def between(unit: Unit, fund_id: str, first: date, last: date) -> list[Row]:
    """Give the statements of a span of days, in their order."""
    return await unit.fetch(
        """
        select day, opening_fen, closing_fen, lines from bank_statement
        where fund_id = $1 and day between $2 and $3 and read_at is not null order by day
        """,
        fund_id,
        first,
        last,
    )
