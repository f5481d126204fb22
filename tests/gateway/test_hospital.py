"""What becomes of a hospital's post: forwarded once, answered the same, refused as claims does."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.gateway.conftest import MakeHouse
from tests.gateway.house import House

POST = "/api/v1/hospital/settlements"
BODY = b'{"settlements": [{"setl_id": "S1"}]}'
RESULTS = {"results": [{"setl_id": "S1", "status": "settled", "benefit": "12.00"}]}
KEY = {"idempotency-key": "k-1"}


@pytest.fixture
def taking(house: House) -> House:
    house.fakes["claims"].says("POST", "/settlements", RESULTS)
    return house


async def test_the_same_key_gets_the_same_answer_and_does_nothing_twice(taking: House) -> None:
    client = taking.signed()
    first = await client.post(POST, content=BODY, headers=KEY)
    taking.fakes["claims"].says("POST", "/settlements", {"results": []})
    second = await client.post(POST, content=BODY, headers=KEY)
    assert (first.json(), second.json()) == (RESULTS, RESULTS)
    assert len(taking.fakes["claims"].calls) == 1


async def test_a_key_with_another_body_is_refused(taking: House) -> None:
    client = taking.signed()
    await client.post(POST, content=BODY, headers=KEY)
    answer = await client.post(POST, content=BODY.replace(b"S1", b"S2"), headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_keys_of_two_hospitals_are_two_keys(taking: House) -> None:
    for number in (0, 1):
        answer = await taking.signed(number).post(POST, content=BODY, headers=KEY)
        assert answer.status_code == 200
    assert len(taking.fakes["claims"].calls) == 2


async def test_a_refusal_is_kept_under_the_key_and_an_outage_is_not(house: House) -> None:
    client, claims = house.signed(), house.fakes["claims"]
    claims.down = True
    away = await client.post(POST, content=BODY, headers=KEY)
    assert (away.status_code, "retry-after" in away.headers) == (503, True)
    claims.down = False
    claims.refuses("POST", "/settlements", 403, "NOT_ALLOWED")
    refused = [await client.post(POST, content=BODY, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert refused[0].json()["code"] == "NOT_ALLOWED"
    assert len(claims.calls) == 1


async def test_two_at_once_under_one_key_are_worked_on_once(house: House) -> None:
    claims = house.fakes["claims"]

    async def slowly(request: Request) -> Response:
        await request.body()
        await asyncio.sleep(0.3)
        return JSONResponse(RESULTS)

    claims.streams("POST", "/settlements", slowly)
    client = house.signed()
    answers = await asyncio.gather(
        *(client.post(POST, content=BODY, headers=KEY) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(claims.calls) == 1


async def test_what_claims_does_not_name_to_the_public_stays_inside(house: House) -> None:
    row = RESULTS["results"][0] | {"member_id": "inner", "grant_fen": 7}
    house.fakes["claims"].says("POST", "/settlements", {"results": [row]})
    assert (await house.signed().post(POST, content=BODY)).json() == RESULTS


@pytest.mark.parametrize("status", [200, 401, 500, 302])
async def test_an_answer_that_cannot_be_read_says_not_now_and_shows_nothing(
    house: House, status: int
) -> None:
    house.fakes["claims"].says("POST", "/settlements", {"secret": "张三 110101"}, status)
    answer = await house.signed().post(POST, content=BODY)
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0
    assert "110101" not in answer.text


async def test_a_settlement_id_cannot_name_another_route(house: House) -> None:
    for name in ("..", "%2e%2e", "a%2Fb", "S1%3Fx=1"):
        answer = await house.signed().get(f"{POST}/{name}")
        assert answer.status_code in {401, 404, 405, 422}, name
    assert not house.fakes["claims"].calls


async def test_a_body_over_a_mebibyte_is_refused(taking: House) -> None:
    answer = await taking.signed().post(POST, content=b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    assert not taking.fakes["claims"].calls


async def test_one_hospital_is_bounded_and_the_other_is_not(make_house: MakeHouse) -> None:
    house = await make_house(hospital_requests_per_s=1, limit_burst_s=2)
    house.fakes["claims"].says("POST", "/settlements", RESULTS)
    first, second = house.signed(0), house.signed(1)
    answers = [await first.post(POST, content=BODY) for _ in range(4)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await second.post(POST, content=BODY)).status_code == 200
