"""What staff ask goes to the right service, for the right unit, and uploads flow through."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.common.ids import new_id
from tests.gateway.conftest import MakeHouse
from tests.gateway.house import House

MEMBER, FEED, ROSTER = str(new_id()), str(new_id()), str(new_id())
FORM = {"content-type": "multipart/form-data; boundary=b"}
OWN_UNIT = "update staff set unit = 'U1' where username = 'filing_officer'"


async def _officer_of_u1(house: House) -> None:
    async with house.database.begin() as unit:
        await unit.execute(OWN_UNIT)


async def test_a_unit_is_put_with_the_status_of_enrollment(house: House) -> None:
    unit = {"name": "Works", "staff_count": 12}
    enrollment = house.fakes["enrollment"]
    enrollment.says("PUT", "/units/U1", unit | {"code": "U1", "officers": []}, 201)
    answer = await (await house.staff("filing_officer")).put("/api/v1/staff/units/U1", json=unit)
    assert (answer.status_code, answer.json()["code"]) == (201, "U1")
    assert b"officers" not in enrollment.calls[0].body


async def test_a_feed_flows_through_while_it_is_still_being_sent(house: House) -> None:
    came: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(request: Request) -> Response:
        async for chunk in request.stream():
            if chunk:
                came.put_nowait(chunk)
        return JSONResponse({"feed_id": FEED}, 202)

    async def sending() -> AsyncIterator[bytes]:
        for number in range(5):
            piece = b"piece %d" % number
            yield piece
            if number:
                # The one before has arrived behind the gateway before the next is sent.
                assert await asyncio.wait_for(came.get(), 10) == b"piece %d" % (number - 1)

    house.fakes["claims"].streams("POST", "/feeds", read)
    client = await house.staff("admin")
    answer = await client.post("/api/v1/staff/feeds", content=sending(), headers=FORM)
    assert (answer.status_code, answer.json()) == (202, {"feed_id": FEED})
    [call] = house.fakes["claims"].calls
    assert call.headers["content-type"] == FORM["content-type"]


async def test_a_large_feed_leaves_no_trace_in_memory(house: House) -> None:
    size = 0

    async def read(request: Request) -> Response:
        nonlocal size
        async for chunk in request.stream():
            size += len(chunk)
        return JSONResponse({"feed_id": FEED}, 202)

    async def sending() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield bytes(256 * 1024)

    house.fakes["claims"].streams("POST", "/feeds", read)
    client = await house.staff("admin")
    gc.collect()
    tracemalloc.start()
    try:
        answer = await client.post("/api/v1/staff/feeds", content=sending(), headers=FORM)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status_code, size) == (202, 100 * 1024 * 1024)
    assert peak < 8 * 1024 * 1024


async def test_a_roster_over_its_bound_is_refused(make_house: MakeHouse) -> None:
    house = await make_house(roster_bytes_max=1000)

    async def read(request: Request) -> Response:
        await request.body()
        return JSONResponse({"roster_id": ROSTER}, 202)

    async def sending() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(400)

    house.fakes["enrollment"].streams("POST", "/rosters", read)
    client = await house.staff("filing_officer")
    for content in (bytes(1001), sending()):
        answer = await client.post("/api/v1/staff/rosters", content=content, headers=FORM)
        assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    answer = await client.post("/api/v1/staff/rosters", content=bytes(999), headers=FORM)
    assert answer.json() == {"roster_id": ROSTER}


async def test_a_body_that_stops_coming_is_refused(make_house: MakeHouse) -> None:
    house = await make_house(body_idle_timeout_s=0.1)

    async def sending() -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.sleep(2)
        yield b"never read"

    client = await house.staff("filing_officer")
    answer = await client.post("/api/v1/staff/rosters", content=sending(), headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (422, "BODY_TOO_SLOW")


async def test_a_service_that_refuses_early_is_heard(house: House) -> None:
    house.fakes["enrollment"].refuses("POST", "/rosters", 404, "UNKNOWN_UNIT")
    client = await house.staff("filing_officer")
    answer = await client.post("/api/v1/staff/rosters", content=b"x", headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_UNIT")


async def test_refusals_flow_back_as_text(house: House) -> None:
    async def rows(_request: Request) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            yield b"line,setl_id,code\n"
            yield b"2,S1,BAD_AMOUNT\n"

        return StreamingResponse(lines(), media_type="text/csv")

    house.fakes["claims"].streams("GET", f"/feeds/{FEED}/refusals.csv", rows)
    client = await house.staff("admin")
    answer = await client.get(f"/api/v1/staff/feeds/{FEED}/refusals.csv")
    assert answer.text == "line,setl_id,code\n2,S1,BAD_AMOUNT\n"
    assert answer.headers["content-type"].startswith("text/csv")
    unknown = await client.get(f"/api/v1/staff/feeds/{new_id()}/refusals.csv")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")


async def test_an_officer_sees_refused_payouts_of_their_own_unit_whatever_they_ask(
    house: House,
) -> None:
    payments = house.fakes["payments"]
    payments.says("GET", "/refused-payouts", {"payouts": [], "next_cursor": None})
    await _officer_of_u1(house)
    officer, finance = await house.staff("filing_officer"), await house.staff("finance_maker")
    for client in (officer, finance):
        await client.get("/api/v1/staff/refused-payouts", params={"unit": "U2"})
    assert [call.query["unit"] for call in payments.calls] == ["U1", "U2"]
    assert payments.calls[0].caller.unit == "U1"


def _say_benefits(house: House) -> None:
    path = f"/members/{MEMBER}"
    house.fakes["claims"].says("GET", f"{path}/granted", {"granted": "120.00"})
    paid = {"granted": "1.00", "paid": "100.00", "to_recover": "0.00"}
    house.fakes["payments"].says("GET", f"{path}/benefits", paid)


async def test_benefits_join_what_claims_granted_and_payments_paid(house: House) -> None:
    _say_benefits(house)
    asked = {"scheme": "bj.mutual", "year": "2018"}
    client = await house.staff("auditor")
    answer = await client.get(f"/api/v1/staff/members/{MEMBER}/benefits", params=asked)
    assert answer.json() == {"granted": "120.00", "paid": "100.00", "to_recover": "0.00"}
    assert house.fakes["claims"].calls[0].query == asked
    assert house.fakes["payments"].calls[0].query == asked


@pytest.mark.parametrize(("unit", "status"), [("U1", 200), ("U2", 404)])
async def test_an_officer_sees_benefits_of_their_own_unit_only(
    house: House, unit: str, status: int
) -> None:
    _say_benefits(house)
    house.fakes["enrollment"].says("GET", f"/members/{MEMBER}", {"unit_code": unit})
    await _officer_of_u1(house)
    client = await house.staff("filing_officer")
    answer = await client.get(f"/api/v1/staff/members/{MEMBER}/benefits")
    assert answer.status_code == status


async def test_a_card_is_corrected_in_enrollment(house: House) -> None:
    told = {"member_id": MEMBER, "payee_version": 2, "card_tail": "5678"}
    enrollment = house.fakes["enrollment"]
    enrollment.says("PUT", f"/members/{MEMBER}/payee", told)
    client = await house.staff("filing_officer")
    path = f"/api/v1/staff/members/{MEMBER}/payee"
    assert (await client.put(path, json={"card_number": "6222020000005678"})).json() == told
    assert enrollment.calls[0].caller.role == "filing_officer"
    refused = await client.put(path, json={"card_number": "6222", "payee_version": 9})
    assert refused.status_code == 422


async def test_an_identity_number_travels_in_the_body_only(house: House) -> None:
    enrollment = house.fakes["enrollment"]
    enrollment.says("POST", "/members/search", {"member_id": MEMBER})
    client = await house.staff("reviewer")
    number = "11010519491231002X"
    answer = await client.post("/api/v1/staff/members/search", json={"id_number": number})
    assert answer.json() == {"member_id": MEMBER}
    [call] = enrollment.calls
    assert number not in call.path + str(call.query) + str(call.headers)


async def test_the_books_of_all_services_stand_side_by_side(house: House) -> None:
    for name, fake in house.fakes.items():
        fake.says("GET", "/books", {"events_pending": 0, "by_state": {name: 3}})
    answer = await (await house.staff("auditor")).get("/api/v1/staff/reports/books")
    assert answer.json() == {
        name: {"events_pending": 0, "by_state": {name: 3}} for name in house.fakes
    }


async def test_a_service_that_is_down_is_told_as_not_now(house: House) -> None:
    house.fakes["payments"].down = True
    client = await house.staff("auditor")
    answer = await client.get("/api/v1/staff/payout-batches")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "content",
    [
        b'{"id_number": "\\ud800"}',
        b'{"id_number": NaN}',
        b"[" * 100_000,
        b'{"id_number": 1' + b"0" * 5000 + b"}",
        b'{"id_number": "x", "id_number": {}}',
        b"\xff\xfe",
        b"",
    ],
)
async def test_hostile_json_is_refused_and_breaks_nothing(house: House, content: bytes) -> None:
    client = await house.staff("reviewer")
    headers = {"content-type": "application/json"}
    path = "/api/v1/staff/members/search"
    answer = await client.post(path, content=content, headers=headers)
    assert answer.status_code in {400, 422}
    assert not house.fakes["enrollment"].calls
