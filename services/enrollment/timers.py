"""The loop that takes rosters in, one after the other, each from where it stands."""

import asyncio
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from services.common.errors import Conflict
from services.common.kit import clock
from services.common.kit.crash import crashpoint
from services.common.kit.db import TRANSIENT
from services.common.kit.health import Health
from services.common.kit.leadership import leadership
from services.common.kit.logs import get_logger
from services.common.kit.pauses import pause
from services.common.kit.sealed_file import open_sealed_file
from services.common.kit.sealing import SealBroken
from services.enrollment.model import FileCode, Roster, RosterStatus
from services.enrollment.rows import FileRefused, RosterReader, measured
from services.enrollment.settings import Settings
from services.enrollment.usecases.desk import Desk
from services.enrollment.usecases.rosters import (
    begin_roster,
    next_roster,
    refuse_roster,
    sealed_file,
    take_chunk,
)

log = get_logger()

NAME = "rosters"
T = TypeVar("T")


class RosterClerk:
    """Works through the rosters for as long as it leads; others stand by to take over."""

    def __init__(self, settings: Settings, desk: Desk, health: Health) -> None:
        self._settings = settings
        self._desk = desk
        self._health = health
        health.watch(NAME, stall_s=settings.roster_stall_s)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with leadership(self._settings, NAME) as lead:
                    while lead is not None and not stop.is_set():
                        self._health.progress(NAME)
                        await lead.still_held()
                        await self._next_or_wait(stop)
            except (*TRANSIENT, Conflict) as trouble:
                log.warning("timer.failed", job=NAME, error=trouble)
            self._health.waiting(NAME)
            await pause(self._settings.roster_retry_pause_ms / 1000, stop)

    async def _next_or_wait(self, stop: asyncio.Event) -> None:
        arrived = self._desk.roster_arrived
        arrived.clear()
        roster = await next_roster(self._desk)
        if roster is None:
            await pause(self._settings.roster_poll_ms / 1000, stop, arrived)
        else:
            await self._work_through(roster, stop)

    async def _work_through(self, roster: Roster, stop: asyncio.Event) -> None:
        try:
            if roster.status is RosterStatus.QUEUED:
                encoding, rows = await _read(lambda: measured(lambda: self._open(roster)))
                roster = await begin_roster(self._desk, roster, encoding, rows)
            roster = await self._take_chunks(roster, stop)
        except FileRefused as refusal:
            log.warning("roster.refused", roster_id=roster.roster_id, code=refusal.code)
            await refuse_roster(self._desk, roster, refusal.code)
            return
        if roster.status is RosterStatus.DONE:
            log.info(
                "roster.done",
                roster_id=roster.roster_id,
                rows=roster.rows,
                accepted=roster.accepted,
                refused=roster.refused,
            )

    async def _take_chunks(self, roster: Roster, stop: asyncio.Event) -> Roster:
        with await _read(lambda: self._open(roster)) as file:
            reader = await _read(lambda: self._reader(file, roster))
            while roster.status is RosterStatus.RUNNING and not stop.is_set():
                chunk = await _read(lambda: reader.next_chunk(self._settings.roster_chunk_rows))
                roster = await take_chunk(self._desk, roster, chunk)
                crashpoint("enrollment.chunk_committed")
                self._health.progress(NAME)
        return roster

    def _reader(self, file: BinaryIO, roster: Roster) -> RosterReader:
        schemes = self._desk.schemes
        reader = RosterReader(file, roster.encoding, schemes=schemes, today=clock.today())
        reader.skip(roster.done)
        return reader

    def _open(self, roster: Roster) -> BinaryIO:
        path, label = sealed_file(self._desk, roster.roster_id)
        return open_sealed_file(path, self._desk.vault.opener, label=label)


async def _read(work: Callable[[], T]) -> T:
    """Read beside the event loop; a file that is not there, or not whole, refuses the roster."""
    try:
        return await asyncio.to_thread(work)
    except (FileNotFoundError, SealBroken) as error:
        raise FileRefused(FileCode.FILE_LOST) from error
