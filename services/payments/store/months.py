"""Months of the books that are closed."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.common.kit.db import Unit
from services.common.money import Fen
from services.payments.model.months import Month


class ClosedMonth(NamedTuple):
    """A month that two people closed; `root` is its last day's, None until it is reckoned."""

    month: str
    last_day: date
    total_fen: Fen
    closed_at: datetime
    act_id: UUID
    root: bytes | None


async def insert(unit: Unit, month: Month, total_fen: Fen, at: datetime, act_id: UUID) -> None:
    await unit.execute(
        """
        insert into ledger_month (month, last_day, total_fen, closed_at, act_id)
        values ($1, $2, $3, $4, $5)
        """,
        month.text(),
        month.last,
        total_fen,
        at,
        act_id,
    )


async def last(unit: Unit) -> Month | None:
    """Give the month that was closed last."""
    text = await unit.fetchval("select max(month) from ledger_month")
    return None if text is None else Month.parse(text)


async def closed(unit: Unit, month: Month | None = None) -> list[ClosedMonth]:
    """Give the closed months in their order, or the one that is asked for."""
    rows = await unit.fetch(
        """
        select m.month, m.last_day, m.total_fen, m.closed_at, m.act_id, r.root
        from ledger_month m left join ledger_root r on r.day = m.last_day
        where $1::text is null or m.month = $1 order by m.month
        """,
        None if month is None else month.text(),
    )
    return [ClosedMonth(*row) for row in rows]
