"""Editions: drafted by one, published by another, from tomorrow on; what is settled stays."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, date, datetime

import httpx
import pytest

from services.claims.timers import EditionTimer
from services.claims.usecases import editions
from services.claims.usecases.desk import Shelf
from services.common.kit import clock
from services.common.kit.health import Health
from tests.claims.conftest import ClaimsDesk
from tests.claims.editions import (
    AUDITOR,
    CHECKER,
    CT,
    LOWER_CAP,
    OTHER,
    REVIEWER,
    TODAY,
    by,
    dearer,
    drafted,
    opened,
    published,
    tried,
)
from tests.claims.settlements import a_row

ZHANG, LI = "110101199003070011", "110101198001010010"


@pytest.fixture(autouse=True)
def _day() -> Generator[None]:
    with clock.set_to(TODAY):
        yield


@pytest.fixture
async def door(claims: ClaimsDesk) -> AsyncGenerator[httpx.AsyncClient]:
    async with opened(claims) as client:
        yield client


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
