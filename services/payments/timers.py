"""What goes on by itself: batches are cut, sent, and asked about until they are closed."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from services.common.kit import clock
from services.common.kit.crash import crashpoint
from services.common.kit.db import TRANSIENT
from services.common.kit.health import Health
from services.common.kit.leadership import Lead, leadership
from services.common.kit.logs import get_logger
from services.common.kit.pauses import pause
from services.payments.model.batches import Batch, Lane
from services.payments.settings import Settings
from services.payments.usecases.cut import cut_batch, lanes_due, park_first, rows_max
from services.payments.usecases.days import close_days
from services.payments.usecases.desk import Desk
from services.payments.usecases.doubts import list_doubts
from services.payments.usecases.fund import open_funds
from services.payments.usecases.reconciliation import reconcile
from services.payments.usecases.reminders import remind
from services.payments.usecases.submit import Progress, Step, advance, open_batches

log = get_logger()

Follow = Callable[[UUID], None]

CUTTER: Final = "cutter"
BANK: Final = "bank"
STAND_BY_S: Final = 1.0
RETRY_S: Final = 0.5
LONGER_EACH_TIME: Final = 2.0
TOO_SLOW: Final = (asyncpg.QueryCanceledError, TimeoutError)
# So long after one payout was parked the next that cannot be cut points to something else.
PARKED_ALONE_S: Final = 60.0


class Job(NamedTuple):
    """Something that is looked after again and again."""

    name: str
    pause_s: Callable[[Settings], float]
    work: Callable[[Desk], Awaitable[None]]


def _steadily(_: Settings) -> float:
    return 2.0


def _as_banks_are_asked(settings: Settings) -> float:
    return settings.movements_poll_s


JOBS: Final = (
    Job("doubts", _steadily, list_doubts),
    Job("reminders", _steadily, remind),
    Job("days", _steadily, close_days),
    Job("accounts", _as_banks_are_asked, reconcile),
)


class Timers:
    """The loops of the desk; they run for as long as this process leads."""

    def __init__(self, desk: Desk, health: Health) -> None:
        self._desk = desk
        self._settings = desk.settings
        self._health = health
        self._parked_at: dict[Lane, float] = {}
        self._turns = asyncio.Semaphore(self._settings.bank_calls_max)
        self._followed: dict[UUID, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with leadership(self._settings, BANK) as lead:
                    if lead is None:
                        await pause(STAND_BY_S, stop)
                        continue
                    await self._lead(lead, stop)
            except* TRANSIENT as trouble:
                log.warning("timer.failed", job=BANK, error=trouble)
                await pause(RETRY_S, stop)
            self._health.waiting(CUTTER)
            self._health.waiting(BANK)

    async def _lead(self, lead: Lead, stop: asyncio.Event) -> None:
        await open_funds(self._desk)
        try:
            async with asyncio.TaskGroup() as group:
                follow = partial(self._follow_on, group, stop)
                group.create_task(self._cut(follow, stop))
                group.create_task(self._find_batches(follow, stop))
                for job in JOBS:
                    group.create_task(self._look_after(job, stop))
                while not stop.is_set():
                    await lead.still_held()
                    await pause(STAND_BY_S, stop)
        finally:
            self._desk.cutting_lags = False

    async def _look_after(self, job: Job, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await job.work(self._desk)
            except Exception as failure:  # noqa: BLE001 - this job waits, the others go on
                log.warning("timer.failed", job=job.name, error=failure)
            await pause(job.pause_s(self._settings), stop)

    async def _cut(self, follow: Follow, stop: asyncio.Event) -> None:
        """Cut batches as they become due, without a pause while whole ones wait."""
        rows: defaultdict[Lane, int | None] = defaultdict(lambda: None)
        while not stop.is_set():
            self._desk.payouts_ready.clear()
            self._health.progress(CUTTER)
            pause_s = self._settings.batch_poll_ms / 1000
            try:
                waiting = await lanes_due(self._desk)
            except TRANSIENT as trouble:
                log.warning("timer.failed", job=CUTTER, error=trouble)
                waiting = []
            due = [one for one in waiting if not one.until]
            for lane, _, _ in due:
                rows[lane] = await self._cut_one(lane, rows[lane], follow)
            # Where a batch cannot be cut, grants are taken in all the same.
            self._desk.cutting_lags = any(one.full and rows[one.lane] is None for one in due)
            if not due:
                pause_s = min([pause_s, *(one.until.total_seconds() for one in waiting)])
                await pause(pause_s, self._desk.payouts_ready, stop)

    async def _cut_one(self, lane: Lane, rows: int | None, follow: Follow) -> int | None:
        """Cut one batch of a lane, of so many payouts at most; give how many to try next time.

        A batch that cannot be cut is tried with half as many until the one at fault is found, or
        until the server is fast enough for it.
        """
        rows = rows or rows_max(self._desk, lane)
        try:
            batch_id = await cut_batch(self._desk, lane, rows)
            if batch_id is not None:
                crashpoint("payments.batch_fixed")
                follow(batch_id)
        except TRANSIENT as trouble:
            log.warning("timer.failed", job=CUTTER, error=trouble)
            await asyncio.sleep(RETRY_S)
            return max(1, rows // 2) if isinstance(trouble, TOO_SLOW) else rows
        except Exception as failure:  # noqa: BLE001 - whatever one payout does, the others go on
            log.warning("timer.failed", job=CUTTER, error=failure)
            if rows > 1:
                return rows // 2
            await self._put_aside(lane)
        return None

    async def _put_aside(self, lane: Lane) -> None:
        """Park the payout at fault; where two are at fault in a row it is none of theirs."""
        now = clock.monotonic()
        if now - self._parked_at.get(lane, -PARKED_ALONE_S) >= PARKED_ALONE_S:
            self._parked_at[lane] = now
            await park_first(self._desk, lane)
        else:
            await asyncio.sleep(RETRY_S)

    async def _find_batches(self, follow: Follow, stop: asyncio.Event) -> None:
        """Give every open batch somebody who follows it to its end, whoever has left it."""
        while not stop.is_set():
            self._desk.batch_moved.clear()
            self._health.progress(BANK)
            try:
                for batch_id in await open_batches(self._desk):
                    follow(batch_id)
            except TRANSIENT as trouble:
                log.warning("timer.failed", job=BANK, error=trouble)
            await pause(self._settings.batch_poll_ms / 1000, self._desk.batch_moved, stop)

    def _follow_on(self, group: asyncio.TaskGroup, stop: asyncio.Event, batch_id: UUID) -> None:
        """Follow a batch, but where that is done already."""
        if batch_id not in self._followed:
            task = group.create_task(self._follow(batch_id, stop))
            self._followed[batch_id] = task
            task.add_done_callback(lambda _: self._followed.pop(batch_id))

    async def _follow(self, batch_id: UUID, stop: asyncio.Event) -> None:
        """Send a batch and ask about it until it is closed; the less happens, the less often."""
        shortest_s = self._settings.result_poll_ms / 1000
        longest_s = self._settings.result_poll_max_ms / 1000
        pause_s, sent = shortest_s, None
        while not stop.is_set():
            async with self._turns:
                step, sent = await self._one_step(batch_id, sent)
            match step:
                case Step.CLOSED:
                    self._desk.payouts_ready.set()  # the next few of the lane need wait no longer
                    return
                case Step.MOVED:
                    pause_s = shortest_s
                case Step.SENT:
                    pause_s = shortest_s
                    await pause(pause_s, stop)
                case Step.NOTHING_NEW:
                    await pause(pause_s, stop)
                    pause_s = min(pause_s * LONGER_EACH_TIME, longest_s)

    async def _one_step(self, batch_id: UUID, sent: Batch | None) -> Progress:
        try:
            return await advance(self._desk, batch_id, sent)
        except Exception as failure:  # noqa: BLE001 - this batch stands still, the others go on
            log.warning("timer.failed", job=BANK, batch_id=batch_id, error=failure)
        return Progress(Step.NOTHING_NEW)
