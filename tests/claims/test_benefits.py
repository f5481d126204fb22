"""What is left of each plan, what a bill would earn, and the slip that says why."""

from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

import httpx
import pytest

from services.claims.main import new_app
from services.common.ids import new_id
from services.common.kit import auth, clock
from services.common.kit.auth import Caller, internal_token
from tests.claims.conftest import ClaimsDesk, member_id_of
from tests.claims.settlements import a_row
from tests.claims.test_intake import ZHANG

MEMBER = member_id_of(ZHANG)
ZHANG_HIMSELF, STAFF = auth.member(MEMBER), auth.staff(new_id(), "reviewer", auth.WHOLE_UNION)
SINCE = date(2022, 7, 1)


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


async def left(door: httpx.AsyncClient) -> dict[str, Any]:
    answer = await door.get(f"/members/{MEMBER}/left", headers=by(ZHANG_HIMSELF))
    assert answer.status_code == 200, answer.text
    return {one["benefit"]["en"]: one for one in answer.json()["benefits"]}


def today(**changed: str) -> dict[str, str]:
    day = clock.today().isoformat()
    times = {"begndate": day, "enddate": day, "setl_time": f"{day}T10:00:00+08:00"}
    return a_row("1000.00") | times | changed


async def test_a_member_sees_what_is_left_of_each_plan(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    covers = [
        claims.covered(ZHANG, scheme_id=scheme, starts_on=SINCE)
        for scheme in ("bj.mutual", "cq.allowance", "wh.medical")
    ]
    await claims.hear(claims.registered(ZHANG), *covers)
    await claims.take(today(setl_id="S1"), today(setl_id="S2"))
    beijing, allowance, weihai = (await left(door)).values()
    year = clock.today().year
    assert (beijing["period_starts"], beijing["period_ends"]) == (f"{year}-01-01", f"{year}-12-31")
    assert [(f["kind"]["zh"], f["floor"], f["left"]) for f in beijing["floors"]] == [
        ("住院", "1300.00", "0.00"),
        ("门诊", "1800.00", "1800.00"),
    ]
    assert (beijing["granted"], beijing["cap_left"]) == ("560.00", "199440.00")
    assert (allowance["claims_max"], allowance["claims_left"]) == (2, 2)
    assert allowance["period_starts"] <= clock.today().isoformat() <= allowance["period_ends"]
    assert weihai["missing"] == "periods"


async def test_a_bill_is_tried_after_all_that_came_and_has_no_effect(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await claims.enroll(ZHANG)
    await claims.take(today(setl_id="S1"))
    bill = {"day": clock.today().isoformat(), "visit": "inpatient", "self_pay_one": "1300"}
    for caller in (ZHANG_HIMSELF, STAFF):
        answer = await door.post(f"/members/{MEMBER}/expected", json=bill, headers=by(caller))
        assert answer.status_code == 200, answer.text
        assert answer.json()["expected"] == "800.00"
        (plan,) = answer.json()["plans"]
        assert (plan["scheme_id"], plan["code"], plan["payee"]) == ("bj.mutual", None, "member")
        assert plan["why"][-1]["amount_out"] == "800.00"
    assert await claims.granted(ZHANG) == 0


async def test_a_diagnosis_or_an_accident_can_be_tried_too(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    covers = [
        claims.covered(ZHANG, scheme_id=scheme, starts_on=SINCE, units=3)
        for scheme in ("ct.critical", "ct.accident")
    ]
    await claims.hear(claims.registered(ZHANG), *covers)
    found: list[tuple[str, str | None, str]] = []
    for bill in (
        {"event": "diagnosis", "diagnosis": "C34.9", "confirmed": {"first_diagnosis": True}},
        {"event": "disability", "cause": "accident", "grade": 3},
        {"event": "death", "cause": "accident"},
        {"event": "death", "cause": "disease"},
    ):
        answer = await door.post(
            f"/members/{MEMBER}/expected", json={"day": "2023-05-01"} | bill, headers=by(STAFF)
        )
        (plan,) = answer.json()["plans"]
        found.append((plan["expected"], plan["code"], plan["payee"]))
    assert found == [
        ("15000.00", None, "member"),
        ("12000.00", None, "member"),
        ("15000.00", None, "family"),
        ("0.00", "NOT_COVERED_CAUSE", "member"),
    ]


async def test_a_bill_that_nobody_can_read_or_judge_is_refused(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await claims.enroll(ZHANG)
    path, headers = f"/members/{MEMBER}/expected", by(ZHANG_HIMSELF)
    before_all_figures = {"day": "2014-03-01", "visit": "inpatient", "self_pay_one": "1300"}
    answer = await door.post(path, json=before_all_figures, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "CANNOT_BE_JUDGED")
    for wrong in ({"self_pay_one": "-1"}, {"self_pay_one": 1.5}, {"visit": "hotel"}, {"x": 1}):
        answer = await door.post(path, json={"day": "2024-03-01"} | wrong, headers=headers)
        assert answer.status_code == 422
    nobody = await door.post(
        f"/members/{new_id()}/expected", json=before_all_figures, headers=by(STAFF)
    )
    assert (nobody.status_code, nobody.json()["code"]) == (404, "UNKNOWN_MEMBER")


async def test_what_is_left_and_what_would_be_is_nobody_elses_to_see(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await claims.enroll(ZHANG)
    other = by(auth.member(new_id()))
    assert (await door.get(f"/members/{MEMBER}/left", headers=other)).status_code == 404
    answer = await door.post(
        f"/members/{MEMBER}/expected", json={"day": "2024-03-01"}, headers=other
    )
    assert answer.status_code == 404


async def test_a_claim_has_a_page_and_a_slip_for_whom_it_belongs_to(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await claims.enroll(ZHANG)
    (outcome,) = await claims.take(a_row("2000.00"))
    path = f"/members/{MEMBER}/claims/{outcome.claim_id}"
    page = await door.get(f"{path}/why.txt", headers=by(ZHANG_HIMSELF))
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert "560.00" in page.text
    assert "起付线" in page.text
    slip = await door.get(f"{path}/slip.pdf", headers=by(STAFF))
    assert (slip.headers["content-type"], slip.content[:5]) == ("application/pdf", b"%PDF-")
    stranger = by(auth.member(new_id()))
    assert (await door.get(f"{path}/slip.pdf", headers=stranger)).status_code == 404
    assert (await door.get(f"{path}/why.txt", headers=stranger)).status_code == 404


async def test_staff_find_whose_claim_it_is_and_members_do_not(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await claims.enroll(ZHANG)
    (outcome,) = await claims.take(a_row("2000.00"))
    path = f"/claims/{outcome.claim_id}/owner"
    assert (await door.get(path, headers=by(STAFF))).json() == {"member_id": str(MEMBER)}
    assert (await door.get(path, headers=by(ZHANG_HIMSELF))).status_code == 403
    assert (await door.get(f"/claims/{new_id()}/owner", headers=by(STAFF))).status_code == 404
