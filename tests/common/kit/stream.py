"""A service in small: its database with the kit's tables, one event type on a topic of its own."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, NamedTuple
from uuid import UUID

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.topics import make_topics
from services.common.contracts.event import PARTITIONS, Event, MemberEvent, Reader
from services.common.ids import new_id
from services.common.kit import clock, consumer, outbox, positions, years
from services.common.kit.consumer import Consumer, Handler
from services.common.kit.db import Database, Row, Unit, driver_dsn
from services.common.kit.health import Health
from services.common.kit.kafka import (
    Cluster,
    LogReader,
    LogWriter,
    Outgoing,
)
from services.common.kit.positions import Partition
from services.common.kit.relay import Relay
from services.common.kit.settings import ServiceSettings


class Knobs(ServiceSettings):
    """Settings of the service in small."""

    port: int = 0
    kafka_timeout_s: float = 5.0


class Noted(MemberEvent, frozen=True, kw_only=True):
    """The one thing that happens here."""

    topic: ClassVar[str] = "tests"
    number: int


class Heard(NamedTuple):
    """One event of a topic, and where it lay."""

    partition: Partition
    offset: int
    event: Noted


def event_type(topic_name: str) -> type[Noted]:
    class OnTopic(Noted, frozen=True, kw_only=True, tag="tests.noted.v1"):
        topic: ClassVar[str] = topic_name

    return OnTopic


async def keep_seen(unit: Unit, events: Sequence[Event]) -> None:
    """Keep what came, without any defence against repeats, so that a repeat shows."""
    rows = [(event.number, event.member_id) for event in events if isinstance(event, Noted)]
    await unit.copy("seen", ("number", "member_id"), rows)


class Desk:
    """A database that publishes to a topic and consumes from it."""

    def __init__(self, knobs: Knobs, topic: str) -> None:
        self.knobs = knobs
        self.kind = event_type(topic)
        self.database = Database(knobs, application="tests")
        self.cluster = Cluster(knobs)
        self.group = f"tests-{new_id()}"

    def relay(self, health: Health | None = None) -> Relay:
        return Relay(self.knobs, self.database, self.cluster, health or Health())

    def consumer(
        self,
        handle: Handler = keep_seen,
        cluster: Cluster | None = None,
        has_room: Callable[[], bool] = lambda: True,
    ) -> Consumer:
        return Consumer(
            self.knobs,
            self.database,
            cluster or self.cluster,
            Health(),
            group=self.group,
            events=[self.kind],
            handle=handle,
            has_room=has_room,
        )

    def note(self, number: int, member_id: UUID | None = None) -> Noted:
        return self.kind(
            event_id=new_id(),
            at=clock.now(),
            version=number,
            member_id=member_id or new_id(),
            number=number,
        )

    async def write(self, numbers: Sequence[int], member_id: UUID | None = None) -> None:
        async with self.database.begin() as unit:
            await unit.publish([self.note(number, member_id) for number in numbers])

    async def seen(self) -> list[int]:
        async with self.database.begin() as unit:
            return [row["number"] for row in await unit.fetch("select number from seen")]

    async def seen_in_all(self, count: int) -> list[int]:
        """Wait until `count` events have had their effect."""
        async with asyncio.timeout(30):
            while True:
                if len(found := await self.seen()) >= count:
                    return found
                await asyncio.sleep(0.05)

    async def letters(self, count: int) -> list[Row]:
        """Wait until `count` dead letters are kept."""
        async with asyncio.timeout(30):
            while True:
                async with self.database.begin() as unit:
                    rows = await unit.fetch("select key, error from dead_letters order by id")
                if len(rows) >= count:
                    return rows
                await asyncio.sleep(0.05)

    async def at_position(self, offset: int) -> None:
        """Wait until the group stands no further than there in any partition."""
        async with asyncio.timeout(30):
            while True:
                async with self.database.begin() as unit:
                    furthest = await unit.fetchval("select max(next_offset) from positions")
                if furthest == offset:
                    return
                await asyncio.sleep(0.05)

    async def on_topic(self, count: int, *, settle_s: float = 0.3) -> list[Heard]:
        """Read the topic from its beginning until `count` events are there, and a bit longer."""
        reader = LogReader(self.knobs)
        await reader.open({(self.kind.topic, number): 0 for number in range(12)})
        found: list[Heard] = []
        try:
            async with asyncio.timeout(30):
                while len(found) < count:
                    found += await self._heard(reader, 0.2)
            found += await self._heard(reader, settle_s)
        finally:
            await reader.close()
        return found

    async def _heard(self, reader: LogReader, wait_s: float) -> list[Heard]:
        records = await reader.next(wait_s=wait_s, events_max=5_000)
        read = Reader([self.kind]).read
        return [
            Heard(record.partition, record.offset, event)
            for record in records
            for event in read(record.payload)
            if isinstance(event, Noted)
        ]

    async def replace_log(self) -> None:
        """Delete the topic and make it anew; the cluster keeps its id."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.knobs.kafka_bootstrap_servers)
        await admin.start()
        try:
            await admin.delete_topics([self.kind.topic])
            async with asyncio.timeout(30):
                while True:
                    if self.kind.topic not in await admin.list_topics():
                        break
                    await asyncio.sleep(0.05)
        finally:
            await admin.close()
        topic = NewTopic(self.kind.topic, PARTITIONS, 1)
        await make_topics(self.knobs.kafka_bootstrap_servers, [topic])

    async def put(self, *records: Outgoing) -> None:
        """Write records to the topic past the outbox, as somebody else might."""
        writer = LogWriter(self.knobs)
        await writer.open()
        try:
            await writer.write({(self.kind.topic, 0): records})
        finally:
            await writer.close()

    async def close(self) -> None:
        await self.cluster.close()
        await self.database.close()


async def lay_tables(url: str) -> None:
    connection = await asyncpg.connect(driver_dsn(url))
    for statement in (
        *outbox.DDL,
        *outbox.SETS_DDL,
        *outbox.MONTHS_DDL,
        *years.DDL,
        *positions.DDL,
        *consumer.DEAD_LETTERS_DDL,
    ):
        await connection.execute(statement)
    await connection.execute("create table seen (number int not null, member_id uuid not null)")
    await connection.close()


Loop = Callable[[asyncio.Event], Awaitable[None]]


@asynccontextmanager
async def running(*loops: Loop) -> AsyncGenerator[None]:
    """Run relays and consumers while the block lasts."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(_run(loop, stop))
        try:
            yield
        finally:
            stop.set()


async def _run(loop: Loop, stop: asyncio.Event) -> None:
    await loop(stop)
