"""The loops that wake the sender: texts that are due, calls whose fate is unknown, lists awaited.

One process leads. It wakes as soon as a message is committed, and polls for what other processes
queue and for what waits for its time. It keeps several calls in flight and takes the next ones when
half of them are answered, so that calls are written down and settled several at a time.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.common.kit import clock
from services.common.kit.db import TRANSIENT, Database
from services.common.kit.health import Health
from services.common.kit.leadership import Lead, leadership
from services.common.kit.logs import get_logger
from services.common.kit.pauses import pause
from services.notify.model import Dispatch
from services.notify.settings import Settings
from services.notify.store.dispatches import Kept
from services.notify.usecases.sending import Sending
from services.notify.usecases.telling import Teller

log = get_logger()

SENDER: Final = "sender"
ASKER: Final = "asker"
STAND_BY_S: Final = 1.0
RETRY_S: Final = 0.5
WAITED_OUT_ROWS_MAX: Final = 500
# How often the asker looks around when it knows of no doubt; it is woken by the first.
LOOK_AROUND_S: Final = 2.0
# A question is repeated when the call has grown older by this share.
ASK_AGAIN_SHARE: Final = 0.25


@dataclass
class Sender:
    """Sends for as long as it leads; others stand by to take over."""

    settings: Settings
    database: Database
    sending: Sending
    teller: Teller
    health: Health
    _in_flight: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])
    _paused_until: float = float("-inf")
    _retries_first: bool = False
    _more_queued: bool = False
    _asked_at: dict[UUID, datetime] = field(default_factory=dict[UUID, datetime])

    @property
    def wake(self) -> asyncio.Event:
        return self.teller.texts_queued

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with leadership(self.settings, SENDER) as lead:
                    if lead is not None:
                        await self._lead(lead, stop)
                self.health.waiting(SENDER)
                await pause(STAND_BY_S, stop)
            except* TRANSIENT as trouble:
                log.warning("timer.failed", job=SENDER, error=trouble)
                self.health.waiting(SENDER)
                await pause(RETRY_S, stop)

    async def _lead(self, lead: Lead, stop: asyncio.Event) -> None:
        """Take up what the sender before left behind, then send and ask until the end."""
        left = await self.sending.abandon()
        if left:
            log.warning("text.unknown", count=left, reason="left by a dead sender")
        self._in_flight.clear()
        self._asked_at.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask(lead, stop))
            while not stop.is_set():
                self.health.progress(SENDER)
                self.wake.clear()
                if not await self._send_next(group):
                    await pause(self.settings.sender_poll_ms / 1000, self.wake, stop)

    async def _send_next(self, group: asyncio.TaskGroup) -> bool:
        """Put the next calls in flight; tell whether there may be more to do at once."""
        calls_max, in_flight = self.settings.dispatches_in_flight, len(self._in_flight)
        if 2 * in_flight > calls_max:
            # Who woke us is not seen to yet: whichever call lands wakes us again.
            self._more_queued = True
            return False
        if clock.monotonic() < self._paused_until:
            return False
        free = calls_max - in_flight
        self._retries_first = not self._retries_first
        taken = await self.sending.take(free, retries_first=self._retries_first)
        self._more_queued = len(taken) >= free
        for dispatch in taken:
            task = group.create_task(self._hand_over(dispatch))
            self._in_flight.add(task)
            task.add_done_callback(self._landed)
        return self._more_queued

    async def _hand_over(self, dispatch: Dispatch) -> None:
        if not await self.sending.hand_over(dispatch):
            self._paused_until = clock.monotonic() + self.settings.channel_pause_s

    def _landed(self, task: "asyncio.Task[None]") -> None:
        self._in_flight.discard(task)
        if self._more_queued:
            self.wake.set()

    async def _ask(self, lead: Lead, stop: asyncio.Event) -> None:
        """Ask about every call whose fate is unknown, less often the older it is."""
        doubts = self.sending.doubts
        while not stop.is_set():
            self.health.progress(ASKER)
            doubts.clear()
            await lead.still_held()
            await self.sending.abandon_expired()
            unknown = await self.sending.unknown()
            self._asked_at = {
                kept.dispatch_id: self._asked_at[kept.dispatch_id]
                for kept in unknown
                if kept.dispatch_id in self._asked_at
            }
            for kept in unknown:
                if stop.is_set() or not self._is_due(kept):
                    continue
                self.health.progress(ASKER)
                self._asked_at[kept.dispatch_id] = clock.now()
                if not await self.sending.ask(kept):
                    break
            await self.teller.stop_waiting(self.database, WAITED_OUT_ROWS_MAX)
            if unknown:
                await pause(self.settings.ask_first_s, stop)
            else:
                await pause(LOOK_AROUND_S, doubts, stop)
        self.health.waiting(ASKER)

    def _is_due(self, kept: Kept) -> bool:
        asked_at = self._asked_at.get(kept.dispatch_id)
        if asked_at is None:
            return True
        now, expires_at = clock.now(), self.sending.expires_at(kept)
        if asked_at <= expires_at < now:
            return True
        age_s = (asked_at - kept.signed_at).total_seconds()
        pause_s = min(
            max(self.settings.ask_first_s, age_s * ASK_AGAIN_SHARE), self.settings.ask_max_s
        )
        return now >= asked_at + timedelta(seconds=pause_s)
