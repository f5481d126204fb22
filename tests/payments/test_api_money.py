"""What finance enters and sees of the money on the accounts, and who else does not."""

import csv
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.common.ids import new_id
from services.common.kit import auth, clock
from services.common.kit.auth import Caller
from services.payments.model.ledger import Account
from services.payments.usecases.days import close_days
from services.payments.usecases.desk import Desk
from services.payments.usecases.reconciliation import reconcile
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver
from tests.payments.reconciliation.account import BankAccount
from tests.payments.steps import pay_out

Ask = Callable[..., Awaitable[httpx.Response]]
NewMember = Callable[..., Member]

MAKER = auth.staff(new_id(), "finance_maker")
CHECKER = auth.staff(new_id(), "finance_checker")
AUDITOR = auth.staff(new_id(), "auditor")
OFFICER = auth.staff(new_id(), "filing_officer", "BJ-0001")
MEMBER = auth.member(new_id())
LATELY = [(clock.today() + timedelta(days=days)).isoformat() for days in (-30, 1)]
SPAN = dict(zip(("from", "to"), LATELY, strict=True))
YEARS_AGO = {"from": "2020-11-01", "to": "2020-11-30"}
EXPECTED = {
    "fund_id": "union",
    "kind": "member_contributions",
    "amount": "4500.00",
    "reference": "bj-2026-0001",
    "unit_code": "BJ-0001",
}


@pytest.fixture
def ask(api: httpx.AsyncClient) -> Ask:
    async def send(
        method: str, path: str, caller: Caller, told: object = None, **params: object
    ) -> httpx.Response:
        headers = {auth.CALLER_HEADER: caller.header()}
        url = httpx.URL(path).copy_merge_params(dict[str, Any](params))
        return await api.request(method, url, headers=headers, json=told)

    return send


@pytest.fixture
def account(bank: ToldBank, desk: Desk) -> BankAccount:
    bank.opening_fen = desk.settings.fund_opening_fen
    return BankAccount(bank)


async def test_what_a_maker_expects_comes_in_and_is_shown_as_come(
    ask: Ask, desk: Desk, account: BankAccount
) -> None:
    entered = await ask("POST", "/receipts", MAKER, {"receipts": [EXPECTED]})
    assert entered.status_code == 201
    [receipt_id] = entered.json()["receipt_ids"]
    waiting = (await ask("GET", "/receipts", AUDITOR, waiting=True)).json()["receipts"]
    assert [(one["receipt_id"], one["reference"]) for one in waiting] == [
        (receipt_id, "BJ-2026-0001")
    ]
    account.deposit(2_000_00, remark="BJ-2026-0001 第一笔")
    account.deposit(2_500_00, remark="BJ-2026-0001 第二笔")
    await reconcile(desk)
    [shown] = (await ask("GET", "/receipts", CHECKER, fund="union")).json()["receipts"]
    assert (shown["amount"], shown["direction"], shown["matched"]) == ("4500.00", "credit", True)
    assert (await ask("GET", "/receipts", AUDITOR, waiting=True)).json()["receipts"] == []
    assert (await ask("DELETE", f"/receipts/{receipt_id}", MAKER)).status_code == 404


async def test_receipts_are_entered_all_of_them_or_none(ask: Ask) -> None:
    second = {**EXPECTED, "reference": "BJ-2026-0002"}
    for wrong, code in (
        ({"amount": "4500.005"}, "BAD_AMOUNT"),
        ({"amount": "-1.00"}, "RECEIPT_UNUSABLE"),
        ({"fund_id": "nobody"}, "RECEIPT_UNUSABLE"),
        ({"reference": "x"}, "RECEIPT_UNUSABLE"),
        ({"reference": "bj-2026-0002 "}, "REFERENCE_TAKEN"),
    ):
        told = {"receipts": [second, {**EXPECTED, **wrong}]}
        assert (await ask("POST", "/receipts", MAKER, told)).json()["code"] == code
        assert (await ask("GET", "/receipts", AUDITOR)).json()["receipts"] == []


async def test_what_is_expected_no_longer_is_dropped_by_a_maker_alone(ask: Ask) -> None:
    entered = await ask("POST", "/receipts", MAKER, {"receipts": [EXPECTED]})
    [receipt_id] = entered.json()["receipt_ids"]
    assert (await ask("DELETE", f"/receipts/{receipt_id}", CHECKER)).status_code == 403
    assert (await ask("DELETE", f"/receipts/{receipt_id}", MAKER)).status_code == 204
    assert (await ask("GET", "/receipts", AUDITOR)).json()["receipts"] == []


async def test_a_deposit_of_a_stranger_is_an_open_line_with_its_party_masked(
    ask: Ask, desk: Desk, account: BankAccount
) -> None:
    account.deposit(280_00, remark="还款", party="马兰芝")
    await reconcile(desk)
    answer = await ask("GET", "/statement-lines", AUDITOR, fund="union")
    [line] = answer.json()["lines"]
    assert (line["status"], line["reason"]) == ("exception", "UNEXPECTED_DEPOSIT")
    assert (line["amount"], line["party"], line["party_account_tail"]) == ("280.00", "马*", "2222")
    assert "马兰芝" not in answer.text
    day = clock.today().isoformat()
    assert len((await ask("GET", "/statement-lines", AUDITOR, day=day)).json()["lines"]) == 1
    assert (await ask("GET", "/statement-lines", AUDITOR, fund="other")).json()["lines"] == []


async def test_bank_and_book_of_a_day_stand_side_by_side(
    ask: Ask, desk: Desk, account: BankAccount
) -> None:
    account.deposit(280_00, remark="还款", party="马兰芝")
    await reconcile(desk)
    today = clock.today().isoformat()
    asked = {"fund": "union", "from": today, "to": today}
    [day] = (await ask("GET", "/reconciliation", AUDITOR, **asked)).json()["days"]
    assert (day["day"], day["bank"], day["agrees"]) == (today, None, None)
    assert day["book"] == "10000000000.00"
    assert day["bank_only"] == {"number": 1, "money_in": "280.00", "money_out": "0.00"}
    assert day["book_only"] == {"number": 0, "money_in": "0.00", "money_out": "0.00"}


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-23", "2026-11-22"), ("2025-11-22", "2026-11-23")]
)
async def test_a_span_backwards_or_above_a_year_is_refused(ask: Ask, first: str, last: str) -> None:
    asked = {"fund": "union", "from": first, "to": last}
    answer = await ask("GET", "/reconciliation", AUDITOR, **asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "BAD_SPAN")


@pytest.mark.parametrize("caller", [OFFICER, MEMBER, auth.service("gateway")])
async def test_the_accounts_are_shown_to_finance_and_audit_alone(ask: Ask, caller: Caller) -> None:
    for path in ("/receipts", "/statement-lines", "/reconciliation"):
        assert (await ask("GET", path, caller, fund="union", **SPAN)).status_code == 403, path


@pytest.mark.parametrize("caller", [CHECKER, AUDITOR, OFFICER])
async def test_what_is_expected_is_entered_by_makers_alone(ask: Ask, caller: Caller) -> None:
    answer = await ask("POST", "/receipts", caller, {"receipts": [EXPECTED]})
    assert answer.status_code == 403


@pytest.fixture
async def paid(desk: Desk, bank: ToldBank, new_member: NewMember) -> Member:
    """Give a member whose one payout is paid; the day before the books begin is closed."""
    member = new_member("王小明", "BJ-0001")
    await deliver(desk, member.registered(), member.payee(), member.grant(129_34))
    await pay_out(desk, bank)
    await close_days(desk)
    return member


async def test_a_trial_balance_and_a_funds_statement_say_the_same(ask: Ask, paid: Member) -> None:
    assert paid
    told = (await ask("GET", "/reports/trial-balance", AUDITOR, fund="union", **SPAN)).json()
    assert told["debit"] == told["credit"]
    closing = sum(Decimal(row["closing"]) for row in told["rows"] if row["account"] == Account.BANK)
    statement = (await ask("GET", "/reports/funds/union", AUDITOR, **SPAN)).json()
    assert statement["closing"] == str(closing) == "9999999870.66"
    flows = {flow["account"]: (flow["entries"], flow["amount"]) for flow in statement["flows"]}
    assert flows[Account.PAYOUTS_IN_TRANSIT] == (1, "-129.34")
    other = await ask("GET", "/reports/trial-balance", AUDITOR, fund="other", **SPAN)
    assert other.json() == {"rows": [], "debit": "0.00", "credit": "0.00"}
    for path in ("/reports/funds/nobody", "/reconciliation?fund=nobody"):
        unknown = await ask("GET", path, AUDITOR, **SPAN)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_FUND")


async def test_a_months_page_comes_as_text_and_as_a_sheet(ask: Ask, paid: Member) -> None:
    assert paid
    month = f"{clock.today():%Y-%m}"
    page = await ask("GET", f"/reports/months/{month}.txt", AUDITOR)
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert month in page.text
    sheet = await ask("GET", f"/reports/months/{month}.pdf", AUDITOR)
    assert sheet.headers["content-type"] == "application/pdf"
    assert sheet.content.startswith(b"%PDF-")
    for name, status in (("2026-13", 422), ("1999-01", 422), ("2020-01", 404)):
        answer = await ask("GET", f"/reports/months/{name}.txt", AUDITOR)
        assert answer.status_code == status, name


async def test_closed_days_are_shown_with_their_roots(ask: Ask, paid: Member) -> None:
    assert paid
    [day] = (await ask("GET", "/ledger/days", AUDITOR, **SPAN)).json()["days"]
    assert day["day"] == (clock.today() - timedelta(days=1)).isoformat()
    assert (day["entries"], len(day["root"])) == (0, 64)
    assert (await ask("GET", "/ledger/days", AUDITOR, **YEARS_AGO)).json() == {"days": []}


async def test_a_units_list_is_for_its_own_officers_and_masked(ask: Ask, paid: Member) -> None:
    assert paid
    for caller in (OFFICER, AUDITOR):
        listed = await ask("GET", "/units/BJ-0001/payouts.csv", caller, **SPAN)
        assert listed.headers["content-type"] == "text/csv; charset=utf-8"
        [row] = csv.reader(listed.content.decode("utf-8-sig").splitlines()[1:])
        assert (row[0], row[3]) == ("王*", "129.34")
    stranger = auth.staff(new_id(), "filing_officer", "BJ-0002")
    for caller in (stranger, MEMBER):
        answer = await ask("GET", "/units/BJ-0001/payouts.csv", caller, **SPAN)
        assert answer.status_code == 403


async def test_a_slip_is_for_the_member_of_the_payout_alone(ask: Ask, paid: Member) -> None:
    own = auth.member(paid.member_id)
    [payout] = (await ask("GET", "/payouts", own, member_id=paid.member_id)).json()["payouts"]
    path = f"/members/{paid.member_id}/payouts/{payout['payout_id']}/slip.pdf"
    slip = await ask("GET", path, own)
    assert slip.content.startswith(b"%PDF-")
    assert (await ask("GET", path, MEMBER)).status_code == 404
    assert (await ask("GET", path, AUDITOR)).status_code == 403
    elsewhere = f"/members/{MEMBER.id}/payouts/{payout['payout_id']}/slip.pdf"
    assert (await ask("GET", elsewhere, MEMBER)).json()["code"] == "UNKNOWN_PAYOUT"


@pytest.mark.parametrize("caller", [OFFICER, MEMBER, auth.service("gateway")])
async def test_reports_are_shown_to_finance_and_audit_alone(ask: Ask, caller: Caller) -> None:
    for path in (
        "/reports/trial-balance",
        "/reports/funds/union",
        "/reports/months/2026-11.txt",
        "/reports/months/2026-11.pdf",
        "/ledger/days",
    ):
        assert (await ask("GET", path, caller, **SPAN)).status_code == 403, path


@pytest.mark.parametrize(
    "days",
    [("0001-01-01", "0001-01-02"), ("9999-12-30", "9999-12-31"), ("1999-12-31", "2000-01-01")],
)
async def test_a_span_that_no_books_can_have_is_refused(ask: Ask, days: tuple[str, str]) -> None:
    span = dict(zip(("from", "to"), days, strict=True))
    for path, told in (
        ("/units/BJ-0001/payouts.csv", span),
        ("/reconciliation", {"fund": "union", **span}),
        ("/reports/trial-balance", span),
    ):
        assert (await ask("GET", path, AUDITOR, **told)).json()["code"] == "BAD_SPAN"


async def test_what_no_database_keeps_is_refused_and_not_failed_at(ask: Ask) -> None:
    settle = {"kind": "void_line", "line_id": str(new_id())}
    letter = {
        "kind": "letter",
        "payout_id": str(new_id()),
        "attempt_no": 1,
        "outcome": "paid",
        "day": "2026-11-22",
        "bank_serial": "S\x00",
    }
    to_recovery = {"to": "recovery", "member_id": str(new_id()), "scheme_id": "bj\x00"}
    attach = {"kind": "attach", "line_ids": [str(new_id())], "target": to_recovery}
    unit = {**EXPECTED, "unit_code": "BJ\x00"}
    for path, told in (
        ("/acts", {"act": settle, "reason": "by letter\x00"}),
        ("/acts", {"act": letter, "reason": "by letter"}),
        ("/acts", {"act": attach, "reason": "by letter"}),
        ("/receipts", {"receipts": [unit]}),
    ):
        answer = await ask("POST", path, MAKER, told)
        assert answer.status_code == 422, answer.json()
