"""What staff ask about schemes goes to claims as it came, and claims' refusals say where."""

import json
from uuid import UUID

import pytest
from starlette.requests import Request
from starlette.responses import Response

from services.common.kit import problems
from services.common.kit.problems import FieldError
from tests.gateway.conftest import MakeHouse
from tests.gateway.house import House

# The same in every process that collects the tests.
DRAFT, BACKTEST, PERSON = (str(UUID(int=number)) for number in (1, 2, 3))
MOMENT = "2023-06-15T12:00:00+08:00"
DRAFTED = {
    "draft_id": DRAFT,
    "scheme_id": "wh.medical",
    "drafted_by": PERSON,
    "drafted_at": MOMENT,
    "first_day": "2024-01-01",
    "changes": [
        {"figure": "floor", "from": "2024-01-01", "to": None, "was": "1.00", "becomes": "2.00"}
    ],
    "cases_disagreeing": [],
    "touches_the_past": [],
}


async def test_a_draft_reaches_claims_byte_for_byte_and_is_answered_from_and_to(
    house: House,
) -> None:
    house.fakes["claims"].says("POST", "/schemes/wh.medical/drafts", DRAFTED, 201)
    client = await house.staff("reviewer")
    # Larger than what other routes let in: a file of a mebibyte in JSON.
    body = json.dumps({"content": "起" * 300_000}).encode()
    answer = await client.post("/api/v1/staff/schemes/wh.medical/drafts", content=body)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["changes"][0]["from"], answer.json()["changes"][0]["to"]) == (
        "2024-01-01",
        None,
    )
    [call] = house.fakes["claims"].calls
    assert call.body == body
    assert call.caller.role == "reviewer"


async def test_a_refused_file_is_told_with_its_line(house: House) -> None:
    async def refuse(_request: Request) -> Response:
        place = FieldError(path="wh.medical.yaml:134", code="SCHEME_FILE_REFUSED")
        detail = "wh.medical.yaml:134: floor overlaps"
        return problems.respond(422, "SCHEME_FILE_REFUSED", detail=detail, errors=[place])

    house.fakes["claims"].answers["POST", "/schemes/wh.medical/drafts"] = refuse
    client = await house.staff("reviewer")
    told = await client.post("/api/v1/staff/schemes/wh.medical/drafts", json={"content": "x"})
    assert (told.status_code, told.json()["code"]) == (422, "SCHEME_FILE_REFUSED")
    assert told.json()["detail"] == "wh.medical.yaml:134: floor overlaps"
    assert told.json()["errors"][0]["path"] == "wh.medical.yaml:134"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/schemes/wh.medical/file", "application/yaml"),
        (f"/backtests/{BACKTEST}/table.txt", "text/plain; charset=utf-8"),
        (f"/backtests/{BACKTEST}/picture.svg", "image/svg+xml"),
    ],
)
async def test_files_tables_and_pictures_are_handed_on(
    house: House, path: str, media_type: str
) -> None:
    async def give(_request: Request) -> Response:
        return Response("回测", media_type=media_type)

    house.fakes["claims"].answers["GET", path] = give
    answer = await (await house.staff("auditor")).get(f"/api/v1/staff{path}")
    assert (answer.status_code, answer.text) == (200, "回测")
    assert answer.headers["content-type"] == media_type


async def test_the_same_publication_again_under_its_key_is_answered_as_before(
    make_house: MakeHouse,
) -> None:
    house = await make_house("strict")
    edition = {
        **{name: DRAFTED[name] for name in ("scheme_id", "draft_id", "first_day")},
        "drafted_by": PERSON,
        "drafted_at": MOMENT,
        "published_by": PERSON,
        "published_at": MOMENT,
        "number": 1,
        "backtest_id": BACKTEST,
    }
    path = f"/schemes/wh.medical/drafts/{DRAFT}/publish"
    house.fakes["claims"].says("POST", path, edition)
    client = await house.staff("finance_checker")
    key = {"Idempotency-Key": "once"}
    first = await client.post(f"/api/v1/staff{path}", headers=key)
    again = await client.post(f"/api/v1/staff{path}", headers=key)
    assert (first.status_code, again.json()) == (200, first.json())
    assert len(house.fakes["claims"].calls) == 1
