"""Every day of the ledger that is over is closed, and then vouched for, oldest first."""

from datetime import date

from services.common.kit import clock
from services.common.kit.db import TRANSIENT, Database
from services.common.kit.logs import get_logger
from services.payments.model.months import ONE_DAY, Month
from services.payments.rules.roots import BEFORE_ALL_DAYS, DayReckoning
from services.payments.store import days
from services.payments.usecases.desk import Desk

log = get_logger()


async def close_days(desk: Desk) -> None:
    """Close the days that are over, also those without entries, and vouch for all closed ones.

    The chain begins with the day before the first entry. Where a fund is an association's the last
    day of a month stays open until two people close the month: its allocation belongs there.
    """
    async with desk.database.begin() as unit:
        closed, vouched = await days.reached(unit)
    if closed is None or closed < _last_due(desk, closed):
        closed = await _close_due(desk)
    if closed != vouched:
        await vouch_for_days(desk.database)


def _last_due(desk: Desk, closed: date) -> date:
    yesterday = clock.today() - ONE_DAY
    if any(fund.association for fund in desk.funds.funds):
        return min(yesterday, Month.of(closed + ONE_DAY).last - ONE_DAY)
    return yesterday


async def _close_due(desk: Desk) -> date | None:
    """Close what is due, in a transaction that does nothing else; give the last closed day."""
    async with desk.database.begin() as unit:
        await days.hold(unit)
        closed = (await days.reached(unit)).closed
        first = closed or await days.first_entry(unit)
        if first is None:
            return None
        closed = closed or first - ONE_DAY
        last = max(closed, _last_due(desk, closed))
        await days.close(unit, closed, last, clock.now())
    log.info("ledger.closed", day=last)
    return last


async def vouch_for_days(database: Database) -> None:
    """Reckon the root and the sums of every closed day that has none yet."""
    try:
        async with database.begin() as unit:
            await days.summarize(unit)
    except TRANSIENT as trouble:
        log.warning("ledger.not_summarized", error=trouble)  # it is read all the same, only slower
    async with database.begin() as unit:
        root = await days.last_root(unit) or BEFORE_ALL_DAYS
        missing = await days.closed_without_root(unit)
    for day in missing:
        reckoning = await reckon(database, root, day)
        closed = reckoning.closed()
        async with database.begin() as unit:
            await days.vouch(unit, closed, reckoning.sums())
        root = closed.root
        log.info("ledger.vouched", day=day, count=closed.entries)


async def reckon(database: Database, previous: bytes, day: date) -> DayReckoning:
    """Go through a closed day's entries page by page; `previous` is the root of the day before."""
    reckoning = DayReckoning(previous, day)
    async for page in days.entries(database, day):
        reckoning.take(page)
    return reckoning
