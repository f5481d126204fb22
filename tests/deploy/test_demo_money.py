"""What the demo holds the money against: its own sums, which have to notice every wrong figure."""

import re
from decimal import Decimal
from typing import Any

import pytest

from deploy.demo import accounts, books, large, words
from deploy.demo.accounts import ANNOUNCED, FUNDS, Account, added_up, due_by_fund, fund_of
from deploy.demo.dataset import Dataset
from deploy.demo.make_data import DEMO_DIR
from deploy.demo.month_page import DAYS, HEAD, STATEMENT, TRIAL, due_lines, read_page
from deploy.demo.plans import PlansData
from services.payments.model.batches import BatchState
from services.payments.model.funds import read_funds
from services.payments.model.payouts import PayoutState
from services.payments.settings import Tier

BANK = Account(Decimal("9999999100.00"), {"代发": Decimal("600.00")}, payouts=1, returns=0)
PAGE = """职工医疗互助资金月报 Monthly report of the funds
月份 month: 2026-11
月末校验值 root of the last day: 93a6

====================================================================================================
重庆市职工互助保障资金
银行异常 exceptions 0; 未达流水 unmatched lines 0; 存疑付款 in doubt 0

资金收支表 receipts and payments
单位：元                                                              笔数                      金额
yuan                                                                 count                    amount
----------------------------------------------------------------------------------------------------
期初余额 opening                                                                                0.00
支付互助金 payouts                                                       1                   -600.00

试算平衡表 trial balance
科目                                     期初余额         本期借方         本期贷方         期末余额
account                                   opening            debit           credit          closing
----------------------------------------------------------------------------------------------------
借方合计 debit side                          0.00           600.00                            600.00
贷方合计 credit side                         0.00                            600.00           600.00
借贷平衡 balanced

每日余额核对 bank and book at each day's end
日期                    账面              银行          仅银行有          仅账面有              核对
day                     book              bank         bank only         book only            agrees
----------------------------------------------------------------------------------------------------
2026-11-22    10000000100.00    10000000100.00              0.00              0.00            按流水
"""


def test_a_months_page_is_read_line_by_line() -> None:
    read = read_page(PAGE)
    assert read[HEAD][HEAD]["月份"] == ["2026-11"]
    assert read[HEAD][HEAD]["月末校验值"] == ["93a6"]
    [fund] = read.keys() - {HEAD}
    assert read[fund][STATEMENT] == {"期初余额": ["0.00"], "支付互助金": ["1", "-600.00"]}
    assert (
        read[fund][TRIAL]["借方合计"] == read[fund][TRIAL]["贷方合计"] == ["0.00", *["600.00"] * 2]
    )
    assert read[fund][TRIAL]["借贷平衡"] == []
    both = "10000000100.00"
    assert read[fund][DAYS] == {"2026-11-22": [both, both, "0.00", "0.00", "按流水"]}


@pytest.mark.parametrize("figure", re.findall(r"(?<=  )-?[0-9.]+(?=\n)|(?<=  )[0-9]+(?=  )", PAGE))
def test_no_figure_of_the_page_is_overlooked(figure: str) -> None:
    wrong = PAGE.replace(f" {figure}", f" {figure[:-1]}7")
    assert read_page(wrong) != read_page(PAGE)


def test_what_a_funds_statement_must_say_comes_from_the_banks_book_and_own_data() -> None:
    due = due_lines("chongqing", BANK, Decimal(0), Decimal("600.00"))
    assert due["支付互助金"] == ["1", "-600.00"]
    assert due["收会员互助费"] == ["1", "100.00"]
    assert due["期末余额"] == ["9999999100.00"]
    assert (due["本月应上交"], due["未划拨余额"]) == (["700.00"], ["600.00"])
    assert "本月应上交" not in due_lines("union", BANK, Decimal(0), Decimal(0))
    assert due_lines("weihai", BANK, Decimal("280.00"), Decimal(0))["收追回多付款"] == [
        "1",
        "280.00",
    ]


def test_an_account_is_added_up_from_the_banks_lines() -> None:
    lines = [
        {"交易类型": "代发", "金额": "100.00", "批次号": "1"},
        {"交易类型": "代发", "金额": "50.00", "批次号": "2"},
        {"交易类型": "退票", "金额": "50.00", "批次号": "2"},
        {"交易类型": "存入", "金额": "7.00", "批次号": ""},
        {"交易类型": "手续费", "金额": "1.00", "批次号": ""},
    ]
    book = [
        {"status": status, "batch": batch}
        for status, batch in (
            ("booked", "1"),
            ("refused", "1"),
            ("booked", "2"),
            ("returned", "2"),
            ("booked", "of another account"),
        )
    ]
    found = added_up("906.00", lines, book)
    assert (found.net, found.payouts, found.returns) == (Decimal("-94.00"), 2, 1)


def test_the_accounts_of_the_demo_are_those_of_a_development_installation() -> None:
    theirs = read_funds()
    assert {fund.fund_id: fund.account for fund in theirs.funds} == accounts.ACCOUNTS
    assert {fund.fund_id: fund.name for fund in theirs.funds} == accounts.NAMES
    plans = {scheme_id for scheme_id, _ in PlansData.now().dues}
    assert {plan: theirs.paying(plan).fund_id for plan in plans} == {
        plan: fund_of(plan) for plan in plans
    }
    assert {one.fund_id for one in ANNOUNCED} <= {fund.fund_id for fund in FUNDS}
    assert sum(due_by_fund(PlansData.now().dues).values()) == Decimal("48560.00")


def test_one_payout_of_the_demo_needs_two_people() -> None:
    payee = large.large_payee(Dataset(DEMO_DIR))
    assert Decimal(payee.amount) >= large.FROM_YUAN
    told = large.tiers(large.FROM_YUAN)["payments"]["PAYMENTS_APPROVAL_TIERS"]
    assert told == '[{"from_yuan": 83000, "makers": 1, "checkers": 1}]'
    assert Tier(from_yuan=large.FROM_YUAN, makers=1) == Tier.model_validate_json(told[1:-1])


def _line(status: str, amount: str, number: str) -> dict[str, Any]:
    return {
        "status": status,
        "amount": amount,
        "instruction_id": number,
        "account": "62",
        "batch": "1",
    }


def _books(**payments: int) -> dict[str, Any]:
    ledger = {"bank": 950_00, "fund": -1_000_00, "benefit_expense": 50_00}
    told = {"granted_fen": 50_00, "paid_fen": 50_00, "open_fen": 0, "to_recover_fen": 0, **payments}
    return {"payments": {**told, "ledger": ledger}, "claims": {"granted_fen": 50_00}}


def test_what_the_bank_gave_back_is_paid_no_longer() -> None:
    lines = [_line("booked", "50.00", "a"), _line("booked", "50.00", "b")]
    given_back = [*lines, _line("returned", "50.00", "a")]
    assert all(check.ok for check in books.check_money(_books(), given_back, 50_00))
    assert not all(check.ok for check in books.check_money(_books(), lines, 50_00))
    repaid = {"paid_fen": 30_00, "to_recover_fen": -20_00}
    found = books.check_money(_books(**repaid), given_back, 50_00, repaid_fen=20_00)
    assert all(check.ok for check in found)


def test_a_return_is_three_texts_more() -> None:
    quiet: dict[str, Any] = {
        name: {"events_pending": 0} for name in ("enrollment", "claims", "payments", "notify")
    }
    quiet["claims"]["grants"] = 1
    quiet["payments"] |= {"payouts_by_state": {"paid": 1}, "payouts_queued": 0, "batches_open": 0}
    quiet["notify"] |= {"messages_by_state": {"sent": 4}, "dispatches_open": 0}
    assert books.is_quiet(quiet, refused_attempts=0, returned=1)
    assert not books.is_quiet(quiet, refused_attempts=0)


def test_what_finance_is_shown_has_words() -> None:
    shown = {BatchState.AWAITING_APPROVAL, BatchState.FIXED, BatchState.VOIDED, BatchState.CLOSED}
    shown_of_payouts = {PayoutState.PAID, PayoutState.REFUSED, PayoutState.RETURNED}
    assert shown | shown_of_payouts <= words.STATES.keys()
    assert {one.kind for one in ANNOUNCED} | {"handed_up", "allotted"} <= words.ACCOUNTS.keys()
