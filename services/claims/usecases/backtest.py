"""A draft tried on claims of the books: asked for, worked through by processes of its own, shown.

Nothing is written but how far it is and what it found; one that was interrupted begins again.
"""

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import ClassVar, NamedTuple
from uuid import UUID

from services.claims.backtest import report as reports
from services.claims.backtest.replay import replay
from services.claims.backtest.report import Asked, Report
from services.claims.backtest.tally import Tally
from services.claims.backtest.trial import Trial, asks_for_diagnoses, whole_periods
from services.claims.errors import (
    BacktestNotDone,
    DiagnosisIsSealed,
    UnknownBacktest,
    UnknownDraft,
)
from services.claims.settings import Settings
from services.claims.store import backtest as store
from services.claims.store import editions
from services.claims.store.backtest import Backtest, Part
from services.claims.usecases.editions import read_draft
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import TRANSIENT, Database
from services.common.period import Days
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook

Progress = Callable[[int, int], Awaitable[None]]

_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
TRIES_MAX = 3
RETRY_S = 0.5


class Job(NamedTuple):
    """All that a process needs to try a draft on a part of the members."""

    settings: Settings
    in_force: tuple[Scheme, ...]
    draft: Scheme
    asked: Asked
    read: Days


async def ask(
    database: Database,
    in_force: Rulebook,
    draft_id: UUID,
    asked: Asked,
    author: UUID,
) -> Backtest:
    """Queue a backtest; raises `UnknownDraft` and `DiagnosisIsSealed`."""
    async with database.begin() as unit:
        draft = await editions.draft(unit, draft_id)
    if draft is None or draft.scheme_id != asked.scheme_id:
        raise UnknownDraft
    content = draft.content.encode()
    check_can_be_tried(await asyncio.to_thread(read_draft, content, draft.scheme_id, in_force))
    queued = Backtest(
        backtest_id=new_id(),
        scheme_id=asked.scheme_id,
        draft_id=draft_id,
        starts_on=asked.days.starts,
        ends_on=asked.days.ends or date.max,
        as_of=asked.as_of,
        fund=asked.fund,
        asked_by=author,
        asked_at=clock.now(),
        status="queued",
        code=None,
        done=0,
        parts=0,
        report=None,
        finished_at=None,
    )
    async with database.begin() as unit:
        await store.add(unit, queued)
    return queued


def check_can_be_tried(draft: Scheme) -> None:
    """Raise `DiagnosisIsSealed` where settlements would have to be opened to be judged."""
    if asks_for_diagnoses(draft):
        raise DiagnosisIsSealed


async def get(database: Database, backtest_id: UUID) -> Backtest:
    """Tell how far a backtest is; raises `UnknownBacktest`."""
    async with database.begin() as unit:
        found = await store.get(unit, backtest_id)
    if found is None:
        raise UnknownBacktest
    return found


async def report_of(database: Database, backtest_id: UUID) -> Report:
    """Give what a backtest found; raises `UnknownBacktest` and `BacktestNotDone`."""
    found = await get(database, backtest_id)
    if found.report is None:
        raise BacktestNotDone
    return reports.read(found.report)


async def next_asked(database: Database) -> Backtest | None:
    """Give the backtest to work on: the oldest that is not finished."""
    async with database.begin() as unit:
        return await store.oldest_unfinished(unit)


async def work(
    settings: Settings,
    database: Database,
    in_force: Rulebook,
    asked: Backtest,
    beat: Callable[[], None],
) -> None:
    """Try a draft and keep what it gives; `beat` is called whenever it has got on."""
    async with database.begin() as unit:
        draft = await editions.draft(unit, asked.draft_id)
    assert draft is not None, "a backtest is of a draft, and drafts stay"
    scheme = read_draft(draft.content.encode(), draft.scheme_id, in_force)
    days = Days(asked.starts_on, asked.ends_on)
    what = Asked(asked.scheme_id, days, asked.as_of, asked.fund)

    async def progress(done: int, parts: int) -> None:
        beat()
        async with database.begin() as unit:
            await store.move(unit, asked.backtest_id, done, parts)

    found = await run(settings, database, in_force, scheme, asked=what, progress=progress)
    async with database.begin() as unit:
        await store.finish(unit, asked.backtest_id, reports.written(found), clock.now())


async def fail(database: Database, backtest_id: UUID, code: str) -> None:
    async with database.begin() as unit:
        await store.fail(unit, backtest_id, code, clock.now())


async def run(
    settings: Settings,
    database: Database,
    in_force: Rulebook,
    draft: Scheme,
    *,
    asked: Asked,
    progress: Progress,
) -> Report:
    """Try a draft on the claims that were asked about; what others book meanwhile may be missed."""
    trial = Trial(draft, in_force, asked.as_of)
    schemes = [*trial.rulebook, *(in_force.scheme(each) for each in trial.schemes)]
    read = whole_periods(schemes, asked.days.starts, asked.days.ends or date.max)
    parts = await _parts(database, settings.backtest_part_members)
    checked = -(-settings.backtest_check_members // settings.backtest_part_members)
    tally = Tally()
    await progress(0, len(parts))
    async with _crew(Job(settings, tuple(in_force), draft, asked, read)) as crew:
        loop = asyncio.get_running_loop()
        running = [
            loop.run_in_executor(crew, _found, part, place < checked)
            for place, part in enumerate(parts)
        ]
        for done, found in enumerate(asyncio.as_completed(running), 1):
            tally.merge(await found)
            await progress(done, len(parts))
    return Report(asked, read, tally)


async def _parts(database: Database, members: int) -> list[Part]:
    parts: list[Part] = []
    after = _FIRST
    async with database.begin() as unit:
        while (up_to := await store.next_bound(unit, after, members)) is not None:
            parts.append(Part(after, up_to))
            after = up_to
    return [*parts, Part(after, _LAST)]


@asynccontextmanager
async def _crew(job: Job) -> AsyncGenerator[ProcessPoolExecutor]:
    """Hold processes for a job; what has not begun when the block is left is not done any more."""
    with NamedTemporaryFile(prefix="backtest-") as told:
        # By a file: what is told to a new process directly holds up its starter until it is read,
        # and for ever where it dies before.
        pickle.dump(job, told)
        told.flush()
        crew = ProcessPoolExecutor(
            job.settings.backtest_processes,
            # Whoever asks has threads and connections, which no copy of it must share.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(told.name,),
        )
        try:
            yield crew
        finally:
            await asyncio.to_thread(crew.shutdown, cancel_futures=True)


class _Worker:
    """What a process of a crew keeps from one part to the next."""

    here: ClassVar["_Worker"]

    def __init__(self, job: Job) -> None:
        in_force = Rulebook(job.in_force)
        self._job = job
        self._loop = asyncio.new_event_loop()
        self._database = Database(_unhurried(job.settings), application="claims backtest")
        self._trial = Trial(job.draft, in_force, job.asked.as_of)
        self._check = Trial(in_force.scheme(job.draft.scheme_id), in_force)

    def found(self, part: Part, *, check: bool) -> Tally:
        for _ in range(TRIES_MAX - 1):
            try:
                return self._loop.run_until_complete(self._tally(part, check=check))
            except TRANSIENT:
                self._loop.run_until_complete(asyncio.sleep(RETRY_S))
        return self._loop.run_until_complete(self._tally(part, check=check))

    async def _tally(self, part: Part, *, check: bool) -> Tally:
        tally, days = Tally(), self._job.asked.days
        async with self._database.begin() as unit:
            stories = await store.stories(unit, part, self._job.read)
        for patient, events, without_facts in stories:
            tally.add(patient, replay(patient, events, self._trial), days)
            tally.without_facts += without_facts
            if check:
                again = replay(patient, events, self._check)
                tally.check.add(one for one in again if days.holds(one.facts.day))
        return tally


def _unhurried(settings: Settings) -> Settings:
    """Give a part the time that it takes to be read; other statements wait for people."""
    read_s = settings.backtest_read_timeout_s
    bounds = {"statement_timeout_ms": int(1000 * read_s), "database_command_timeout_s": read_s + 1}
    return settings.model_copy(update={**bounds, "database_pool_size": 1})


def _begin(told: str) -> None:
    """Become a process of a crew; it ends with the one that started it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job = pickle.loads(Path(told).read_bytes())  # noqa: S301 - the file of the process that started us
    assert isinstance(job, Job), job
    _Worker.here = _Worker(job)
    # What is read of a part lives briefly and knows no cycles.
    gc.freeze()
    gc.disable()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a process of a crew was started by another"
    parent.join()
    os._exit(1)


def _found(part: Part, check: bool) -> Tally:  # noqa: FBT001 - an executor passes on by place alone
    return _Worker.here.found(part, check=check)
