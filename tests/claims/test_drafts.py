"""Drafts of scheme files: read with every figure, refused with a line, told what they change."""

from collections.abc import AsyncGenerator, Generator

import httpx
import pytest

from services.common.kit import auth, clock
from tests.claims.conftest import ClaimsDesk
from tests.claims.editions import AUDITOR, REVIEWER, TODAY, WH, by, drafted, opened


@pytest.fixture(autouse=True)
def _day() -> Generator[None]:
    with clock.set_to(TODAY):
        yield


@pytest.fixture
async def door(claims: ClaimsDesk) -> AsyncGenerator[httpx.AsyncClient]:
    async with opened(claims) as client:
        yield client


async def test_schemes_are_listed_with_what_keeps_them_from_running(
    door: httpx.AsyncClient,
) -> None:
    listed = (await door.get("/schemes", headers=by(AUDITOR))).json()["schemes"]
    assert [one["order"] for one in listed] == sorted(one["order"] for one in listed)
    schemes = {one["scheme_id"]: one for one in listed}
    assert schemes["ct.medical"]["runs"]
    assert schemes["ct.medical"]["edition"] == 0
    allowance = schemes["wh.allowance"]
    assert not allowance["runs"]
    assert allowance["missing"]
    hospital = await door.get("/schemes", headers=by(auth.hospital("H1")))
    assert hospital.status_code == 403


async def test_a_scheme_is_shown_with_every_figure_and_as_its_file(door: httpx.AsyncClient) -> None:
    shown = (await door.get("/schemes/wh.medical", headers=by(AUDITOR))).json()
    floors = [one for one in shown["figures"] if one["figure"] == "medical.inpatient.floor"]
    assert [(one["value"], one["from"], one["to"]) for one in floors] == [
        ("8000.00", "2022-11-01", "2023-10-31"),
        ("6000.00", "2023-11-01", None),
    ]
    assert floors[0]["document"] == "WH23"
    assert floors[0]["quote"]
    assert shown["cases"][0]["shows"]
    file = await door.get("/schemes/wh.medical/file", headers=by(AUDITOR))
    assert file.text == WH
    unknown = await door.get("/schemes/no.such", headers=by(AUDITOR))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_SCHEME")


async def test_a_draft_is_told_what_it_changes_and_which_cases_come_out_otherwise(
    door: httpx.AsyncClient,
) -> None:
    changed = WH.replace('"6000.00", valid_from: 2023-11-01', '"5000.00", valid_from: 2023-11-01')
    draft = await drafted(door, changed, "wh.medical")
    assert draft["changes"] == [
        {
            "figure": "medical.inpatient.floor",
            "from": "2023-11-01",
            "to": None,
            "was": "6000.00",
            "becomes": "5000.00",
        }
    ]
    assert draft["first_day"] == "2023-11-01"
    assert draft["touches_the_past"] == []
    disagreeing = {case["case_id"] for case in draft["cases_disagreeing"]}
    assert "the-floor-of-period-15" in disagreeing
    assert "the-floor-of-period-14" not in disagreeing
    seen = await door.get(f"/schemes/wh.medical/drafts/{draft['draft_id']}", headers=by(AUDITOR))
    assert seen.json()["content"] == changed
    listed = (await door.get("/schemes/wh.medical", headers=by(AUDITOR))).json()["drafts"]
    assert [one["drafted_by"] for one in listed] == [REVIEWER.id]


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ('{value: "8000.00"', "{value: 8000.00", "quotation marks"),
        ("scheme_id: wh.medical", "scheme_id: other", "not the name of the file"),
        ("shared_with: [wh.allowance]", "shared_with: [no.such]", "no other scheme"),
        ("id: the-floor-of-period-14", "", "cannot be tried"),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused_with_its_line(
    door: httpx.AsyncClient, was: str, becomes: str, reason: str
) -> None:
    line = 1 + WH[: WH.index(was)].count("\n")
    # What a claim of a case says is found out when it is tried: the line is the case's.
    content = WH.replace(was, becomes) if becomes else WH.replace('pay_one: "0.02"', "paid: 2", 1)
    path = "/schemes/wh.medical/drafts"
    answer = await door.post(path, json={"content": content}, headers=by(REVIEWER))
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "SCHEME_FILE_REFUSED")
    assert told["detail"].startswith(f"wh.medical.yaml:{line}: "), told["detail"]
    assert reason in told["detail"]


_BOMB = "".join(f"  x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (f"bomb:\n  x0: &x0 [1, 1]\n{_BOMB}", "an anchor"),
        (f"deep: {'[' * 200_000}{']' * 200_000}\n", "nested too deeply"),
        (f"deep:\n  {'- ' * 200_000}1\n", "nested too deeply"),
    ],
    ids=["anchors", "brackets", "dashes"],
)
async def test_a_text_that_would_burst_whoever_reads_it_is_refused_at_once(
    door: httpx.AsyncClient, lines: str, reason: str
) -> None:
    path = "/schemes/wh.medical/drafts"
    answer = await door.post(path, json={"content": WH + lines}, headers=by(REVIEWER))
    assert (answer.status_code, answer.json()["code"]) == (422, "SCHEME_FILE_REFUSED")
    assert reason in answer.json()["detail"]


async def test_a_file_that_is_too_large_is_not_read(door: httpx.AsyncClient) -> None:
    content = WH + "#" * 2**20
    path = "/schemes/wh.medical/drafts"
    answer = await door.post(path, json={"content": content}, headers=by(REVIEWER))
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
