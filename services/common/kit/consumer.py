"""Brings events to a use case, some sets at a time, in one transaction with the position.

Every event may come twice, late, or all again from the beginning: handlers keep state by version
and effects by natural keys. A set that fails for a reason of its own is halved until the one event
is found; it goes to the dead letters, its aggregate is parked, and the rest goes on.

Partitions belong to a worker by its number, not by group rebalance: a restarted worker goes on at
once, and a doubled one is stopped by the compare-and-set of the positions.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from services.common.contracts.event import PARTITIONS, Event, Read, Reader
from services.common.kit import clock, metrics, positions
from services.common.kit.crash import crashpoint
from services.common.kit.db import TRANSIENT, Database, Row, Unit, is_transient, storable
from services.common.kit.health import Health
from services.common.kit.kafka import (
    BrokerTrouble,
    Cluster,
    KafkaBounds,
    LogReader,
    LogReplaced,
    Record,
)
from services.common.kit.logs import get_logger
from services.common.kit.pauses import pause
from services.common.kit.positions import Partition, PositionMoved

log = get_logger()

POLL_S: Final = 0.5
RETRY_S: Final = 0.5
ROOM_POLL_S: Final = 0.02
QUIET_MAX_S: Final = 10.0
# A telling is a write of the broker's; the feed asks as often how far behind it the groups are.
TELL_EVERY_S: Final = 0.1

DEAD_LETTERS_DDL: Final = (
    # A letter without an error is not at fault itself: it queues behind its aggregate's dead one.
    """
    create table dead_letters (
        id bigint generated always as identity primary key,
        group_name text not null,
        event_id text not null,
        key text not null,
        type text not null,
        payload bytea not null,
        error text not null,
        done boolean not null default false,
        created_at timestamptz not null default now(),
        unique (group_name, event_id)
    )
    """,
    "create index dead_letters_key on dead_letters (group_name, key) where not done",
)

Handler = Callable[[Unit, Sequence[Event]], Awaitable[None]]


class ConsumerBounds(KafkaBounds, Protocol):
    """What the settings say about consumers."""

    @property
    def consumer_batch_rows(self) -> int: ...


class Letter(NamedTuple):
    """One event as it may have to be set aside; `event` is None where it cannot be read."""

    event: Event | None
    event_id: str
    key: str
    type: str
    payload: bytes
    error: str = ""


class Consumer:
    """One group's worker: reads its partitions and hands the events to one handler."""

    def __init__(
        self,
        bounds: ConsumerBounds,
        database: Database,
        cluster: Cluster,
        health: Health,
        *,
        group: str,
        events: Sequence[type[Event]],
        handle: Handler,
        has_room: Callable[[], bool] = lambda: True,
    ) -> None:
        self._bounds = bounds
        self._database = database
        self._cluster = cluster
        self._health = health
        self._group = group
        self._reader = Reader(events)
        self._handle = handle
        # False while what was taken before has to be worked off first.
        self._has_room = has_room
        self._name = f"consumer.{group}"
        self._quiet_since = clock.monotonic()
        self._told: dict[Partition, int] = {}
        self._told_at = float("-inf")
        self.topics = self._reader.topics

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._follow_one_log(stop)
            except (*BrokerTrouble, *TRANSIENT, PositionMoved) as trouble:
                log.warning("consumer.retry", group=self._group, error=trouble)
                self._health.waiting(self._name)
                await pause(RETRY_S, stop)

    async def _follow_one_log(self, stop: asyncio.Event) -> None:
        """Read on from the stored positions until the cluster is another one, or trouble."""
        cluster_id = await self._cluster.id()
        async with self._database.begin() as unit:
            at = await positions.load(unit, self._group, cluster_id, self._my_partitions())
        reader = LogReader(self._bounds, self._group)
        self._told = {}  # by this reader; who worked before us may have died before it told
        try:
            await reader.open(at)
            while not stop.is_set() and await self._cluster.id() == cluster_id:
                if not self._has_room():
                    self._health.waiting(self._name)
                    await pause(ROOM_POLL_S, stop)
                    continue
                try:
                    records = await reader.next(
                        wait_s=POLL_S, events_max=self._bounds.consumer_batch_rows
                    )
                except LogReplaced:
                    await self._begin_again(reader, cluster_id)
                    return
                if not records:
                    self._health.waiting(self._name)
                    await self._tell(reader, at)
                    if await self._is_stuck(reader, at):
                        return
                    continue
                self._quiet_since = clock.monotonic()
                last = {record.partition: record for record in records}
                after = {partition: record.offset + 1 for partition, record in last.items()}
                await self._take(cluster_id, records, {p: (at[p], to) for p, to in after.items()})
                at.update(after)
                self._health.progress(self._name)
                await self._tell(reader, at)
        finally:
            await reader.close()

    async def _tell(self, reader: LogReader, at: Mapping[Partition, int]) -> None:
        """Tell the broker of what it has not been told, from time to time."""
        if at == self._told or clock.monotonic() - self._told_at < TELL_EVERY_S:
            return
        self._told_at = clock.monotonic()
        if await reader.tell({p: to for p, to in at.items() if self._told.get(p) != to}):
            self._told = dict(at)

    async def _is_stuck(self, reader: LogReader, at: Mapping[Partition, int]) -> bool:
        """Look, after a long quiet, whether the log has more than the reader gives (its #1154)."""
        if clock.monotonic() - self._quiet_since < QUIET_MAX_S:
            return False
        self._quiet_since = clock.monotonic()
        bounds = await reader.bounds(at)
        behind = any(bounds[partition][1] > offset for partition, offset in at.items())
        if behind:
            log.warning("consumer.stuck", group=self._group)
        return behind

    async def _begin_again(self, reader: LogReader, cluster_id: str) -> None:
        """Take up each log that no longer holds our position from where it begins."""
        log.warning("consumer.new_cluster", group=self._group)
        bounds = await reader.bounds(self._my_partitions())
        async with self._database.begin() as unit:
            await positions.restart(unit, self._group, cluster_id, bounds)

    def _my_partitions(self) -> list[Partition]:
        first, step = self._bounds.worker_number, self._bounds.worker_count
        return [(topic, n) for topic in self.topics for n in range(first, PARTITIONS, step)]

    async def _take(
        self,
        cluster_id: str,
        records: Sequence[Record],
        steps: Mapping[Partition, tuple[int, int]],
    ) -> None:
        """Handle a set of records and move past them, in one transaction."""
        with metrics.consumer_seconds.labels(self._group).time():
            if not await self._all_taken(cluster_id, records, steps):
                async with self._database.begin() as unit:
                    await positions.move(unit, self._group, cluster_id, steps)
                    await self._deliver(unit, self._opened(records))
        crashpoint("consumer.committed")
        handled: Counter[str] = Counter()
        for record in records:
            handled[record.partition[0]] += record.events
        for topic, count in handled.items():
            metrics.consumer_rows.labels(self._group, topic).inc(count)

    async def _all_taken(
        self,
        cluster_id: str,
        records: Sequence[Record],
        steps: Mapping[Partition, tuple[int, int]],
    ) -> bool:
        """Take all at once; False where one event is not as it should be, and nothing is done."""
        read = self._reader.read
        try:
            events = [event for record in records for event in read(record.payload)]
        except msgspec.MsgspecError:
            return False
        try:
            async with self._database.begin() as unit:
                if events and await self._parked(
                    unit, lambda: {str(e.aggregate_id) for e in events}
                ):
                    return False
                await positions.move(unit, self._group, cluster_id, steps)
                if events:
                    await self._handle(unit, events)
        except PositionMoved:
            raise
        except Exception as failure:
            if is_transient(failure):
                raise
            return False
        return True

    async def _parked(self, unit: Unit, keys: Callable[[], set[str]]) -> set[str]:
        """Give which of the keys have a letter that is not done; mostly there is none at all."""
        if not await unit.fetchval(
            "select exists (select from dead_letters where group_name = $1 and not done)",
            self._group,
        ):
            return set()
        rows = await unit.fetch(
            "select distinct key from dead_letters"
            " where group_name = $1 and key = any($2) and not done",
            self._group,
            list(keys()),
        )
        return {row["key"] for row in rows}

    def _opened(self, records: Sequence[Record]) -> list[Letter]:
        """Read this group's business event by event, as it is written."""
        return [
            _letter(record, number, read)
            for record in records
            for number, read in enumerate(self._reader.read_each(record.payload))
        ]

    async def _deliver(self, unit: Unit, letters: Sequence[Letter]) -> None:
        """Hand over what can be; what is behind a parked aggregate queues up after it."""
        parked = {letter.key for letter in letters if letter.event is None}
        parked |= await self._parked(unit, lambda: {letter.key for letter in letters})
        held = [letter for letter in letters if letter.key in parked]
        free = [letter for letter in letters if letter.key not in parked]
        await self._bury(unit, [*held, *await self._halve(unit, free)])

    async def _halve(self, unit: Unit, letters: Sequence[Letter]) -> list[Letter]:
        """Handle what can be handled; give the letters that cannot be, or that come after one."""
        if not letters:
            return []
        try:
            async with unit.savepoint():
                await self._handle(unit, [e for e in (x.event for x in letters) if e is not None])
        except Exception as failure:
            if is_transient(failure):
                raise
            if len(letters) == 1:
                log.warning("dead_letter.written", group=self._group, error=failure)
                metrics.dead_letters.labels(self._group, type(failure).__name__).inc()
                return [letters[0]._replace(error=type(failure).__name__)]
        else:
            return []
        middle = len(letters) // 2
        failed = await self._halve(unit, letters[:middle])
        keys = {letter.key for letter in failed}
        behind = [letter for letter in letters[middle:] if letter.key in keys]
        rest = [letter for letter in letters[middle:] if letter.key not in keys]
        return [*failed, *behind, *await self._halve(unit, rest)]

    async def _bury(self, unit: Unit, letters: Sequence[Letter]) -> None:
        """Keep the letters; one that comes again from a replay is kept once."""
        if letters:
            await unit.execute(
                """
                insert into dead_letters (group_name, event_id, key, type, payload, error)
                select $1, *
                from unnest($2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[])
                on conflict do nothing
                """,
                self._group,
                [letter.event_id for letter in letters],
                [letter.key for letter in letters],
                [letter.type for letter in letters],
                [letter.payload for letter in letters],
                [letter.error for letter in letters],
            )

    async def redrive(self) -> int:
        """Try the dead letters again, aggregate by aggregate; give how many went through."""
        async with self._database.begin() as unit:
            rows = await unit.fetch(
                "select * from dead_letters where group_name = $1 and not done"
                " order by id for update",
                self._group,
            )
            done: list[int] = []
            for key in dict.fromkeys(row["key"] for row in rows):
                mine = [row for row in rows if row["key"] == key]
                try:
                    async with unit.savepoint():
                        await self._handle(unit, self._events_of(mine))
                except Exception as failure:
                    if is_transient(failure):
                        raise
                    log.warning("consumer.parked", group=self._group, error=failure)
                else:
                    done += [row["id"] for row in mine]
            await unit.execute("update dead_letters set done = true where id = any($1)", done)
        return len(done)

    def _events_of(self, letters: Sequence[Row]) -> list[Event]:
        """Read what was set aside; raises `msgspec.ValidationError` where it cannot be read yet."""
        events: list[Event] = []
        for letter in letters:
            for read in self._reader.read_each(letter["payload"]):
                if read.event is None:
                    raise msgspec.ValidationError(read.error)
                events.append(read.event)
        return events


def _letter(record: Record, number: int, read: Read) -> Letter:
    """Give what is kept of an event: what has no id or tells no key is kept all the same."""
    topic, partition = record.partition
    return Letter(
        read.event,
        storable(read.event_id) or f"{topic}/{partition}/{record.offset}/{number}",
        storable(read.key) or record.key,
        read.type,
        read.payload,
        read.error,
    )
