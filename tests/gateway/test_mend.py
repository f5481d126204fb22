"""A card is mended by the code of a text and the end of the identity number, without signing in."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.limits import PREFIX
from services.common.ids import new_id
from services.common.kit import problems
from tests.gateway.conftest import MakeHouse
from tests.gateway.house import House

MEMBER = new_id()
CODE, TAIL, CARD = "7ZQ4M01RTV", "002X", "6217000000000009999"
LOOK, MEND = f"{PREFIX}/mend/look", f"{PREFIX}/mend"
PROOF, PAYEE = f"/members/{MEMBER}/proof", f"/members/{MEMBER}/payee"
ASKED = {"code": CODE, "id_tail": TAIL}
MENDED = {**ASKED, "card_number": CARD, "card_bank": "工商银行"}

Refusal = Callable[[House], None]


@pytest.fixture
def told(house: House) -> House:
    _tell(house)
    return house


def _tell(house: House) -> None:
    """Let the services know one code, one member and one card, which is version 1."""
    notify, enrollment = house.fakes["notify"], house.fakes["enrollment"]
    stands_for = {
        "member_id": str(MEMBER),
        "payee_version": 1,
        "amount": "88.00",
        "reason": "账户已销户",
    }
    notify.says("POST", "/mend-codes/try", stands_for)
    notify.says("POST", "/mend-codes/give-back", {})
    notify.says("POST", "/mend-codes/use", {})
    enrollment.says(
        "POST",
        PROOF,
        {"member_id": str(MEMBER), "name": "张*", "card_tail": "0018", "payee_version": 1},
    )
    taken = {"member_id": str(MEMBER), "payee_version": 2, "card_tail": CARD[-4:]}
    enrollment.says("PUT", PAYEE, taken)


async def _ask(house: House, path: str, asked: dict[str, Any]) -> httpx.Response:
    return await house.client().post(path, json=asked)


def _paths(house: House, name: str) -> list[str]:
    return [call.path for call in house.fakes[name].calls]


async def test_who_proves_the_number_is_shown_what_did_not_arrive(told: House) -> None:
    answer = await _ask(told, LOOK, ASKED)
    assert (answer.status_code, answer.json()) == (
        200,
        {"name": "张*", "card_tail": "0018", "reason": "账户已销户", "amount": "88.00"},
    )
    assert _paths(told, "notify") == ["/mend-codes/try", "/mend-codes/give-back"]
    [proof] = told.fakes["enrollment"].calls
    assert (json.loads(proof.body), proof.caller.kind) == ({"id_tail": TAIL}, "service")


async def test_a_card_is_taken_as_the_members_own_act_and_then_the_code_is_used_up(
    told: House,
) -> None:
    answer = await _ask(told, MEND, MENDED)
    assert (answer.status_code, answer.json()) == (200, {"card_tail": "9999"})
    [_, taken] = told.fakes["enrollment"].calls
    assert (taken.caller.kind, taken.caller.id) == ("member", str(MEMBER))
    assert json.loads(taken.body) == {
        "card_number": CARD,
        "card_bank": "工商银行",
        "instead_of": 1,
    }
    assert _paths(told, "notify")[-1] == "/mend-codes/use"


def _unknown_code(house: House) -> None:
    house.fakes["notify"].refuses("POST", "/mend-codes/try", 404, "MEND_CODE_UNKNOWN")


def _wrong_tail(house: House) -> None:
    house.fakes["enrollment"].refuses("POST", PROOF, 404, "ID_TAIL_DIFFERS")


def _member_gone(house: House) -> None:
    house.fakes["enrollment"].refuses("POST", PROOF, 404, "UNKNOWN_MEMBER")


def _other_card_since(house: House) -> None:
    proved = {"name": "张*", "card_tail": "7777", "payee_version": 3}
    house.fakes["enrollment"].says("POST", PROOF, proved)
    house.fakes["enrollment"].refuses("PUT", PAYEE, 409, "PAYEE_MOVED")


def _used_meanwhile(house: House) -> None:
    _other_card_since(house)
    taken = {"payee_version": 2, "card_tail": CARD[-4:]}
    house.fakes["enrollment"].says("PUT", PAYEE, taken)
    house.fakes["notify"].refuses("POST", "/mend-codes/use", 404, "MEND_CODE_UNKNOWN")


REFUSALS = (_unknown_code, _wrong_tail, _member_gone, _other_card_since, _used_meanwhile)


async def test_whatever_is_wrong_the_answer_is_the_same(house: House) -> None:
    answers: set[tuple[int, str]] = set()
    for refusal in REFUSALS:
        for path, asked in ((LOOK, ASKED), (MEND, MENDED)):
            _tell(house)
            refusal(house)
            answer = await _ask(house, path, asked)
            answers.add((answer.status_code, answer.text))
    [(status, text)] = answers
    assert (status, json.loads(text)["code"]) == (404, "MEND_CODE_UNKNOWN")
    assert CARD not in text


@pytest.mark.parametrize(("path", "asked"), [(LOOK, ASKED), (MEND, MENDED)])
@pytest.mark.parametrize("refusal", [_wrong_tail, _member_gone])
async def test_a_wrong_end_costs_a_try_and_takes_no_card(
    told: House, path: str, asked: dict[str, Any], refusal: Refusal
) -> None:
    refusal(told)
    await _ask(told, path, asked)
    assert _paths(told, "notify") == ["/mend-codes/try"]
    assert _paths(told, "enrollment") == [PROOF]


async def test_a_try_that_was_not_judged_is_given_back(told: House) -> None:
    told.fakes["enrollment"].down = True
    answer = await _ask(told, LOOK, ASKED)
    assert (answer.status_code, answer.json()["code"]) == (503, "PEER_UNREACHABLE")
    assert _paths(told, "notify") == ["/mend-codes/try", "/mend-codes/give-back"]


async def test_a_card_that_is_refused_leaves_the_code_good(told: House) -> None:
    told.fakes["enrollment"].refuses("PUT", PAYEE, 422, "BAD_CARD")
    answer = await _ask(told, MEND, MENDED)
    assert (answer.status_code, answer.json()["code"]) == (422, "BAD_CARD")
    assert "/mend-codes/use" not in _paths(told, "notify")


async def test_the_card_that_the_bank_did_not_take_mends_nothing(told: House) -> None:
    unchanged = {"payee_version": 1, "card_tail": "0018"}
    told.fakes["enrollment"].says("PUT", PAYEE, unchanged)
    answer = await _ask(told, MEND, MENDED)
    assert (answer.status_code, answer.json()["code"]) == (409, "CARD_UNCHANGED")
    assert "/mend-codes/use" not in _paths(told, "notify")


async def test_after_a_crash_in_between_the_same_card_is_taken_once_more(told: House) -> None:
    """Enrollment has taken the card; the code was not used up, and the member asks again."""
    taken: list[dict[str, Any]] = []

    async def as_enrollment_does(request: Request) -> Response:
        card = await request.json()
        if taken and card["card_number"] != taken[0]["card_number"]:
            return problems.respond(409, "PAYEE_MOVED")
        taken.append(card)
        return JSONResponse({"payee_version": 2, "card_tail": card["card_number"][-4:]})

    told.fakes["enrollment"].answers["PUT", PAYEE] = as_enrollment_does
    told.fakes["notify"].refuses("POST", "/mend-codes/use", 503, "UNAVAILABLE")
    assert (await _ask(told, MEND, MENDED)).status_code == 503
    other = {**MENDED, "card_number": "6217000000000001111"}
    assert (await _ask(told, MEND, other)).status_code == 404
    told.fakes["notify"].says("POST", "/mend-codes/use", {})
    assert (await _ask(told, MEND, MENDED)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": ""},
        {"code": "7" * 41},
        {"id_tail": "02X"},
        {"id_tail": "1002X"},
        {"card_number": ""},
        {"card_number": "6" * 33},
        {"member_id": str(MEMBER)},
    ],
)
async def test_what_cannot_be_read_is_refused_without_being_repeated(
    told: House, wrong: dict[str, str]
) -> None:
    answer = await _ask(told, MEND, MENDED | wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    for secret in (CARD, TAIL, CODE):
        assert secret not in answer.text
    assert not [call for fake in told.fakes.values() for call in fake.calls]


async def test_nothing_personal_stands_in_a_url_or_a_log(
    told: House, capfd: pytest.CaptureFixture[str]
) -> None:
    await _ask(told, LOOK, ASKED)
    await _ask(told, MEND, MENDED)
    _wrong_tail(told)
    await _ask(told, MEND, MENDED)
    calls = [call for fake in told.fakes.values() for call in fake.calls]
    written = capfd.readouterr()
    seen = "".join([*(f"{call.path}{call.query}{call.headers}" for call in calls), *written])
    for secret in (CARD, TAIL, CODE):
        assert secret not in seen


async def test_guesses_are_bounded_by_address_as_logins_are(make_house: MakeHouse) -> None:
    house = await make_house("strict", address_logins_per_min=3)
    _tell(house)
    _wrong_tail(house)
    statuses = [(await _ask(house, path, ASKED)).status_code for path in (LOOK, LOOK, MEND, LOOK)]
    assert statuses == [404, 404, 422, 429]
