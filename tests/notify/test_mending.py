"""The codes that mend a card: sent with the text, good a while, and for one success."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta

import httpx
import pytest

from services.common.contracts.payments import PayoutRefused
from services.common.ids import new_id
from services.common.kit import auth, clock
from services.notify.errors import MendCodeUnknown
from services.notify.usecases.mending import Mending
from tests.notify.conftest import NotifyDesk, Person

GATEWAY = {"x-caller": auth.service("gateway").header()}


@pytest.fixture
def mending(notify: NotifyDesk) -> Mending:
    return notify.office.door.mending


@pytest.fixture
async def client(notify: NotifyDesk) -> AsyncGenerator[httpx.AsyncClient]:
    bearer = {"authorization": f"Bearer {auth.internal_token(notify.settings)}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(notify.app), base_url="http://notify", headers=bearer
    ) as opened:
        yield opened


async def _told(notify: NotifyDesk, person: Person, refused: PayoutRefused) -> str:
    """Tell a member of a refusal and read the code off the text."""
    await notify.hear(*person.introduction(), notify.officers(), refused)
    await notify.send_due()
    return notify.code_in(notify.texts(person.phone)[-1]["content"])


async def _is_good(mending: Mending, code: str) -> bool:
    try:
        await mending.try_code(code)
    except MendCodeUnknown:
        return False
    await mending.give_back(code)
    return True


async def test_a_code_stands_for_the_card_that_was_refused_and_is_used_once(
    notify: NotifyDesk, client: httpx.AsyncClient
) -> None:
    person = notify.person()
    code = await _told(notify, person, person.refused("ACCOUNT_CLOSED", actor="member"))
    asked = {"code": f"{code[:5]}-{code[5:].lower()}"}
    answer = await client.post("/mend-codes/try", json=asked, headers=GATEWAY)
    assert answer.json() == {
        "member_id": str(person.member_id),
        "payee_version": 1,
        "amount": "88.00",
        "reason": "账户已销户",
    }
    statuses = [
        (await client.post(f"/mend-codes/{act}", json=asked, headers=GATEWAY)).status_code
        for act in ("give-back", "use", "use", "try")
    ]
    assert statuses == [204, 204, 404, 404]


async def test_of_two_uses_at_once_one_is_the_first(notify: NotifyDesk, mending: Mending) -> None:
    person = notify.person()
    code = await _told(notify, person, person.refused())
    ends = await asyncio.gather(*(mending.use(code) for _ in range(5)), return_exceptions=True)
    assert sum(end is None for end in ends) == 1


async def test_tries_that_are_not_given_back_end_a_code(
    notify: NotifyDesk, mending: Mending
) -> None:
    person = notify.person()
    code = await _told(notify, person, person.refused())
    for _ in range(20):
        assert await _is_good(mending, code)
    tries = [mending.try_code(code) for _ in range(20)]
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(end, MendCodeUnknown) for end in ends) == 15
    assert not await _is_good(mending, code)


async def test_a_code_ages_from_when_its_text_may_go(notify: NotifyDesk, mending: Mending) -> None:
    person = notify.person()
    with clock.set_to(clock.now()) as hands:
        await notify.hear(person.refused(), person.registered(), person.payee())
        assert await notify.fetch("select from mend_code") == []
        hands.advance(timedelta(days=30))
        await notify.hear(person.contact(), person.contact())
        [row] = await notify.fetch("select message_id, expires_at from mend_code")
        assert row["expires_at"] == clock.now() + timedelta(days=7)
        [material] = await notify.fetch(
            "select payout_id, attempt_no from message where message_id = $1", row["message_id"]
        )
        code = mending.codes.of(material["payout_id"], material["attempt_no"])
        hands.advance(timedelta(days=7) - timedelta(seconds=1))
        assert await _is_good(mending, code)
        hands.advance(timedelta(seconds=1))
        assert not await _is_good(mending, code)


async def test_history_told_again_makes_no_code_young_or_unused(
    notify: NotifyDesk, mending: Mending
) -> None:
    person = notify.person()
    refused = person.refused()
    code = await _told(notify, person, refused)
    await mending.use(code)
    with clock.set_to(clock.now() + timedelta(days=1)):
        await notify.hear(*person.introduction(), refused, refused)
        assert not await _is_good(mending, code)


async def test_a_paid_payout_has_no_code(notify: NotifyDesk) -> None:
    person = notify.person()
    await notify.hear(*person.introduction(), person.paid())
    assert await notify.fetch("select from mend_code") == []


@pytest.mark.parametrize("act", ["try", "give-back", "use"])
async def test_a_code_that_was_never_sent_is_unknown_whatever_it_looks_like(
    client: httpx.AsyncClient, act: str
) -> None:
    for typed in ("0123456789", "abc", "更正码"):
        asked = {"code": typed}
        answer = await client.post(f"/mend-codes/{act}", json=asked, headers=GATEWAY)
        if act != "give-back" or typed != "0123456789":
            assert (answer.status_code, answer.json()["code"]) == (404, "MEND_CODE_UNKNOWN")


@pytest.mark.parametrize("act", ["try", "give-back", "use"])
async def test_only_the_gateway_asks_about_codes(client: httpx.AsyncClient, act: str) -> None:
    for caller in (auth.member(new_id()), auth.staff(new_id(), "admin"), auth.service("claims")):
        headers = {"x-caller": caller.header()}
        answer = await client.post(
            f"/mend-codes/{act}", json={"code": "0123456789"}, headers=headers
        )
        assert answer.status_code == 403


async def test_another_process_of_the_installation_reads_the_same_codes(
    make_desk: Callable[..., NotifyDesk],
) -> None:
    one, other = make_desk(), make_desk()
    person = one.person()
    code = await _told(one, person, person.refused())
    assert await _is_good(other.office.door.mending, code)
