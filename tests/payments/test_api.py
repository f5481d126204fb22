"""What payments shows, to whom, and what it keeps to itself."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from services.common.ids import new_id
from services.common.kit import auth
from services.common.kit.auth import Caller
from services.payments.model.ledger import Account
from services.payments.usecases.desk import Desk
from tests.payments.bank import ToldBank
from tests.payments.people import CARD, Member, deliver
from tests.payments.steps import cut, pay_out, refuse_all, send

NewMember = Callable[..., Member]
Ask = Callable[..., Awaitable[httpx.Response]]

FINANCE = auth.staff(new_id(), "finance_maker")
OFFICER = auth.staff(new_id(), "filing_officer", "BJ-0001")
STRANGER = auth.staff(new_id(), "filing_officer", "BJ-0002")
GATEWAY = auth.service("gateway")


@pytest.fixture
def ask(api: httpx.AsyncClient) -> Ask:
    async def get(path: str, caller: Caller, **params: object) -> httpx.Response:
        told = {auth.CALLER_HEADER: caller.header()}
        return await api.get(path, headers=told, params=dict[str, Any](params))

    return get


@pytest.fixture
async def member(desk: Desk, new_member: NewMember) -> Member:
    member = new_member("王小明", "BJ-0001")
    await deliver(desk, member.registered(), member.payee(), member.grant(129_34))
    return member


async def test_a_member_sees_the_story_of_a_payout_and_only_their_own(
    desk: Desk, bank: ToldBank, member: Member, new_member: NewMember, ask: Ask
) -> None:
    await cut(desk)
    await send(desk)
    await refuse_all(desk, bank)
    await deliver(desk, member.payee(2, card="6222021000112345672"))
    await pay_out(desk, bank)
    answer = await ask("/payouts", auth.member(member.member_id), member_id=member.member_id)
    [payout] = answer.json()["payouts"]
    assert payout["amount"] == "129.34"
    assert payout["status"] == "paid"
    assert payout["card_tail"] == "5672"
    assert payout["paid_on"] == "2026-11-22"
    told = [moment["what"] for moment in payout["timeline"]]
    assert told == ["created", "batched", "refused", "batched", "paid"]
    other = auth.member(new_member().member_id)
    assert (await ask("/payouts", other, member_id=member.member_id)).status_code == 404


async def test_an_officer_sees_their_own_units_members_and_refusals_masked(
    desk: Desk, bank: ToldBank, member: Member, ask: Ask
) -> None:
    await cut(desk)
    await send(desk)
    await refuse_all(desk, bank)
    answer = await ask("/refused-payouts", OFFICER)
    [refused] = answer.json()["payouts"]
    assert refused["name"] == "王*"
    assert refused["card_tail"] == CARD[-4:]
    assert (refused["reason"], refused["actor"]) == ("NAME_DIFFERS", "unit")
    assert (refused["unit_code"], refused["amount"]) == ("BJ-0001", "129.34")
    assert "小明" not in answer.text
    assert CARD not in answer.text
    assert (await ask("/refused-payouts", STRANGER)).json()["payouts"] == []
    assert (await ask("/refused-payouts", STRANGER, unit="BJ-0001")).status_code == 403
    assert (await ask("/payouts", OFFICER, member_id=member.member_id)).status_code == 200
    refusal = await ask("/payouts", STRANGER, member_id=member.member_id)
    assert (refusal.status_code, refusal.json()["code"]) == (404, "UNKNOWN_MEMBER")
    hospital = auth.hospital("H1100001")
    assert (await ask("/payouts", hospital, member_id=member.member_id)).status_code == 403
    assert (await ask("/refused-payouts", hospital)).status_code == 403


async def test_benefits_are_told_per_scheme_and_year(
    desk: Desk, bank: ToldBank, member: Member, ask: Ask
) -> None:
    await pay_out(desk, bank)
    await deliver(desk, member.grant(-29_34), member.grant(10_00, scheme_id="wh.medical"))
    path = f"/members/{member.member_id}/benefits"
    assert (await ask(path, FINANCE)).json() == {
        "granted": "110.00",
        "paid": "129.34",
        "to_recover": "29.34",
    }
    told = await ask(path, FINANCE, scheme="bj.mutual", year=2018)
    assert told.json() == {"granted": "100.00", "paid": "129.34", "to_recover": "29.34"}
    nothing = {"granted": "0.00", "paid": "0.00", "to_recover": "0.00"}
    assert (await ask(path, FINANCE, year=2017)).json() == nothing
    unknown = await ask(f"/members/{new_id()}/benefits", FINANCE)
    assert unknown.json() == nothing


async def test_pages_follow_one_another_without_gap_or_repeat(
    desk: Desk, member: Member, ask: Ask
) -> None:
    for _ in range(3):
        await deliver(desk, *(member.grant(1_00) for _ in range(desk.settings.page_rows)))
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await ask("/payouts", FINANCE, member_id=member.member_id, **cursor)).json()
        seen += [payout["payout_id"] for payout in page["payouts"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == len(set(seen)) == 3 * desk.settings.page_rows + 1
    bad = await ask("/payouts", FINANCE, member_id=member.member_id, cursor="nonsense")
    assert (bad.status_code, bad.json()["code"]) == (422, "UNKNOWN_CURSOR")


async def test_batches_are_shown_with_their_sums_to_finance_alone(
    desk: Desk, bank: ToldBank, member: Member, ask: Ask
) -> None:
    await pay_out(desk, bank)
    [batch] = (await ask("/batches", FINANCE)).json()["batches"]
    assert (batch["status"], batch["lines"], batch["total"]) == ("closed", 1, "129.34")
    assert (batch["paid"], batch["refused"]) == ("129.34", "0.00")
    assert (await ask("/batches", OFFICER)).status_code == 403
    assert (await ask("/payouts", FINANCE, member_id=member.member_id, claim_id=new_id())).json()[
        "payouts"
    ] == []


async def test_the_books_are_one_flat_page_of_sums(
    desk: Desk, bank: ToldBank, member: Member, ask: Ask
) -> None:
    await pay_out(desk, bank)
    await deliver(desk, member.grant(70_00))
    books = (await ask("/books", GATEWAY)).json()
    opening = desk.settings.fund_opening_fen
    assert books == {
        "granted_fen": 199_34,
        "paid_fen": 129_34,
        "in_flight_fen": 0,
        "open_fen": 70_00,
        "to_recover_fen": 0,
        "ledger": dict.fromkeys(Account, 0)
        | {
            "fund": -opening,
            "bank": opening - 129_34,
            "benefit_expense": 199_34,
            "benefits_payable": -70_00,
        },
        "payouts_by_state": {"paid": 1, "ready": 1},
        "payouts_queued": 1,
        "batches_open": 0,
        "bank_exceptions": 0,
        "payouts_in_doubt": 0,
        "payouts_held": 0,
        "funds_low": 0,
        "events_pending": 1,
        "dead_letters": 0,
    }
    assert (await ask("/books", auth.member(member.member_id))).status_code == 403
