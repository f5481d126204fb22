"""The ledger is gone through from its first entry and held against all that was kept of it."""

from datetime import date

from services.common.kit.db import Database, Unit
from services.common.money import Fen, yuan
from services.payments.model.ledger import Account, ClosedDay, PairSum
from services.payments.model.months import ONE_DAY
from services.payments.rules.roots import BEFORE_ALL_DAYS
from services.payments.store import days, ledger, months
from services.payments.usecases.days import reckon


async def verify(database: Database) -> str | None:
    """Reckon every root, every day's sums and the funds' cash anew from the entries.

    Gives the first thing that differs, None where nothing does. Days that are closed and wait for
    their root, and open days, are verified by the funds' cash alone.
    """
    async with database.begin() as unit:
        kept = await days.roots(unit)
        early = await days.entries_before(unit, kept[0].day) if kept else 0
    if early:
        return f"{kept[0].day}: {early} entries lie before the first day"
    root = BEFORE_ALL_DAYS
    for number, closed in enumerate(kept):
        if number and closed.day != kept[number - 1].day + ONE_DAY:
            return f"{kept[number - 1].day + ONE_DAY}: the day has no root"
        if (differs := await _differs(database, root, closed)) is not None:
            return f"{closed.day}: {differs}"
        root = closed.root
    async with database.report() as unit:
        return await _months_differ(unit) or await _cash_differs(unit)


async def _differs(database: Database, previous: bytes, closed: ClosedDay) -> str | None:
    reckoning = await reckon(database, previous, closed.day)
    found = reckoning.closed()
    if found.entries != closed.entries:
        return f"it had {closed.entries} entries when it was closed, and has {found.entries}"
    async with database.begin() as unit:
        kept = await days.kept_sums(unit, closed.day)
    if found.root == closed.root and kept == reckoning.sums():
        return None
    differing = sorted({*kept} ^ {*reckoning.sums()})
    if not differing:
        return f"the root is {closed.root.hex()}, its entries give {found.root.hex()}"
    return _sum_differs(differing[0], kept)


def _sum_differs(one: PairSum, kept: list[PairSum]) -> str:
    whose = "kept" if one in kept else "of its entries"
    return (
        f"the sum {whose} of {one.fund_id} {one.scheme_id} {one.account}/{one.contra} differs:"
        f" {one.entries} entries, debit {yuan(one.debit_fen)}, credit {yuan(one.credit_fen)}"
    )


async def _months_differ(unit: Unit) -> str | None:
    for month in await months.closed(unit):
        rows = await days.trial_rows(unit, month.last_day, month.last_day)
        total = sum(row.closing_fen for row in rows if row.closing_fen > 0)
        if total != month.total_fen:
            return (
                f"{month.month}: its trial balance came to {yuan(month.total_fen)},"
                f" now to {yuan(Fen(total))}"
            )
    return None


async def _cash_differs(unit: Unit) -> str | None:
    rows = await days.trial_rows(unit, date.min, date.max)
    for row in await ledger.funds(unit):
        for account, kept in (
            (Account.BANK, row["bank_fen"]),
            (Account.PAYOUTS_IN_TRANSIT, -row["in_transit_fen"]),
        ):
            found = sum(
                each.closing_fen
                for each in rows
                if (each.fund_id, each.account) == (row["fund_id"], account)
            )
            if found != kept:
                return (
                    f"fund {row['fund_id']}: {account} is kept as {yuan(kept)},"
                    f" its entries give {yuan(Fen(found))}"
                )
    return None
