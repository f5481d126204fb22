"""Members sign in by WeChat or by a text's code, and see what is their own."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest

from deploy.clients.member import Member
from services.common.ids import new_id
from services.common.kit import clock
from tests.gateway.conftest import MakeHouse
from tests.gateway.house import House

MEMBER, OTHER = new_id(), new_id()
PHONE = "13800138000"
CLAIM, PAYOUT = str(new_id()), str(new_id())


@pytest.fixture
def known(house: House) -> House:
    _know(house, [MEMBER])
    return house


def _know(house: House, members: list[UUID]) -> None:
    found = {"member_ids": [str(one) for one in members]}
    house.fakes["enrollment"].says("POST", "/members/by-phone", found)
    house.fakes["notify"].says("POST", "/codes", None, 202)


async def _sent_code(house: House, member: Member, phone: str = PHONE) -> str:
    """Ask for a code and read it off the text, as the member would."""
    await member.ask_code(phone)
    await asyncio.gather(*house.parts.errands)
    call = [one for one in house.fakes["notify"].calls if one.path == "/codes"][-1]
    return str(json.loads(call.body)["code"])


async def _signed_in(house: House, member_id: UUID = MEMBER) -> Member:
    _know(house, [member_id])
    member = Member(house.client())
    await member.by_code(PHONE, await _sent_code(house, member))
    return member


async def test_a_text_code_signs_in_once(known: House) -> None:
    member = Member(known.client())
    code = await _sent_code(known, member)
    await member.by_code(PHONE, code)
    again = await known.client().post("/api/v1/auth/sms", json={"phone": PHONE, "code": code})
    assert (again.status_code, again.json()["code"]) == (401, "CODE_REFUSED")
    known.fakes["enrollment"].says("GET", f"/members/{MEMBER}", {"member_id": str(MEMBER)})
    assert (await member.client.get("/api/v1/me")).json()["member_id"] == str(MEMBER)


async def test_an_unknown_phone_gets_the_same_answer_and_no_text(house: House) -> None:
    answers: list[str] = []
    for members in ([MEMBER], []):
        _know(house, members)
        answer = await house.client().post("/api/v1/auth/sms-code", json={"phone": PHONE})
        answers.append(f"{answer.status_code} {answer.text}")
        await asyncio.gather(*house.parts.errands)
    assert answers[0] == answers[1]
    assert answers[0].startswith("202")
    assert len(house.fakes["notify"].calls) == 1
    wrong = await house.client().post("/api/v1/auth/sms", json={"phone": PHONE, "code": "123456"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "CODE_REFUSED")


async def test_guesses_use_up_the_code(known: House) -> None:
    member, client = Member(known.client()), known.client()
    code = await _sent_code(known, member)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(known.settings.login_code_tries_max):
        await client.post("/api/v1/auth/sms", json={"phone": PHONE, "code": wrong})
    answer = await client.post("/api/v1/auth/sms", json={"phone": PHONE, "code": code})
    assert answer.status_code == 401


async def test_a_code_lives_five_minutes(known: House) -> None:
    with clock.set_to(clock.now()) as hands:
        member = Member(known.client())
        code = await _sent_code(known, member)
        hands.advance(timedelta(seconds=known.settings.login_code_s + 1))
        answer = await known.client().post("/api/v1/auth/sms", json={"phone": PHONE, "code": code})
    assert answer.status_code == 401


async def test_neither_phone_nor_code_is_stored(known: House) -> None:
    code = await _sent_code(known, Member(known.client()))
    async with known.database.begin() as unit:
        stored = await unit.fetchval("select c::text from login_code c")
    assert PHONE not in stored
    assert code not in stored


async def test_codes_to_one_phone_are_spaced_out(strict_house: House) -> None:
    _know(strict_house, [MEMBER])
    for _ in range(3):
        await Member(strict_house.client()).ask_code(PHONE)
        await asyncio.gather(*strict_house.parts.errands)
    assert len(strict_house.fakes["notify"].calls) == 1


async def test_a_phone_of_several_members_signs_nobody_in_and_tells_only_its_owner(
    house: House,
) -> None:
    _know(house, [MEMBER, OTHER])
    member = Member(house.client())
    code = await _sent_code(house, member)
    wrong = "000000" if code != "000000" else "111111"
    answers = [
        await house.client().post("/api/v1/auth/sms", json={"phone": PHONE, "code": one})
        for one in (wrong, code)
    ]
    assert [answer.json()["code"] for answer in answers] == ["CODE_REFUSED", "PHONE_NOT_UNIQUE"]
    assert [answer.status_code for answer in answers] == [401, 409]


async def _wechat_code(house: House, openid: str) -> str:
    code = f"code-{new_id()}"
    await house.wechat.post("/wechat/codes", json=[{"code": code, "openid": openid}])
    return code


async def test_wechat_signs_in_after_the_phone_was_proved_once(known: House) -> None:
    member = Member(known.client())
    assert not await member.by_wechat(await _wechat_code(known, "openid-1"))
    await member.by_code(PHONE, await _sent_code(known, member))
    again = Member(known.client())
    assert await again.by_wechat(await _wechat_code(known, "openid-1"))
    assert not await Member(known.client()).by_wechat(await _wechat_code(known, "openid-2"))


async def test_an_unbound_account_is_told_so_in_a_problem(house: House) -> None:
    code = await _wechat_code(house, "openid-1")
    answer = await house.client().post("/api/v1/auth/wechat", json={"code": code})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "PHONE_PROOF_NEEDED"
    assert answer.json()["bind_ticket"]
    assert "session_key" not in answer.text
    assert "openid" not in answer.text


async def test_a_wechat_code_is_good_once(house: House) -> None:
    code = await _wechat_code(house, "openid-1")
    client = house.client()
    await client.post("/api/v1/auth/wechat", json={"code": code})
    answer = await client.post("/api/v1/auth/wechat", json={"code": code})
    assert (answer.status_code, answer.json()["code"]) == (401, "WECHAT_CODE_REFUSED")


async def test_a_bind_ticket_is_good_once(known: House) -> None:
    first, second = Member(known.client()), Member(known.client())
    await first.by_wechat(await _wechat_code(known, "openid-1"))
    second.bind_ticket = first.bind_ticket
    await first.by_code(PHONE, await _sent_code(known, first))
    told = {"phone": PHONE, "code": await _sent_code(known, second)}
    answer = await second.client.post(
        "/api/v1/auth/sms", json=told | {"bind_ticket": second.bind_ticket}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "BIND_TICKET_REFUSED")


async def _tokens(house: House) -> dict[str, str]:
    code = await _sent_code(house, Member(house.client()))
    answer = await house.client().post("/api/v1/auth/sms", json={"phone": PHONE, "code": code})
    return answer.json()


async def test_refreshing_turns_the_token_over(known: House) -> None:
    client, tokens = known.client(), await _tokens(known)
    asked = {"refresh_token": tokens["refresh_token"]}
    fresh = (await client.post("/api/v1/auth/refresh", json=asked)).json()
    assert fresh["refresh_token"] != tokens["refresh_token"]
    known.fakes["enrollment"].says("GET", f"/members/{MEMBER}", {"member_id": str(MEMBER)})
    bearer = {"authorization": f"Bearer {fresh['access_token']}"}
    assert (await client.get("/api/v1/me", headers=bearer)).status_code == 200


async def test_a_refresh_token_used_twice_ends_the_whole_family(known: House) -> None:
    client, tokens = known.client(), await _tokens(known)
    asked = {"refresh_token": tokens["refresh_token"]}
    fresh = (await client.post("/api/v1/auth/refresh", json=asked)).json()
    stolen = await client.post("/api/v1/auth/refresh", json=asked)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "REFRESH_REFUSED")
    asked = {"refresh_token": fresh["refresh_token"]}
    assert (await client.post("/api/v1/auth/refresh", json=asked)).status_code == 401
    bearer = {"authorization": f"Bearer {fresh['access_token']}"}
    assert (await client.get("/api/v1/me", headers=bearer)).status_code == 401
    assert await known.count("member_token") == 0


async def test_a_refresh_token_is_no_access_token(known: House) -> None:
    tokens = await _tokens(known)
    bearer = {"authorization": f"Bearer {tokens['refresh_token']}"}
    assert (await known.client().get("/api/v1/me", headers=bearer)).status_code == 401


async def test_access_ends_after_its_minutes(known: House) -> None:
    with clock.set_to(clock.now()) as hands:
        member = await _signed_in(known)
        hands.advance(timedelta(seconds=known.settings.access_token_s + 1))
        assert (await member.client.get("/api/v1/me")).status_code == 401


async def test_a_member_asks_for_their_own_and_nothing_else(known: House) -> None:
    member = await _signed_in(known)
    for path in ("/me", "/me/coverages", "/me/claims", "/me/payouts", "/me/messages"):
        await member.client.get(f"/api/v1{path}", params={"member_id": str(OTHER)})
    asked = [call for fake in known.fakes.values() for call in fake.calls if call.method == "GET"]
    assert len(asked) == 5
    for call in asked:
        assert str(call.caller.uuid) == str(MEMBER)
        assert str(MEMBER) in call.path + call.query.get("member_id", "")
        assert str(OTHER) not in call.path + str(call.query)


async def test_the_claim_of_another_is_not_there(known: House) -> None:
    member = await _signed_in(known)
    answer = await member.client.get(f"/api/v1/me/claims/{new_id()}")
    assert answer.status_code == 404


async def test_a_claim_is_told_with_its_reason_and_its_whole_story(known: House) -> None:
    why = {
        "step": "share",
        "clause": "6.1",
        "source": "plan-2018",
        "quote": "按比例",
        "since": "2018-01-01",
        "amount_in": "100.00",
        "amount_out": "50.00",
        "text": "一半。 half of it",
        "text_zh": "一半。",
        "text_en": "half of it",
    }
    known.fakes["claims"].says(
        "GET",
        f"/members/{MEMBER}/claims/{CLAIM}",
        {
            "claim_id": CLAIM,
            "setl_id": "S1",
            "status": "settled",
            "benefit": "50.00",
            "why": [why],
            "timeline": [{"at": "2026-03-02T04:00:00Z", "what": "received"}],
            "grant_ids": [str(new_id())],
        },
    )
    payout = {
        "payout_id": PAYOUT,
        "claim_id": CLAIM,
        "amount": "50.00",
        "status": "paid",
        "timeline": [{"at": "2026-03-02T04:02:00Z", "what": "paid"}],
    }
    payouts = {"payouts": [payout], "next_cursor": None}
    known.fakes["payments"].says("GET", "/payouts", payouts)
    text = {"message_id": str(new_id()), "template": "paid", "status": "sent", "text": "您好"}
    texts = [
        text | {"sent_at": "2026-03-02T04:03:00Z", "source_id": PAYOUT},
        text | {"sent_at": "2026-03-02T04:01:00Z", "source_id": str(new_id())},
    ]
    known.fakes["notify"].says("GET", "/messages", {"messages": texts, "next_cursor": None})
    member = await _signed_in(known)
    told = (await member.client.get(f"/api/v1/me/claims/{CLAIM}")).json()
    assert told["why"] == [why]
    assert [moment["what"] for moment in told["timeline"]] == ["received", "paid", "text_sent paid"]
    assert "grant_ids" not in told


async def test_members_are_bounded_one_by_one(make_house: MakeHouse) -> None:
    house = await make_house(member_requests_per_s=1, limit_burst_s=1)
    member, other = await _signed_in(house), await _signed_in(house, OTHER)
    statuses = [(await member.client.get("/api/v1/me")).status_code for _ in range(2)]
    assert statuses == [404, 429]
    assert (await other.client.get("/api/v1/me")).status_code == 404
