"""Bank and book side by side (余额调节表): each day's balances, and what explains them."""

from datetime import date
from itertools import accumulate

from services.common.money import Fen
from services.payments.model.shown import Place
from services.payments.model.statements import ReconciledDay, ShownLine
from services.payments.rules.outstanding import by_day, unmatched
from services.payments.store import lines, reconciling, statements
from services.payments.usecases.desk import Desk
from services.payments.usecases.statements import open_party


async def reconciled_days(desk: Desk, fund_id: str, first: date, last: date) -> list[ReconciledDay]:
    """Hold bank and book of a fund against each other at the end of every day, in one snapshot."""
    async with desk.database.report() as unit:
        closings = {
            row["day"]: Fen(row["closing_fen"])
            for row in await statements.between(unit, fund_id, first, last)
        }
        moves = await reconciling.book_moves(unit, fund_id, last)
        bank = await reconciling.open_lines(unit, fund_id, last)
        book = await reconciling.open_entries(unit, fund_id, last)
        cleared = await reconciling.outstanding(unit, fund_id, first, last)
    spans = [*cleared, *unmatched(bank, book)]
    days = by_day(spans, first, last)
    moved = dict.fromkeys((day for day, _, _ in days), 0)
    for day, fen in moves:
        moved[max(day, first)] += fen
    balances = accumulate(moved[day] for day, _, _ in days)
    return [
        ReconciledDay(day, closings.get(day), Fen(balance), bank_only, book_only)
        for (day, bank_only, book_only), balance in zip(days, balances, strict=True)
    ]


async def bank_lines(
    desk: Desk, fund_id: str | None, day: date | None, after: Place | None
) -> list[ShownLine]:
    """Give the bank's lines of a day, or all that are open; the other side is masked."""
    async with desk.database.begin() as unit:
        rows = await lines.page(unit, fund_id, day, after or (None, None), desk.settings.page_rows)
    shown: list[ShownLine] = []
    for row in rows:
        name, account = open_party(desk, row["line_id"], row["sealed"])
        shown.append(
            ShownLine(
                line_id=row["line_id"],
                fund_id=row["fund_id"],
                bank_ref=row["bank_ref"],
                booked_on=row["booked_on"],
                direction=row["direction"],
                amount_fen=row["amount_fen"],
                kind=row["kind"],
                batch_no=row["batch_no"],
                instruction_id=row["instruction_id"],
                remark=row["remark"],
                party=name.mask() if name.open() else "",
                party_account_tail=account.tail(),
                state=row["state"],
                reason=row["reason"],
                seen_at=row["seen_at"],
            )
        )
    return shown
