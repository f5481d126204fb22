"""Brings events to a use case, a set at a time, in one transaction with the position.

Every event may come twice, late, or all again from the beginning: handlers keep state by version
and effects by natural keys. A set that fails for a reason of its own is halved until the one event
is found; it goes to the dead letters, its aggregate is parked, and the rest goes on.

Partitions belong to a worker by its number, not by group rebalance: a restarted worker goes on at
once, and a doubled one is stopped by the compare-and-set of the positions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from services.common.contracts.event import Event, Reader
from services.common.kit import logs, metrics, positions
from services.common.kit.crash import crashpoint
from services.common.kit.db import TRANSIENT, Database, Unit
from services.common.kit.health import Health
from services.common.kit.kafka import (
    PARTITIONS,
    BrokerTrouble,
    Cluster,
    KafkaBounds,
    new_reader,
    topic_partitions,
    within,
)
from services.common.kit.positions import Partition, PositionMoved

log = logs.get_logger()

POLL_S: Final = 0.2

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

    consumer_batch_rows: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One record as it came, and the event it holds; None where it could not be read."""

    record: ConsumerRecord[bytes, bytes]
    event_id: str
    kind: str
    event: Event | None
    error: str = ""

    @property
    def key(self) -> str:
        return (self.record.key or b"").decode(errors="replace")


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
    ) -> None:
        self._bounds = bounds
        self._database = database
        self._cluster = cluster
        self._health = health
        self._group = group
        self._reader = Reader(events)
        self._handle = handle
        self._name = f"consumer.{group}"
        self.topics = self._reader.topics

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._follow_one_log(stop)
            except OffsetOutOfRangeError:
                log.warning("consumer.log_replaced", group=self._group)
            except (*BrokerTrouble, *TRANSIENT, PositionMoved) as trouble:
                log.warning("consumer.interrupted", group=self._group, error=type(trouble).__name__)
                await asyncio.sleep(0.5)

    async def _follow_one_log(self, stop: asyncio.Event) -> None:
        """Read on from the stored positions until the cluster is another one, or trouble."""
        cluster_id = await self._cluster.id()
        reader = await new_reader(self._bounds, self._group)
        try:
            mine = self._my_partitions()
            reader.assign(topic_partitions(mine))
            async with self._database.begin() as unit:
                at = await positions.load(unit, self._group, cluster_id, mine)
            for (topic, number), offset in at.items():
                reader.seek(TopicPartition(topic, number), offset)
            while not stop.is_set() and await self._cluster.id() == cluster_id:
                await self._next_set(reader, cluster_id, at)
        finally:
            await within(2.0, reader.stop())

    def _my_partitions(self) -> list[Partition]:
        first, step = self._bounds.worker_number - 1, self._bounds.worker_count
        return [(topic, n) for topic in self.topics for n in range(first, PARTITIONS, step)]

    async def _next_set(
        self,
        reader: "AIOKafkaConsumer",
        cluster_id: str,
        at: dict[Partition, int],
    ) -> None:
        found = await reader.getmany(
            timeout_ms=int(POLL_S * 1000), max_records=self._bounds.consumer_batch_rows
        )
        records = [record for lane in found.values() for record in lane]
        if not records:
            self._health.idle(self._name)
            return
        steps = {
            (tp.topic, tp.partition): (at[tp.topic, tp.partition], lane[-1].offset + 1)
            for tp, lane in found.items()
            if lane
        }
        letters = [letter for letter in map(self._open, records) if letter is not None]
        async with self._database.begin() as unit:
            await positions.move(unit, self._group, cluster_id, steps)
            if letters:
                await self._deliver(unit, letters)
        crashpoint("consumer.committed")
        at.update({partition: after for partition, (_, after) in steps.items()})
        metrics.consumed_rows.labels(self._group).inc(len(records))
        self._health.progress(self._name)
        await self._tell_kafka(reader, steps)

    async def _tell_kafka(
        self, reader: "AIOKafkaConsumer", steps: dict[Partition, tuple[int, int]]
    ) -> None:
        """Tell the broker too, for the usual tools; a failure here means nothing."""
        told = {
            TopicPartition(topic, number): after for (topic, number), (_, after) in steps.items()
        }
        await within(1.0, reader.commit(told))

    def _open(self, record: ConsumerRecord[bytes, bytes]) -> Letter | None:
        """Read one record; None where its type is not this group's business."""
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        kind, event_id = headers.get("ce_type", ""), headers.get("ce_id", "")
        try:
            event = self._reader.read(kind, record.value or b"")
        except msgspec.MsgspecError as bad:
            return Letter(record, event_id, kind, None, type(bad).__name__)
        return None if event is None else Letter(record, event_id, kind, event)

    async def _deliver(self, unit: Unit, letters: Sequence[Letter]) -> None:
        """Hand the events over; those behind a parked aggregate queue up after it."""
        parked = {
            row["key"]
            for row in await unit.fetch(
                "select distinct key from dead_letters"
                " where group_name = $1 and key = any($2) and not done",
                self._group,
                list({letter.key for letter in letters}),
            )
        }
        parked |= {letter.key for letter in letters if letter.event is None}
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
        except (*TRANSIENT, PositionMoved):
            raise
        except Exception as failure:  # noqa: BLE001 - whatever one event does, the others go on
            if len(letters) == 1:
                log.error(
                    "consumer.dead_letter",
                    group=self._group,
                    event_type=letters[0].kind,
                    error=type(failure).__name__,
                )
                metrics.dead_letters.labels(self._group).inc()
                return [replace(letters[0], error=type(failure).__name__)]
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
                select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[])
                on conflict do nothing
                """,
                self._group,
                [letter.event_id for letter in letters],
                [letter.key for letter in letters],
                [letter.kind for letter in letters],
                [letter.record.value or b"" for letter in letters],
                [letter.error for letter in letters],
            )

    async def redrive(self) -> int:
        """Try the dead letters again, aggregate by aggregate; give how many went through."""
        async with self._database.begin() as unit:
            rows = await unit.fetch(
                "select * from dead_letters where group_name = $1 and not done order by id for update",
                self._group,
            )
            done: list[int] = []
            for key in dict.fromkeys(row["key"] for row in rows):
                mine = [row for row in rows if row["key"] == key]
                try:
                    async with unit.savepoint():
                        events = [self._reader.read(row["type"], row["payload"]) for row in mine]
                        await self._handle(unit, [event for event in events if event is not None])
                except (*TRANSIENT, PositionMoved):
                    raise
                except Exception as failure:  # noqa: BLE001 - the other aggregates go on
                    log.warning(
                        "consumer.still_dead", group=self._group, error=type(failure).__name__
                    )
                else:
                    done += [row["id"] for row in mine]
            await unit.execute("update dead_letters set done = true where id = any($1)", done)
        return len(done)
