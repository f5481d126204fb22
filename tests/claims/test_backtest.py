"""A draft tried on the books: nothing is missed, nothing is written, the figures in force agree."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

import httpx
import msgspec
import psutil
import pytest

from deploy.demo import weihai
from deploy.docs import change_page
from deploy.local.settings import ROOT
from services.claims.backtest.report import Asked, Report
from services.claims.errors import DiagnosisIsSealed
from services.claims.timers import BacktestTimer
from services.claims.usecases import backtest
from services.claims.usecases.editions import read_draft
from services.common.ids import new_id
from services.common.kit.health import Health
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.load import DATA
from tests.claims.conftest import ClaimsDesk
from tests.claims.editions import AUDITOR, REVIEWER, by, opened
from tests.claims.settlements import a_row
from tests.claims.test_intake import refund

T = TypeVar("T")

IN_FORCE = (DATA / "wh.medical.yaml").read_text(encoding="utf-8")
LOWER_FLOOR = change_page.changed(IN_FORCE)
PERIOD_14 = {"from": str(weihai.FIRST_DAY), "to": str(weihai.LAST_DAY)}
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ZHANG, LI = "110101199003070011", "110101198001010010"


async def settle_weihai(claims: ClaimsDesk) -> None:
    """Let the made-up members of the docs come in, with all their settlements."""
    registered = [
        msgspec.structs.replace(claims.registered(one.person.id_number), unit_code=one.unit)
        for one in weihai.members()
    ]
    covered = [
        claims.covered(
            one.person.id_number, scheme_id=weihai.SCHEME, starts_on=change_page.COVERED_SINCE
        )
        for one in weihai.members()
    ]
    await claims.hear(*registered, *covered)
    await claims.take(*weihai.settlements())


async def tried(claims: ClaimsDesk, draft: str, asked: Asked, **knobs: Any) -> Report:  # noqa: ANN401 - settings
    in_force = claims.desk.rulebook
    settings = claims.settings.model_copy(update={"backtest_processes": 1, **knobs})
    scheme = read_draft(draft.encode(), asked.scheme_id, in_force)

    async def unseen(_done: int, _parts: int) -> None: ...

    return await backtest.run(
        settings, claims.database, in_force, scheme, asked=asked, progress=unseen
    )


async def books(claims: ClaimsDesk) -> list[Sequence[object]]:
    """Look at all that a backtest must not touch."""
    tables = ("settlement", "accumulator", "benefit_grant", "outbox", "member", "coverage")
    rows = [await claims.fetch(f"select * from {table} order by 1, 2") for table in tables]  # noqa: S608 - names of tables
    return [tuple(row) for part in rows for row in part]


def masked(text: str) -> str:
    return ID.sub("…", text)


async def test_the_command_prints_the_table_of_the_page_and_writes_nothing_to_the_books(
    claims: ClaimsDesk, tmp_path: Path
) -> None:
    await settle_weihai(claims)
    before = await books(claims)
    draft, told, drawn = tmp_path / "draft.yaml", tmp_path / "told.json", tmp_path / "drawn.svg"
    draft.write_text(LOWER_FLOOR, encoding="utf-8")
    command = [sys.executable, "-m", "services.claims", "backtest", "--scheme", weihai.SCHEME]
    command += ["--draft", str(draft), "--from", PERIOD_14["from"], "--to", PERIOD_14["to"]]
    command += ["--fund", "6000000.00", "--json", str(told), "--svg", str(drawn)]
    env = {
        **os.environ,
        "CLAIMS_DATABASE_URL": claims.settings.database_url,
        # Many small parts in two processes: how the members are shared out changes nothing.
        "CLAIMS_BACKTEST_PART_MEMBERS": "30",
    }
    run = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=env, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    page = (ROOT / "docs" / "schemes-how-to-change.md").read_text(encoding="utf-8")
    assert masked(run.stdout) in masked(page)
    assert await books(claims) == before
    report = json.loads(told.read_text(encoding="utf-8"))
    assert report["sums"]["claims"] == 700
    assert report["check"] == {"claims": 700, "differing": 0, "difference": "0.00"}
    assert {group["by"] for group in report["groups"]} == {"unit", "age", "hospital_level", "bill"}
    assert ET.fromstring(drawn.read_text(encoding="utf-8")).tag.endswith("svg")  # noqa: S314 - drawn by us


async def test_the_command_refuses_a_file_with_its_line(claims: ClaimsDesk, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(LOWER_FLOOR.replace('"6000.00", valid', "6000.00, valid"), encoding="utf-8")
    command = [sys.executable, "-m", "services.claims", "backtest", "--scheme", weihai.SCHEME]
    command += ["--draft", str(draft), "--from", "2023-01-01", "--to", "2023-01-31"]
    env = {**os.environ, "CLAIMS_DATABASE_URL": claims.settings.database_url}
    run = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=env, check=False, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert re.search(r"SCHEME_FILE_REFUSED: wh\.medical\.yaml:\d+: .*floor", run.stderr), run.stderr


@pytest.mark.parametrize("scheme_id", ["bj.mutual", "wh.medical", "ct.medical", "cq.comprehensive"])
async def test_the_edition_in_force_changes_nothing_whatever_happened_to_the_claims(
    claims: ClaimsDesk, scheme_id: str
) -> None:
    """Several plans, refunds, a refund before its original, a cover that became known late."""
    schemes = ("bj.mutual", "wh.medical", "ct.medical", "cq.comprehensive")
    since = date(2022, 7, 1)
    for who in (ZHANG, LI):
        covers = [claims.covered(who, scheme_id=each, starts_on=since) for each in schemes]
        await claims.hear(claims.registered(who), *(covers if who == ZHANG else covers[:2]))
    for number in range(12):
        day = f"2023-{number + 1:02d}-20"
        row = a_row(
            f"{3000 + 700 * number}.00",
            f"{20_000 * (number % 5)}.00",
            setl_id=f"S{number}",
            certno=ZHANG if number % 3 else LI,
            begndate=day,
            enddate=day,
            setl_time=f"{day}T18:00:00+08:00",
            copay_pooled=f"{1000 + 100 * number}.00",
            med_type="21" if number % 4 else "11",
            dise_codg="J18.9",
        )
        if number == 7:
            await claims.take(refund(row))
        await claims.take(row)
        if number % 5 == 4:
            await claims.take(refund(row))
    await claims.hear(*covers[2:])
    asked = Asked(scheme_id, Days(date(2023, 1, 1), date(2023, 12, 31)))
    draft = (DATA / f"{scheme_id}.yaml").read_text(encoding="utf-8")
    report = await tried(claims, draft, asked, backtest_part_members=1)
    tally = report.tally
    assert tally.whole.claims
    assert (tally.whole.difference, tally.whole.winners, tally.whole.losers) == (0, 0, 0)
    assert (tally.check.claims, tally.check.differing) == (tally.whole.claims, 0)
    (granted,) = await claims.fetch(
        "select coalesce(sum(amount_fen), 0)::bigint from benefit_grant where scheme_id = $1",
        scheme_id,
    )
    assert tally.whole.booked == granted[0]


async def test_the_fund_holds_what_is_left_of_it(claims: ClaimsDesk) -> None:
    await claims.hear(claims.registered(ZHANG), claims.covered(ZHANG, scheme_id=weihai.SCHEME))
    day = {"begndate": "2023-03-01", "enddate": "2023-03-09"}
    await claims.take(a_row("9000.00", setl_time="2023-03-09T18:00:00+08:00", **day))
    asked = Asked(weihai.SCHEME, Days(date(2023, 3, 1), date(2023, 3, 31)), fund=Fen(10_000_00))
    report = await tried(claims, LOWER_FLOOR, asked)
    assert (report.tally.whole.booked, report.tally.whole.drafted) == (800_00, 2400_00)
    # The days around are of the same period, and none of these days is asked about.
    april = Asked(weihai.SCHEME, Days(date(2023, 4, 1), date(2023, 4, 30)))
    assert (await tried(claims, LOWER_FLOOR, april)).tally.whole.claims == 0


async def test_a_draft_that_asks_for_diagnoses_is_not_tried(claims: ClaimsDesk) -> None:
    draft = (DATA / "cq.critical.yaml").read_text(encoding="utf-8")
    treated = draft.replace("events: [diagnosis]", "events: [treatment]")
    scheme = read_draft(treated.encode(), "cq.critical", claims.desk.rulebook)
    with pytest.raises(DiagnosisIsSealed):
        backtest.check_can_be_tried(scheme)


@asynccontextmanager
async def working(claims: ClaimsDesk) -> AsyncGenerator[None]:
    """Have the loop of the worker run."""
    stop = asyncio.Event()
    timer = BacktestTimer(claims.settings, claims.database, claims.desk.shelf, Health())
    loop = asyncio.create_task(timer.run(stop))
    try:
        yield
    finally:
        stop.set()
        await loop


@pytest.fixture
async def door(claims: ClaimsDesk) -> AsyncGenerator[httpx.AsyncClient]:
    async with opened(claims) as client:
        yield client


async def asked_for(door: httpx.AsyncClient) -> str:
    """Draft the lower floor and ask for its backtest."""
    drafts = f"/schemes/{weihai.SCHEME}/drafts"
    drafted = await door.post(drafts, json={"content": LOWER_FLOOR}, headers=by(REVIEWER))
    assert drafted.status_code == 201, drafted.text
    asked = await door.post(
        f"/schemes/{weihai.SCHEME}/backtest",
        json={"draft_id": drafted.json()["draft_id"], **PERIOD_14, "fund": "6000000.00"},
        headers=by(REVIEWER),
    )
    assert asked.status_code == 202, asked.text
    return f"/backtests/{asked.json()['backtest_id']}"


async def done(door: httpx.AsyncClient, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {"status": "queued"}
    async with asyncio.timeout(60):
        while found["status"] not in ("done", "failed"):
            await asyncio.sleep(0.1)
            found = (await door.get(path, headers=by(AUDITOR))).json()
    return found


async def test_staff_ask_for_a_backtest_and_are_shown_what_it_found(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await settle_weihai(claims)
    path = await asked_for(door)
    early = await door.get(f"{path}/table.txt", headers=by(AUDITOR))
    assert (early.status_code, early.json()["code"]) == (409, "BACKTEST_NOT_DONE")
    async with working(claims):
        found = await done(door, path)
    assert (found["status"], found["done"]) == ("done", found["parts"])
    report = found["report"]
    assert (report["from"], report["to"]) == (PERIOD_14["from"], PERIOD_14["to"])
    assert report["sums"]["difference"] == report["sums"]["winners"]["change"]
    assert report["fund"]["before"] == "6000000.00"
    assert len(report["largest"]) == 10
    shown = await door.get(f"{path}/table.txt", headers=by(AUDITOR))
    page = (ROOT / "docs" / "schemes-how-to-change.md").read_text(encoding="utf-8")
    assert masked(shown.text) in masked(page)
    picture = await door.get(f"{path}/picture.svg", headers=by(AUDITOR))
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "按医院等级" in picture.text


async def test_a_backtest_that_was_broken_off_begins_again(
    claims: ClaimsDesk, door: httpx.AsyncClient
) -> None:
    await settle_weihai(claims)
    path = await asked_for(door)
    # So it stands where the process that worked on it died.
    await claims.fetch("update backtest set status = 'running', done = 1, parts = 9 returning 1")
    async with working(claims):
        crew = await until(working_processes)
        with suppress(psutil.NoSuchProcess):
            crew[0].kill()
        found = await done(door, path)
    assert (found["status"], found["report"]["sums"]["claims"]) == ("done", 700)


async def until(there: Callable[[], list[T]]) -> list[T]:
    async with asyncio.timeout(60):
        while True:
            found = there()
            if found:
                return found
            await asyncio.sleep(0.02)


def working_processes() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "--multiprocessing-fork" in child.cmdline()]


async def test_a_backtest_is_for_who_may_ask_and_of_days_in_order(
    door: httpx.AsyncClient,
) -> None:
    path = f"/schemes/{weihai.SCHEME}/backtest"
    told = {"draft_id": str(new_id()), **PERIOD_14}
    assert (await door.post(path, json=told, headers=by(AUDITOR))).status_code == 403
    unknown = await door.post(path, json=told, headers=by(REVIEWER))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_DRAFT")
    backwards = {**told, "from": PERIOD_14["to"], "to": PERIOD_14["from"]}
    assert (await door.post(path, json=backwards, headers=by(REVIEWER))).status_code == 422
    nobody = await door.get(f"/backtests/{new_id()}", headers=by(AUDITOR))
    assert (nobody.status_code, nobody.json()["code"]) == (404, "UNKNOWN_BACKTEST")
