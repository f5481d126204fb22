"""The loops that wake use cases: the feed, settlements in review, backtests, new editions."""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from uuid import UUID

import asyncpg

from services.claims import feedfile
from services.claims.errors import FeedMoved, FeedUnreadable
from services.claims.feedfile import Line, OrderedFeed
from services.claims.rows import RowReader
from services.claims.settings import Settings
from services.claims.store.backtest import Backtest
from services.claims.store.feeds import Feed
from services.claims.usecases import backtest, editions, feeds, people, reviews
from services.claims.usecases.desk import Desk, Incoming, Reader, Shelf
from services.common.errors import DomainError
from services.common.kit import clock
from services.common.kit.crash import crashpoint
from services.common.kit.db import TRANSIENT, Database
from services.common.kit.freshness import Freshness
from services.common.kit.health import Health
from services.common.kit.leadership import leadership
from services.common.kit.logs import get_logger
from services.common.kit.pauses import pause
from services.common.kit.sealing import SealBroken, Suite

log = get_logger()

RETRY_S = 0.5
# A feed is read through anew each time, so who needs a disk mended is not asked twice a second.
DISK_RETRY_S = 20.0
DISK_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
YIELD_S = 0.05
FRESH_WAIT_S = 5.0
# While people are being served the feed works a third of the time, in chunks a third as large: what
# stands before a person, at every place on the way, is as large as a chunk.
SHARE_BESIDE_PEOPLE = 3
REST_MAX_S = 1.0
# A file of gigabytes is read through before its first row is judged.
READ_STALL_S = 600.0
# So many rows are read within a millisecond or two.
READ_ROWS = 50
# A part of a backtest takes seconds; where its reading times out it is tried some times more.
BACKTEST_STALL_S = 600.0


class FeedWorker:
    """Works feeds through, one after another, a chunk at a time."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        desk: Desk,
        hash_key: bytes,
        health: Health,
        *,
        freshness: Freshness,
        others_behind: Callable[[], Awaitable[bool]],
    ) -> None:
        self._settings = settings
        self._database = database
        self._desk = desk
        self._hash_key = hash_key
        self._health = health
        self._freshness = freshness
        self._others_behind = others_behind
        self._chunk_rows = settings.chunk_rows_min
        self._ordered: OrderedFeed | None = None
        self._presumed_new = True

    async def run(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                await self._lead(stop)
        finally:
            self._let_go()

    async def _lead(self, stop: asyncio.Event) -> None:
        """Work feeds while this process leads; stand by a while where another one does."""
        try:
            async with leadership(self._settings, "feed") as lead:
                while lead is not None and not stop.is_set():
                    await lead.still_held()
                    await self._next_or_wait(stop)
            self._let_go()  # of what another process leads now
        except TRANSIENT as trouble:
            log.warning("timer.failed", job="feed", error=trouble)
        self._health.waiting("feed")  # for its turn, or for the other side
        await pause(RETRY_S, stop)

    async def _next_or_wait(self, stop: asyncio.Event) -> None:
        feed = await feeds.next_feed(self._database)
        if feed is None:
            self._health.waiting("feed")
            await pause(self._settings.feed_poll_ms / 1000, stop)
            return
        try:
            await self._work(feed, stop)
        except (*TRANSIENT, FeedMoved, FeedUnreadable, SealBroken) as trouble:
            log.warning("timer.failed", job="feed", feed_id=feed.feed_id, error=trouble)
            self._health.waiting("feed")
            await pause(DISK_RETRY_S if _of_the_disk(trouble) else RETRY_S, stop)

    async def _work(self, feed: Feed, stop: asyncio.Event) -> None:
        """Take one feed from where it is to its end, or refuse it whole.

        What was read through before, or was sealed here, and is not as it was is no fault of the
        file's: that raises, and nothing is refused for it.
        """
        self._health.watch("feed", READ_STALL_S)
        self._health.progress("feed")
        try:
            rows = await self._in_order(feed.feed_id)
            reader = RowReader(rows.header, hash_key=self._hash_key, identity=self._desk.identity)
        except FeedUnreadable as bad:
            if feed.status != "queued":
                raise
            await self._refuse(feed, bad.code)
            return
        if feed.status == "queued":
            await feeds.start(self._database, feed.feed_id, rows.lines)
        log.info("feed.started", feed_id=feed.feed_id, lines=rows.lines, done=feed.done)
        # Who is not known now is refused, so first take in every roster that was on its way.
        while not await self._freshness.reached(FRESH_WAIT_S):
            self._health.progress("feed")
            await pause(RETRY_S, stop)
            if stop.is_set():
                return
        done = await self._settle(feed, rows, reader, stop)
        if done == rows.lines:
            await feeds.finish(self._database, feed.feed_id)
            self._let_go()
            log.info("feed.done", feed_id=feed.feed_id, lines=rows.lines)

    async def _in_order(self, feed_id: UUID) -> OrderedFeed:
        """Read the feed through; one that is gone on with after a trouble was read before."""
        if self._ordered is None or self._ordered.feed_id != feed_id:
            self._let_go()
            path = feedfile.path_of(self._settings.var_dir, feed_id)
            suite = Suite.named(self._settings.sealing_suite)
            self._ordered = await asyncio.to_thread(
                feedfile.in_order, path, self._desk.opener, feed_id, suite
            )
        return self._ordered

    def _let_go(self) -> None:
        if self._ordered is not None:
            self._ordered.close()
            self._ordered = None

    async def _refuse(self, feed: Feed, code: str) -> None:
        self._let_go()
        await feeds.refuse(self._database, feed.feed_id, code)
        log.warning("feed.refused", feed_id=feed.feed_id, code=code)

    async def _settle(
        self, feed: Feed, rows: OrderedFeed, reader: RowReader, stop: asyncio.Event
    ) -> int:
        done, self._presumed_new = feed.done, True
        lines = rows.rows(after=done)
        ahead = asyncio.create_task(_read(lines, self._chunk_rows, reader, []))
        try:
            while not stop.is_set():
                await self._wait_for_others(stop)
                began, began_cpu = time.monotonic(), time.process_time()
                read, size = await ahead, self._chunk_rows
                chunk, left = read[:size], read[size:]
                if not chunk:
                    break
                # The next rows are read while the server works on these.
                ahead = asyncio.create_task(_read(lines, size, reader, left))
                done = await self._settle_chunk(feed, done, chunk)
                crashpoint("claims.chunk_committed")
                self._health.progress("feed")
                share = SHARE_BESIDE_PEOPLE if await people.are_there(self._database) else 1
                cpu_s = time.process_time() - began_cpu
                self._chunk_rows = self._next_size(len(chunk), cpu_s * share)
                rest_s = (share - 1) * (time.monotonic() - began)
                await pause(min(rest_s, REST_MAX_S), stop)
        finally:
            # Whoever goes on reads from where the feed stands then.
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
        return done

    async def _settle_chunk(self, feed: Feed, done: int, chunk: Sequence[Incoming]) -> int:
        """Settle a chunk; a row that came by another door is known at the next try.

        Where one did others will have: from then on this feed's rows are looked for.
        """
        while True:
            try:
                return await feeds.settle_chunk(
                    self._database,
                    self._desk,
                    feed.feed_id,
                    done,
                    chunk,
                    presumed_new=self._presumed_new,
                )
            except asyncpg.UniqueViolationError:
                self._presumed_new = False

    def _next_size(self, rows: int, cpu_s: float) -> int:
        """Size chunks so that nobody waits long for a member they lock.

        By CPU time: a busy machine must not make them small, which would make it busier.
        """
        wanted = int(rows * self._settings.chunk_cpu_ms / 1000 / max(cpu_s, 1e-6))
        grown = min(wanted, 2 * self._chunk_rows)
        return max(self._settings.chunk_rows_min, min(grown, self._settings.chunk_rows_max))

    async def _wait_for_others(self, stop: asyncio.Event) -> None:
        """Wait while the services behind are further behind than the bound."""
        while not stop.is_set() and await self._others_behind():
            self._health.progress("feed")
            log.debug("feed.yielded")
            await pause(YIELD_S, stop)


def _of_the_disk(trouble: Exception) -> bool:
    """Tell whether somebody has to mend a disk, or a key, before it is worth trying again."""
    if isinstance(trouble, OSError):
        return trouble.errno in DISK_TROUBLE
    return isinstance(trouble, FeedUnreadable | SealBroken)


async def _read(
    lines: Iterator[Line], size: int, reader: RowReader, left: list[Incoming]
) -> list[Incoming]:
    """Read rows until there are `size` of them with those `left`.

    A few at a time: who waits for the server goes on in between.
    """
    read, of, rows = reader.texts_and_read, Incoming.of, left
    while len(rows) < size:
        some = islice(lines, min(READ_ROWS, size - len(rows)))
        more = [of(*read(fields), number) for number, fields in some]
        if not more:
            break
        rows += more
        await asyncio.sleep(0)
    return rows


class ReviewTimer:
    """Decides what was kept in review once every roster that was on its way has arrived."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        desk: Desk,
        read: Reader,
        health: Health,
        *,
        freshness: Freshness,
    ) -> None:
        self._settings = settings
        self._database = database
        self._desk = desk
        self._read = read
        self._health = health
        self._freshness = freshness

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                now = clock.now()
                if await reviews.waiting_since(
                    self._database, now
                ) and await self._freshness.reached(FRESH_WAIT_S):
                    await reviews.decide(self._database, self._desk, self._read, now)
            except (*TRANSIENT, asyncpg.UniqueViolationError) as trouble:
                log.warning("timer.failed", job="reviews", error=trouble)
            self._health.waiting("reviews")
            await pause(self._settings.review_poll_ms / 1000, stop)


class EditionTimer:
    """Puts newly published editions on the shelf of this process."""

    def __init__(
        self, settings: Settings, database: Database, shelf: Shelf, health: Health
    ) -> None:
        self._settings = settings
        self._database = database
        self._shelf = shelf
        self._health = health

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await pause(self._settings.editions_poll_ms / 1000, stop)
            try:
                await editions.refresh(self._database, self._shelf)
            except TRANSIENT as trouble:
                log.warning("timer.failed", job="editions", error=trouble)
            self._health.waiting("editions")


class BacktestTimer:
    """Works backtests through, one after another; of several workers one does."""

    def __init__(
        self, settings: Settings, database: Database, shelf: Shelf, health: Health
    ) -> None:
        self._settings = settings
        self._database = database
        self._shelf = shelf
        self._health = health

    async def run(self, stop: asyncio.Event) -> None:
        self._health.watch("backtests", BACKTEST_STALL_S)
        while not stop.is_set():
            try:
                if await backtest.next_asked(self._database) is not None:
                    async with leadership(self._settings, "backtests") as lead:
                        # Another worker may have finished it meanwhile.
                        asked = await backtest.next_asked(self._database)
                        if lead is not None and asked is not None:
                            await self._work(asked, stop)
            except (*TRANSIENT, BrokenProcessPool) as trouble:
                log.warning("timer.failed", job="backtests", error=trouble)
                await pause(RETRY_S, stop)
            self._health.waiting("backtests")
            await pause(self._settings.backtest_poll_ms / 1000, stop)

    async def _work(self, asked: Backtest, stop: asyncio.Event) -> None:
        """Work one backtest through; one that is broken off here begins again at the next start."""
        log.info("backtest.started", backtest_id=asked.backtest_id, scheme_id=asked.scheme_id)
        self._health.progress("backtests")

        def beat() -> None:
            self._health.progress("backtests")

        working = asyncio.create_task(
            backtest.work(self._settings, self._database, self._shelf.rulebook, asked, beat)
        )
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
                log.info("backtest.done", backtest_id=asked.backtest_id)
        except (*TRANSIENT, BrokenProcessPool):
            raise
        except Exception as error:  # noqa: BLE001 - the next one must not wait for whatever it is
            log.error("backtest.failed", backtest_id=asked.backtest_id, error=error)  # noqa: TRY400 - a log that shows no values
            code = error.code if isinstance(error, DomainError) else "NOT_PROCESSED"
            await backtest.fail(self._database, asked.backtest_id, code)
        finally:
            stopped.cancel()
            working.cancel()
            await asyncio.wait([working])
