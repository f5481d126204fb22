"""How much one caller may ask, and who one caller is."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Throttled
from gateway.limits import Buckets
from services.common.kit import clock
from tests.gateway.conftest import MakeHouse
from tests.gateway.house import House

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ME = "/api/v1/me"


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    with clock.set_to(NOON) as hands:
        buckets = Buckets(keys_max=10)
        for _ in range(4):
            buckets.take("one", per_s=2, burst=4)
        with pytest.raises(Throttled) as refused:
            buckets.take("one", per_s=2, burst=4)
        assert refused.value.retry_after_s == 1
        buckets.take("another", per_s=2, burst=4)
        hands.advance(timedelta(seconds=1))
        for _ in range(2):
            buckets.take("one", per_s=2, burst=4)
        with pytest.raises(Throttled):
            buckets.take("one", per_s=2, burst=4)


def test_only_so_many_callers_are_remembered() -> None:
    with clock.set_to(NOON):
        buckets = Buckets(keys_max=2)
        for key in ("one", "two", "three", "one"):
            buckets.take(key, per_s=1, burst=1)
        with pytest.raises(Throttled):
            buckets.take("three", per_s=1, burst=1)


async def test_an_address_is_bounded_before_anything_else(make_house: MakeHouse) -> None:
    house = await make_house("strict", address_requests_per_s=1, limit_burst_s=2)
    client = house.client()
    with clock.set_to(NOON):
        answers = [await client.get(ME) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[2].json()["code"] == "TOO_MANY_REQUESTS"
    assert answers[2].headers["retry-after"] == "1"


async def test_an_invented_address_header_counts_for_nothing(make_house: MakeHouse) -> None:
    house = await make_house("strict", address_requests_per_s=1, limit_burst_s=1)
    client = house.client()
    with clock.set_to(NOON):
        statuses = [
            (await client.get(ME, headers={"x-real-ip": f"198.51.100.{n}"})).status_code
            for n in range(2)
        ]
    assert statuses == [401, 429]


async def test_behind_a_proxy_the_address_is_the_one_it_tells(make_house: MakeHouse) -> None:
    bounds = {"address_requests_per_s": 1, "limit_burst_s": 1}
    house = await make_house("strict", address_header="x-forwarded-for", **bounds)
    client = house.client()
    with clock.set_to(NOON):
        statuses = [
            (await client.get(ME, headers={"x-forwarded-for": told})).status_code
            for told in ("198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.1")
        ]
    assert statuses == [401, 401, 429]


async def test_in_development_staff_are_not_bound_below_a_thousand_a_second(house: House) -> None:
    assert house.settings.staff_requests_per_s >= 1_000
    client = await house.staff("auditor")
    house.fakes["payments"].says("GET", "/batches", {"batches": []})
    for _ in range(150):
        assert (await client.get("/api/v1/staff/payout-batches")).status_code == 200
