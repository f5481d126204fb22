"""Editions: drafted by one, published by another, from tomorrow on; what is settled stays."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.claims.main import new_app
from services.claims.store import backtest as store
from services.claims.timers import EditionTimer
from services.claims.usecases import editions
from services.claims.usecases.backtest import get
from services.claims.usecases.desk import Shelf
from services.common.ids import new_id
from services.common.kit import auth, clock
from services.common.kit.auth import Caller, internal_token
from services.common.kit.health import Health
from services.common.schemes.load import DATA
from tests.claims.conftest import ClaimsDesk
from tests.claims.settlements import a_row

ZHANG, LI = "110101199003070011", "110101198001010010"
REVIEWER, OTHER = auth.staff(new_id(), "reviewer"), auth.staff(new_id(), "reviewer")
CHECKER, AUDITOR = auth.staff(new_id(), "finance_checker"), auth.staff(new_id(), "auditor")
WH = (DATA / "wh.medical.yaml").read_text(encoding="utf-8")
CT = (DATA / "ct.medical.yaml").read_text(encoding="utf-8")
# On this day period 15 of wh.medical, and the year 2024, are still to come.
TODAY = datetime(2023, 6, 15, 4, 0, tzinfo=UTC)

_CT_RATE = """            - value: "0.70"
              valid_from: 2020-01-01
"""
_CT_QUOTE = next(line for line in CT.splitlines(keepends=True) if "按70%支付保障金" in line)


def dearer(first_day: str = "2024-01-01", last_day: str = "2023-12-31", rate: str = "0.80") -> str:
    """Give ct.medical with another rate from a day on, and a worked case for it."""
    changed = CT.replace(_CT_RATE, f"{_CT_RATE}              valid_to: {last_day}\n")
    changed = changed.replace(
        _CT_QUOTE,
        f"{_CT_QUOTE}"
        f'            - value: "{rate}"\n'
        f"              valid_from: {first_day}\n"
        "              assumed: made up for a test\n",
    )
    changed = changed.replace(
        "    shows: [medical.pooled.rate]\n", "    shows: [medical.pooled.rate@2020-01-01]\n"
    ).replace(
        "    shows: [medical.pooled.rate, medical.large_sum.rate]\n",
        "    shows: [medical.pooled.rate@2020-01-01, medical.large_sum.rate]\n",
    )
    return changed + (
        "  - id: the-new-rate\n"
        f"    shows: [medical.pooled.rate@{first_day}]\n"
        "    why: made up for a test\n"
        f"    cover: {{starts: {first_day}}}\n"
        "    claims:\n"
        f"      - {{admission: {first_day}, day: {first_day}, visit: inpatient,"
        f' co_pay_pooled: "100.00", benefit: "{100 * float(rate):.2f}"}}\n'
    )


_BJ = (DATA / "bj.mutual.yaml").read_text(encoding="utf-8")
_BJ_CAP = '        - value: "200000.00"\n          valid_from: 2018-01-01\n'
_BJ_QUOTE = "          quote: 最高互助金额20万元\n"
LOWER_CAP = _BJ.replace(_BJ_CAP, f"{_BJ_CAP}          valid_to: 2023-12-31\n").replace(
    f"{_BJ_QUOTE}\ncases:\n",
    f"{_BJ_QUOTE}"
    '        - value: "1900.00"\n'
    "          valid_from: 2024-01-01\n"
    "          assumed: made up for a test\n"
    """
cases:
  - id: the-new-cap
    shows: [medical.cap@2024-01-01]
    why: made up for a test
    claims:
      - day: 2024-01-09
        visit: inpatient
        self_pay_one: "9000.00"
        benefit: "1900.00"
        code: CAP_ANNUAL
""",
)


@pytest.fixture(autouse=True)
def _day() -> Generator[None]:
    with clock.set_to(TODAY):
        yield


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


async def drafted(
    door: httpx.AsyncClient, content: str, scheme_id: str = "ct.medical", caller: Caller = REVIEWER
) -> dict[str, Any]:
    path = f"/schemes/{scheme_id}/drafts"
    answer = await door.post(path, json={"content": content}, headers=by(caller))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def tried(claims: ClaimsDesk, door: httpx.AsyncClient, draft: dict[str, Any]) -> None:
    """Ask for a backtest and let it be done, with nothing found."""
    asked = await door.post(
        f"/schemes/{draft['scheme_id']}/backtest",
        json={"draft_id": draft["draft_id"], "from": "2023-01-01", "to": "2023-05-31"},
        headers=by(REVIEWER),
    )
    assert asked.status_code == 202, asked.text
    backtest_id = UUID(asked.json()["backtest_id"])
    async with claims.database.begin() as unit:
        await store.finish(unit, backtest_id, "{}", clock.now())
    assert (await get(claims.database, backtest_id)).status == "done"


async def published(
    door: httpx.AsyncClient, draft: dict[str, Any], caller: Caller = CHECKER
) -> httpx.Response:
    path = f"/schemes/{draft['scheme_id']}/drafts/{draft['draft_id']}/publish"
    return await door.post(path, headers=by(caller))


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


async def test_publishing_needs_a_backtest_and_a_second_person(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    draft = await drafted(door, dearer())
    untried = await published(door, draft)
    assert (untried.status_code, untried.json()["code"]) == (409, "BACKTEST_MISSING")
    other = await drafted(door, dearer(rate="0.90"))
    await tried(claims, door, other)
    assert (await published(door, draft)).json()["code"] == "BACKTEST_MISSING"
    await tried(claims, door, draft)
    same = await published(door, draft, REVIEWER)
    assert (same.status_code, same.json()["code"]) == (409, "SAME_PERSON")
    assert (await published(door, draft, AUDITOR)).status_code == 403
    done = await published(door, draft)
    assert done.status_code == 200, done.text
    assert (done.json()["number"], done.json()["first_day"]) == (1, "2024-01-01")
    assert done.json()["published_by"] == CHECKER.id
    assert done.json()["drafted_by"] == REVIEWER.id
    kept = (await door.get("/schemes/ct.medical", headers=by(AUDITOR))).json()
    assert (kept["edition"], [one["number"] for one in kept["editions"]]) == (1, [1])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (dearer("2023-06-15", "2023-06-14"), "medical.pooled.rate"),
        (dearer("2021-01-01", "2020-12-31"), "medical.pooled.rate"),
        (CT.replace("按70%支付保障金", "按 70%支付保障金"), "medical.pooled.rate"),
        (
            CT.replace("events: [treatment]", "events: [treatment, death]"),
            "benefits.medical.events",
        ),
        (
            CT.replace("of: co_pay_large_sum", "of: self_pay_one"),
            "benefits.medical.formula.sections.large_sum.of",
        ),
    ],
    ids=["today", "long ago", "the words of a figure", "without a day", "what a rate is of"],
)
async def test_an_edition_leaves_the_past_as_it_was(
    claims: ClaimsDesk, door: httpx.AsyncClient, content: str, named: str
) -> None:
    draft = await drafted(door, content)
    await tried(claims, door, draft)
    assert named in draft["touches_the_past"]
    refused = await published(door, draft)
    assert (refused.status_code, refused.json()["code"]) == (409, "EDITION_CHANGES_THE_PAST")
    assert named in [error["path"] for error in refused.json()["errors"]]


async def test_an_edition_keeps_what_its_own_worked_cases_promise(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    draft = await drafted(door, dearer().replace('benefit: "80.00"', 'benefit: "70.00"'))
    await tried(claims, door, draft)
    refused = await published(door, draft)
    assert (refused.status_code, refused.json()["code"]) == (409, "CASES_DISAGREE")
    assert [error["path"] for error in refused.json()["errors"]] == ["the-new-rate"]


async def test_of_two_who_publish_at_once_one_wins(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    first, second = await drafted(door, dearer()), await drafted(door, dearer(rate="0.90"))
    for draft in (first, second):
        await tried(claims, door, draft)
    answers = await asyncio.gather(
        published(door, first), published(door, second), published(door, first, OTHER)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert refused == ["DRAFT_OUTDATED", "DRAFT_OUTDATED"]
    again = await published(door, second)
    assert again.json()["code"] == "DRAFT_OUTDATED"
    (count,) = await claims.fetch("select count(*) from scheme_edition")
    assert count[0] == 1


async def publish_dearer(claims: ClaimsDesk, door: httpx.AsyncClient) -> None:
    draft = await drafted(door, dearer())
    await tried(claims, door, draft)
    assert (await published(door, draft)).status_code == 200


async def test_an_edition_is_in_force_in_every_process_within_moments_and_after_a_restart(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    settings = claims.settings.model_copy(update={"editions_poll_ms": 20})
    elsewhere, stop = Shelf.of_release(), asyncio.Event()
    timer = EditionTimer(settings, claims.database, elsewhere, Health())
    looking = asyncio.create_task(timer.run(stop))
    before = elsewhere.rulebook.terms("ct.medical", "medical", date(2024, 1, 1))
    await publish_dearer(claims, door)
    async with asyncio.timeout(10):
        while not elsewhere.numbers:  # noqa: ASYNC110 - the loop under test sets no event
            await asyncio.sleep(0.02)
    stop.set()
    await looking
    restarted = Shelf.of_release()
    assert await editions.refresh(claims.database, restarted)
    assert not await editions.refresh(claims.database, restarted)
    for shelf in (elsewhere, restarted, claims.desk.shelf):
        assert shelf.numbers == {"ct.medical": 1}
        after = shelf.rulebook.terms("ct.medical", "medical", date(2024, 1, 1))
        assert after != before
        untouched = shelf.rulebook.terms("ct.medical", "medical", date(2023, 12, 31))
        assert untouched == Shelf.of_release().rulebook.terms(
            "ct.medical", "medical", date(2023, 12, 31)
        )
    file = await door.get("/schemes/ct.medical/file", headers=by(AUDITOR))
    assert file.text == dearer()


async def test_a_draft_made_before_the_last_edition_is_made_anew(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    stale = await drafted(door, dearer(rate="0.90"))
    await tried(claims, door, stale)
    await publish_dearer(claims, door)
    assert (await published(door, stale)).json()["code"] == "DRAFT_OUTDATED"
    fresh = await drafted(door, dearer(rate="0.90"))
    assert [(one["was"], one["becomes"]) for one in fresh["changes"]] == [("0.80", "0.90")]
    await tried(claims, door, fresh)
    assert (await published(door, fresh)).json()["number"] == 2


def stay(setl_id: str, day: str, certno: str) -> dict[str, str]:
    """Give a day in hospital with 1000.00 of co-pay in the pooled section."""
    return a_row(
        "2000.00",
        "5000.00",
        setl_id=setl_id,
        certno=certno,
        begndate=day,
        enddate=day,
        setl_time=f"{day}T18:00:00+08:00",
        copay_pooled="1000.00",
    )


async def test_a_cover_keeps_the_figures_its_term_began_under(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    """The edition of 2024 reaches a term that began in 2023 only when it begins anew."""
    for who, starts in ((ZHANG, date(2023, 3, 1)), (LI, date(2024, 1, 1))):
        cover = claims.covered(who, scheme_id="ct.medical", starts_on=starts)
        await claims.hear(claims.registered(who), cover)
    await claims.take(stay("S0", "2023-06-01", ZHANG))
    booked = await claims.fetch("select * from settlement")
    await publish_dearer(claims, door)
    assert await claims.fetch("select * from settlement") == booked
    with clock.set_to(datetime(2024, 12, 1, tzinfo=UTC)):
        outcomes = await claims.take(
            stay("S1", "2024-02-01", ZHANG),
            stay("S2", "2024-02-01", LI),
            stay("S3", "2024-03-01", ZHANG),
        )
    assert [outcome.benefit for outcome in outcomes] == [700_00, 800_00, 800_00]
    # What was settled before is taken back by the figures that it was settled by.
    assert await claims.granted(ZHANG) == 700_00 + 700_00 + 800_00


async def test_where_the_day_of_the_event_decides_an_edition_reaches_every_cover(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    draft = await drafted(door, LOWER_CAP, "bj.mutual")
    assert [(one["was"], one["becomes"]) for one in draft["changes"]] == [("200000.00", "1900.00")]
    await tried(claims, door, draft)
    done = await published(door, draft)
    assert done.status_code == 200, done.text
    await claims.enroll(ZHANG)
    days = ("2023-12-31", "2024-01-01")
    with clock.set_to(datetime(2024, 2, 1, tzinfo=UTC)):
        outcomes = await claims.take(*(stay(f"S{day}", day, ZHANG) for day in days))
        again = await claims.take(stay("S9", "2024-01-09", ZHANG))
    # (2000.00 - 1300.00) x 0.80, and then of 1600.00 what the 1900.00 leave.
    assert [outcome.benefit for outcome in outcomes + again] == [560_00, 560_00, 1340_00]
