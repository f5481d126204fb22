"""The doors of claims: who may ask what, and a row's refusal that is the row's alone."""

from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import pytest

from services.claims.main import new_app
from services.common.ids import new_id
from services.common.kit import auth
from services.common.kit.auth import Caller, internal_token
from tests.claims.conftest import ClaimsDesk, member_id_of
from tests.claims.settlements import a_row

ZHANG = "110101199003070011"
HOSPITAL = auth.hospital("H1")


@pytest.fixture
async def door(claims: ClaimsDesk) -> AsyncGenerator[httpx.AsyncClient]:
    app = new_app(claims.settings, claims.counter)
    bearer = {"authorization": f"Bearer {internal_token(claims.settings)}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://claims", headers=bearer
    ) as client:
        yield client


def by(caller: Caller) -> dict[str, str]:
    return {"x-caller": caller.header()}


async def posted(door: httpx.AsyncClient, *rows: dict[str, str]) -> list[dict[str, str]]:
    answer = await door.post("/settlements", json={"settlements": rows}, headers=by(HOSPITAL))
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def test_a_hospital_is_answered_row_by_row_in_the_order_sent(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await claims.enroll(ZHANG)
    results = await posted(
        door,
        a_row(setl_id="S1"),
        a_row(setl_id="S2", fixmedins_code="H2"),
        a_row(setl_id="S3", psn_part_amt="0.01"),
        a_row(setl_id="S1"),
    )
    assert [(r["setl_id"], r["status"], r["code"]) for r in results] == [
        ("S1", "settled", None),
        ("S2", "refused", "FOREIGN_HOSPITAL"),
        ("S3", "refused", "SUMS_MISMATCH"),
        ("S1", "duplicate", None),
    ]
    assert results[0]["benefit"] == "560.00"


async def test_a_member_reads_why_and_only_what_is_theirs(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await claims.enroll(ZHANG)
    (result,) = await posted(door, a_row())
    mine = f"/members/{member_id_of(ZHANG)}/claims/{result['claim_id']}"
    told = await door.get(mine, headers=by(auth.member(member_id_of(ZHANG))))
    assert told.json()["benefit"] == "560.00"
    assert told.json()["why"][-1]["amount_out"] == "560.00"
    stranger: UUID = new_id()
    assert (await door.get(mine, headers=by(auth.member(stranger)))).status_code == 404
    assert (await door.get(mine, headers=by(HOSPITAL))).status_code == 403
    theirs = f"/members/{stranger}/claims/{result['claim_id']}"
    assert (await door.get(theirs, headers=by(auth.member(stranger)))).status_code == 404


async def test_a_hospital_finds_and_cancels_its_own_settlements_only(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await claims.enroll(ZHANG)
    await posted(door, a_row())
    assert (await door.get("/settlements/S1", headers=by(HOSPITAL))).json()["status"] == "settled"
    other = by(auth.hospital("H2"))
    assert (await door.get("/settlements/S1", headers=other)).status_code == 404
    assert (await door.post("/settlements/S1/cancel", headers=other)).status_code == 404
    first = await door.post("/settlements/S1/cancel", headers=by(HOSPITAL))
    again = await door.post("/settlements/S1/cancel", headers=by(HOSPITAL))
    assert (first.json()["status"], again.status_code) == ("reversed", 409)
    assert again.json()["code"] == "ALREADY_CANCELLED"


async def test_nobody_without_the_internal_bearer_is_heard(door: httpx.AsyncClient) -> None:
    answer = await door.get("/books", headers={"authorization": "Bearer no", **by(HOSPITAL)})
    assert answer.status_code == 401
