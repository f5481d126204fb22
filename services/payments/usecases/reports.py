"""Reports of the books: trial balance, fund statements, and a month's page."""

from collections.abc import Sequence
from datetime import date

from services.common.kit import clock
from services.common.kit.db import Unit
from services.payments.errors import UnknownMonth
from services.payments.model.funds import Fund
from services.payments.model.ledger import Account, PairSum, TrialRow
from services.payments.model.months import Month
from services.payments.model.reports import FundMonth, FundStatement, MonthReport, OpenItems
from services.payments.rules import trial_balance as rules
from services.payments.store import days, months, waiting
from services.payments.texts.month import month_page as page_of
from services.payments.texts.page import as_text
from services.payments.texts.sheets import month_sheet as sheet_of
from services.payments.usecases.desk import Desk
from services.payments.usecases.reconciled import reconciled_days


async def trial_balance(desk: Desk, first: date, last: date) -> list[TrialRow]:
    """Give every account with its opening, debit, credit and closing in a span, both days in it."""
    async with desk.database.report() as unit:
        return await days.trial_rows(unit, first, last)


async def fund_statements(desk: Desk, first: date, last: date) -> list[FundStatement]:
    """Give every fund's receipts and payments in a span, both days in it."""
    async with desk.database.report() as unit:
        rows, sums = await _added_up(unit, first, last)
    return [rules.fund_statement(fund, rows, sums) for fund in desk.funds.funds]


async def month_report(desk: Desk, month: Month) -> MonthReport:
    """Gather what a month's page says; `UnknownMonth` where the books have nothing of it."""
    async with desk.database.report() as unit:
        begins = await days.first_closed(unit)
        if month.first > clock.today() or begins is None or month.last <= begins:
            raise UnknownMonth
        found = await months.closed(unit, month)
        rows, sums = await _added_up(unit, month.first, month.last)
        open_items = await waiting.by_fund(unit)
    closed = found[0] if found else None
    funds = [await _fund_month(desk, fund, month, rows, sums) for fund in desk.funds.funds]
    return MonthReport(
        month,
        closed.closed_at if closed else None,
        closed.total_fen if closed else None,
        closed.root if closed else None,
        [fund._replace(open=open_items.get(fund.statement.fund_id, OpenItems())) for fund in funds],
        open_items.get("", OpenItems()).bank_exceptions,
    )


async def month_page(desk: Desk, month: Month) -> str:
    """Give a month's page as plain text, 100 columns wide at most."""
    return as_text(page_of(await month_report(desk, month)))


async def month_sheet(desk: Desk, month: Month) -> bytes:
    """Give a month's page as a PDF of one sheet."""
    return await sheet_of(page_of(await month_report(desk, month)))


async def _added_up(unit: Unit, first: date, last: date) -> tuple[list[TrialRow], list[PairSum]]:
    return await days.trial_rows(unit, first, last), await days.sums(unit, first, last)


async def _fund_month(
    desk: Desk, fund: Fund, month: Month, rows: Sequence[TrialRow], sums: Sequence[PairSum]
) -> FundMonth:
    trial = rules.by_account(rows, fund.fund_id)
    moved = {row.account: row.debit_fen - row.credit_fen for row in trial}
    last = min(month.last, clock.today())
    return FundMonth(
        fund.name,
        rules.fund_statement(fund, rows, sums),
        moved.get(Account.HANDED_UP, 0) if fund.association else None,
        -moved.get(Account.ALLOTTED, 0) if fund.association else None,
        await reconciled_days(desk, fund.fund_id, month.first, last),
        OpenItems(),
        trial,
        rules.totals(trial),
    )
