"""A month is closed: its allocation is booked into its last day, then all its days are closed."""

from datetime import date, datetime
from uuid import UUID

from services.common.ids import derived_id
from services.common.kit import clock
from services.common.kit.db import Unit
from services.common.kit.logs import get_logger
from services.common.money import Fen
from services.payments.errors import ActImpossible
from services.payments.model.acts import CloseMonth
from services.payments.model.ledger import ALL_SCHEMES
from services.payments.model.months import ONE_DAY, Month
from services.payments.model.statements import Receipt, ReceiptKind
from services.payments.rules.trial_balance import Allocation, allocation, totals
from services.payments.store import days, ledger, months, receipts
from services.payments.store.acts import Proposal
from services.payments.usecases.desk import Desk

log = get_logger()


async def close_month(desk: Desk, unit: Unit, asked: CloseMonth, proposal: Proposal) -> None:
    """Close a month in the transaction of confirming; `ActImpossible` where it is not its turn.

    Months close in order, each once; one that is not over only where that was said. What comes
    later in it is then booked into the next one. The days' roots follow by themselves.
    """
    month, now = Month.parse(asked.month), clock.now()
    if month.first > clock.today() or (month.last >= clock.today() and not asked.early):
        raise ActImpossible
    await days.hold(unit)
    closed = (await days.reached(unit)).closed
    begins = await days.first_closed(unit)
    if closed is None or begins is None or month != await _due(unit, begins + ONE_DAY):
        raise ActImpossible
    await _allocate(desk, unit, month, proposal.proposed_by, now)
    await days.close(unit, closed + ONE_DAY, month.last, now)
    total, _ = totals(await days.trial_rows(unit, month.first, month.last)).closing_fen
    await months.insert(unit, month, Fen(total), now, proposal.act_id)
    log.info("ledger.month_closed", day=month.last)


async def _due(unit: Unit, first_entry: date) -> Month:
    """Give the month whose turn it is; the first is that of the first entry."""
    last = await months.last(unit)
    return last.following if last else Month.of(first_entry)


async def _allocate(desk: Desk, unit: Unit, month: Month, proposed_by: UUID, at: datetime) -> None:
    """Book what associations' funds hand up and are allotted; enter what is to be transferred."""
    sums = await days.sums(unit, month.first, month.last)
    found = [allocation(fund.fund_id, month, sums) for fund in desk.funds.funds if fund.association]
    transfers = [transfer for each in found for transfer in _transfers(each)]
    await receipts.insert(unit, transfers, proposed_by, at)
    await ledger.post(unit, [entry for each in found for entry in each.postings()], at, month.last)


def _transfers(found: Allocation) -> list[Receipt]:
    """Say what finance has to send up, and what is to come down."""
    expected: tuple[tuple[ReceiptKind, str, int], ...] = (
        ("handed_up", "HANDUP", found.income_fen),
        ("allotted", "ALLOT", found.payouts_fen),
    )
    return [
        Receipt(
            derived_id("month", found.fund_id, found.month.text(), kind),
            found.fund_id,
            kind,
            ALL_SCHEMES,
            "",
            Fen(fen),
            f"{word}-{found.fund_id.upper()}-{found.month.first:%Y%m}",
        )
        for kind, word, fen in expected
        if fen > 0
    ]
