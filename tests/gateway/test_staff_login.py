"""Staff sign in with password and one-time code."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx

from services.common.kit import clock
from tests.gateway.conftest import MakeHouse
from tests.gateway.house import House

LOGIN = "/api/v1/staff/login"
BOOKS = "/api/v1/staff/reports/books"
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


async def test_password_and_code_open_a_session_that_expires(strict_house: House) -> None:
    with clock.set_to(NOON) as hands:
        client = await strict_house.staff("auditor")
        assert (await client.get(BOOKS)).status_code == 404  # admitted; the stand-ins know nothing
        hands.advance(timedelta(seconds=strict_house.settings.staff_session_s + 1))
        answer = await client.get(BOOKS)
    assert (answer.status_code, answer.json()["code"]) == (401, "NOT_SIGNED_IN")


async def test_only_hashes_of_tokens_are_stored(house: House) -> None:
    client = await house.staff("auditor")
    token = client.headers["authorization"].removeprefix("Bearer ")
    async with house.database.begin() as unit:
        stored = await unit.fetchval("select string_agg(s::text, '') from staff_session s")
    assert token not in stored


async def test_unknown_name_wrong_password_and_wrong_code_are_answered_alike(
    strict_house: House,
) -> None:
    right = strict_house.login_of("auditor")
    client = strict_house.client()
    answers = [
        await client.post(LOGIN, json=right | wrong)
        for wrong in ({"username": "nobody"}, {"password": "wrong"}, {"totp": "000000"})
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert await strict_house.count("staff_session") == 0


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(make_house: MakeHouse) -> None:
    house = await make_house("strict", password_memory_kib=65_536, login_failures_max=100)
    client, right = house.client(), house.login_of("auditor")
    for wrong in ({"username": "nobody"}, {"password": "wrong"}):
        await client.post(LOGIN, json=right | wrong)
    unknown = await _fastest(client, right | {"username": "nobody"})
    known = await _fastest(client, right | {"password": "wrong"})
    assert 0.4 < unknown / known < 2.5


async def _fastest(client: httpx.AsyncClient, told: dict[str, str]) -> float:
    took: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        await client.post(LOGIN, json=told)
        took.append(time.perf_counter() - began)
    return min(took)


async def test_too_many_failures_lock_the_account_for_a_while(strict_house: House) -> None:
    with clock.set_to(NOON) as hands:
        client, right = strict_house.client(), strict_house.login_of("auditor")
        for _ in range(strict_house.settings.login_failures_max):
            await client.post(LOGIN, json=right | {"password": "wrong"})
        assert (await client.post(LOGIN, json=right)).status_code == 401
        hands.advance(timedelta(seconds=strict_house.settings.login_lockout_s + 1))
        right = strict_house.login_of("auditor")
        assert (await client.post(LOGIN, json=right)).status_code == 200


async def test_parallel_guesses_are_counted_one_by_one(strict_house: House) -> None:
    client, right = strict_house.client(), strict_house.login_of("auditor")
    wrong = right | {"password": "wrong"}
    await asyncio.gather(*(client.post(LOGIN, json=wrong) for _ in range(8)))
    assert (await client.post(LOGIN, json=right)).status_code == 401


async def test_a_code_is_good_once(strict_house: House) -> None:
    with clock.set_to(NOON):
        client, right = strict_house.client(), strict_house.login_of("auditor")
        assert (await client.post(LOGIN, json=right)).status_code == 200
        assert (await client.post(LOGIN, json=right)).status_code == 401


async def test_in_development_a_code_may_be_used_again(house: House) -> None:
    with clock.set_to(NOON):
        client, right = house.client(), house.login_of("auditor")
        assert (await client.post(LOGIN, json=right)).status_code == 200
        assert (await client.post(LOGIN, json=right)).status_code == 200


async def test_a_change_of_role_counts_at_once(strict_house: House) -> None:
    client = await strict_house.staff("auditor")
    async with strict_house.database.begin() as unit:
        await unit.execute("update staff set role = 'reviewer' where username = 'auditor'")
    assert (await client.get(BOOKS)).status_code == 403


async def test_an_unknown_field_is_refused(house: House) -> None:
    told = house.login_of("auditor") | {"role": "admin"}
    answer = await house.client().post(LOGIN, json=told)
    assert answer.status_code == 422
    assert told["password"] not in answer.text


async def test_logins_of_one_address_are_bounded(make_house: MakeHouse) -> None:
    house = await make_house("strict", address_logins_per_min=3)
    client, wrong = house.client(), house.login_of("auditor") | {"password": "wrong"}
    statuses = [(await client.post(LOGIN, json=wrong)).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
