"""What the reports say is what was booked, and they fit their paper."""

import re
from datetime import date, timedelta

import pytest

from services.common.kit.clock import SetClock
from services.payments.errors import UnknownMonth
from services.payments.model.ledger import Account
from services.payments.model.months import Month
from services.payments.texts.page import width
from services.payments.usecases import reports
from services.payments.usecases.days import close_days
from services.payments.usecases.desk import Desk
from tests.payments.ledger.booking import book, contributed, entry, paid, reserved, returned
from tests.payments.ledger.test_months import CQ, at, close

NOVEMBER = Month(2026, 11)


async def a_month(house: Desk, hands: SetClock) -> None:
    """Let a month pass in which something of everything happens, and close it."""
    await close_days(house)
    await book(
        house,
        contributed(800_00, *CQ),
        entry(Account.BANK, Account.MEMBERSHIP_FEES, 50_00, *CQ),
        entry(Account.BANK, Account.UNION_SUBSIDY, 7_00, *CQ),
        entry(Account.BANK, Account.RECOVERIES, 3_00, *CQ),
        reserved(350_00, *CQ),
        paid(100_00, *CQ),
        paid(200_00, *CQ),
        entry(Account.BANK_CHARGES, Account.BANK, 1_50, *CQ),
    )
    hands.advance(timedelta(days=2))
    await book(house, *returned(40_00, *CQ), contributed(9_00))
    at(hands, 2026, 12, 2, 9)
    await book(house, contributed(1_00, *CQ))
    await close(house, "2026-11")
    await close_days(house)


async def test_a_fund_statement_says_where_money_came_from_and_went(
    house: Desk, hands: SetClock
) -> None:
    await a_month(house, hands)
    first, _ = await reports.fund_statements(house, NOVEMBER.first, NOVEMBER.last)
    assert {flow.account: flow[1:] for flow in first.flows} == {
        "fund": (1, 10**12),
        "member_contributions": (1, 800_00),
        "union_subsidy": (1, 7_00),
        "membership_fees": (1, 50_00),
        "recoveries": (1, 3_00),
        "due_from_association": (0, 0),
        "returned": (1, 40_00),
        "payouts_in_transit": (2, -300_00),
        "due_to_association": (0, 0),
        "bank_charges": (1, -1_50),
    }
    assert (first.opening_fen, first.closing_fen) == (0, 10**12 + 598_50)
    assert (first.in_transit_fen, first.reserve_fen) == (50_00, 100_00)
    assert first.free_fen == 10**12 + 448_50
    assert (first.owed_up_fen, first.owed_down_fen) == (850_00, 260_00)
    december, _ = await reports.fund_statements(house, date(2026, 12, 1), date(2026, 12, 2))
    assert december.opening_fen == first.closing_fen
    assert december.closing_fen == first.closing_fen + 1_00


async def test_money_taken_back_by_an_opposite_entry_is_no_payout(desk: Desk) -> None:
    await book(
        desk,
        contributed(9_00),
        entry(Account.MEMBER_CONTRIBUTIONS, Account.BANK, 9_00),
        entry(Account.BANK, Account.RECOVERIES, 5_00),
        entry(Account.RECOVERIES, Account.BENEFITS_PAYABLE, 5_00),
        entry(Account.RECOVERIES, Account.BANK, 5_00),
        entry(Account.BENEFITS_PAYABLE, Account.RECOVERIES, 5_00),
    )
    [statement] = await reports.fund_statements(desk, NOVEMBER.first, NOVEMBER.last)
    moved = {flow.account: flow.amount_fen for flow in statement.flows if flow.amount_fen}
    assert moved == {"fund": 10**12}


async def test_the_page_of_a_closed_month_vouches_for_it(house: Desk, hands: SetClock) -> None:
    await a_month(house, hands)
    report = await reports.month_report(house, NOVEMBER)
    page = await reports.month_page(house, NOVEMBER)
    assert report.root
    assert report.root.hex() in page
    assert "结账时间 closed at: 2026-12-02 09:00" in page
    assert page.count("借贷平衡 balanced") == 2
    assert "NOT BALANCED" not in page
    assert re.search(r"^支付互助金 payouts +2 +-300\.00$", page, re.MULTILINE)
    assert re.search(r"^本月应上交 to hand up this month +850\.00$", page, re.MULTILINE)
    assert len(re.findall(r"^2026-11-\d\d ", page, re.MULTILINE)) == 56, (
        "from the day on which its books begin"
    )
    assert page == await reports.month_page(house, NOVEMBER)


async def test_no_line_of_the_page_is_wider_than_a_hundred_columns(
    house: Desk, hands: SetClock
) -> None:
    await book(house, contributed(10**14, *CQ), contributed(10**14))
    await a_month(house, hands)
    page = await reports.month_page(house, NOVEMBER)
    assert [line for line in page.splitlines() if width(line) > 100] == []


async def test_a_month_is_one_sheet_of_paper(house: Desk, hands: SetClock) -> None:
    await a_month(house, hands)
    sheet = await reports.month_sheet(house, NOVEMBER)
    assert sheet.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1
    assert sheet == await reports.month_sheet(house, NOVEMBER)


async def test_a_month_under_way_is_shown_up_to_today(house: Desk, hands: SetClock) -> None:
    await close_days(house)
    at(hands, 2026, 11, 5, 9)
    await book(house, contributed(5_00))
    report = await reports.month_report(house, NOVEMBER)
    assert (report.closed_at, report.total_fen, report.root) == (None, None, None)
    assert [day.day.day for day in report.funds[1].days] == [1, 2, 3, 4, 5]
    assert [day.book_fen for day in report.funds[1].days][1:] == [0, 10**12, 10**12, 10**12 + 5_00]
    assert "未结账 not closed" in await reports.month_page(house, NOVEMBER)


@pytest.mark.parametrize("month", [Month(2026, 10), Month(2026, 12), Month(1999, 1)])
async def test_a_month_that_the_books_do_not_have_is_refused(house: Desk, month: Month) -> None:
    await close_days(house)
    with pytest.raises(UnknownMonth):
        await reports.month_report(house, month)


async def test_the_trial_balance_of_any_span_agrees(house: Desk, hands: SetClock) -> None:
    await a_month(house, hands)
    rows = await reports.trial_balance(house, date(2026, 11, 4), date(2026, 12, 1))
    assert sum(row.opening_fen for row in rows) == 0
    assert sum(row.debit_fen for row in rows) == sum(row.credit_fen for row in rows)
    assert sum(row.closing_fen for row in rows) == 0
    handed_up = [row for row in rows if row.account == Account.HANDED_UP]
    assert [(row.fund_id, row.opening_fen, row.closing_fen) for row in handed_up] == [
        ("chongqing", 0, 850_00)
    ]
