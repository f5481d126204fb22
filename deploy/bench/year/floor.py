"""The floor: what the machine asks for a year's rows and events alone, whatever our schema is.

The rows, their widths and their indexes are fixed here, after reference/bulk.md, and copied in
binary from bytes that lie ready; the events are produced and consumed raw. A settlement costs its
row and its member's accumulator; one that is paid costs a payout, two ledger movements, a message,
two outbox rows and two events of 350 bytes more. Nothing is looked up, judged, sealed or answered.
"""

import asyncio
import os
import struct
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

CHUNK: Final = 5_000
EVENT_BYTES: Final = 350
PARTITIONS: Final = 12
TOPIC: Final = "floor"
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = struct.pack("!h", -1)
_KEY_BYTES: Final = 16
_TOPIC_SETTLES_S: Final = 1.0


class Shape(NamedTuple):
    """A table of the floor: its columns with their binary widths, the keys among them first.

    `keys` are random of 16 bytes; `per_row` rows come together, told apart by the column `leg`.
    """

    name: str
    ddl: str
    keys: int
    widths: Sequence[int]
    per_row: int = 1


SETTLEMENT: Final = Shape(
    "settlement",
    """
    create table settlement (claim_id uuid primary key, setl_id bytea not null unique,
        member_id uuid not null,
        {amounts}, incurred_on date, received_at timestamptz, decided_at timestamptz, status int,
        code int, facts bytea, sealed bytea, working bytea, hospital bytea);
    create index on settlement (member_id)
    """.format(amounts=", ".join(f"a{n} bigint" for n in range(12))),
    3,
    (*[8] * 12, 4, 8, 8, 4, 4, 40, 120, 60, 12),
)
ACCUMULATOR: Final = Shape(
    "accumulator",
    """
    create table accumulator (member_id uuid primary key, year int, kind int, total bigint,
        granted bigint, paid bigint) with (fillfactor = 50)
    """,
    1,
    (4, 4, 8, 8, 8),
)
PAYOUT: Final = Shape(
    "payout",
    """
    create table payout (payout_id uuid primary key, batch_id uuid, member_id uuid,
        line int, state int, amount_fen bigint, version int, payee_version int,
        created_at timestamptz, changed_at timestamptz) with (fillfactor = 50);
    create index on payout (batch_id); create index on payout (member_id)
    """,
    3,
    (4, 4, 8, 4, 4, 8, 8),
)
LEDGER: Final = Shape(
    "ledger",
    """
    create table ledger (payout_id uuid, leg int, debit int, credit int, amount_fen bigint,
        booked_at timestamptz, primary key (payout_id, leg))
    """,
    1,
    (4, 4, 4, 8, 8),
    per_row=2,
)
MESSAGE: Final = Shape(
    "message",
    """
    create table message (message_id uuid primary key, attempt_id uuid, member_id uuid,
        recipient int, template int, state int, amount_fen bigint, created_at timestamptz,
        sent_at timestamptz, unique (attempt_id, recipient, template)) with (fillfactor = 50);
    create index on message (member_id)
    """,
    3,
    (4, 4, 4, 8, 8, 8),
)
OUTBOX: Final = Shape(
    "outbox",
    """
    create table outbox (event_id uuid, id bigint generated always as identity,
        xid xid8 not null default pg_current_xact_id(), topic int, payload bytea,
        primary key (xid, id))
    """,
    1,
    (4, EVENT_BYTES),
    per_row=2,
)
OF_ALL: Final = (SETTLEMENT, ACCUMULATOR)
OF_PAID: Final = (PAYOUT, LEDGER, MESSAGE, OUTBOX)
_COLUMNS: Final = {"outbox": ["event_id", "topic", "payload"]}


class Floor(NamedTuple):
    """What it took: CPU seconds of client, PostgreSQL and broker by part, and how long."""

    settlements: int
    cpu_s: dict[str, float]
    seconds: float

    @property
    def cpu_us(self) -> float:
        return sum(self.parts_us.values())

    @property
    def parts_us(self) -> dict[str, float]:
        """Give each part's microseconds a settlement, whether it is paid or not."""
        return {part: round(1e6 * cpu / self.settlements, 1) for part, cpu in self.cpu_s.items()}


class _Chunks:
    """Rows of one table as COPY takes them; only the keys are made anew for each chunk."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._made: dict[int, bytearray] = {}

    def make(self, rows: int) -> bytes:
        """Give the bytes of so many rows."""
        rows *= self._shape.per_row
        if rows not in self._made:
            self._made[rows] = self._rows(rows)
        table, width = self._made[rows], self._width
        for key in range(self._shape.keys):
            first = 2 + key * (4 + _KEY_BYTES) + 4
            for place in range(_KEY_BYTES):
                bytes_ = os.urandom(rows // self._shape.per_row)
                for leg in range(self._shape.per_row):
                    begin = first + place + leg * width
                    table[begin :: width * self._shape.per_row] = bytes_
        return _SIGNATURE + bytes(table) + _TRAILER

    @property
    def _width(self) -> int:
        shape = self._shape
        return 2 + shape.keys * (4 + _KEY_BYTES) + sum(4 + width for width in shape.widths)

    def _rows(self, rows: int) -> bytearray:
        shape = self._shape
        row = struct.pack("!h", shape.keys + len(shape.widths))
        row += (struct.pack("!i", _KEY_BYTES) + bytes(_KEY_BYTES)) * shape.keys
        table = bytearray()
        for number in range(rows):
            # The first value tells the rows of one payout apart.
            values = [(number % shape.per_row).to_bytes(shape.widths[0], "big")]
            values += [bytes(width) for width in shape.widths[1:]]
            table += row + b"".join(struct.pack("!i", len(one)) + one for one in values)
        return table


async def run_floor(
    dsn: str, bootstrap: str, servers_cpu_s: Callable[[], float], *, settlements: int, paid: int
) -> Floor:
    """Write so many settlements' rows and events; `dsn` is of a database that is empty.

    `servers_cpu_s` tells what PostgreSQL and the broker have worked so far.
    """
    connection = await asyncpg.connect(dsn, command_timeout=60)
    try:
        for shape in (*OF_ALL, *OF_PAID):
            await connection.execute(shape.ddl)
        async with _topic(bootstrap) as events:
            return await _measured(
                connection, events, servers_cpu_s, settlements=settlements, paid=paid
            )
    finally:
        await connection.close()


async def _measured(
    connection: Any,  # noqa: ANN401 - asyncpg's connection, whose records are of no interest
    events: "_Events",
    servers_cpu_s: Callable[[], float],
    *,
    settlements: int,
    paid: int,
) -> Floor:
    """Write part after part, so that each one's share is known."""
    spent, began = dict[str, float](), time.monotonic()
    rows_of = [(shape, settlements) for shape in OF_ALL] + [(shape, paid) for shape in OF_PAID]
    for shape, rows in rows_of:
        before = servers_cpu_s()
        spent[shape.name] = await _copy(connection, shape, rows)
        spent[shape.name] += servers_cpu_s() - before
    before, cpu_s = servers_cpu_s(), time.process_time()
    for done in range(0, 2 * paid, CHUNK):
        await events.pass_on(min(CHUNK, 2 * paid - done))
    spent["events"] = time.process_time() - cpu_s + servers_cpu_s() - before
    return Floor(settlements, spent, time.monotonic() - began)


async def _copy(connection: Any, shape: Shape, rows: int) -> float:  # noqa: ANN401 - as above
    """Copy so many rows, a transaction a chunk; give the client's CPU seconds."""
    chunks, client_s = _Chunks(shape), 0.0
    for done in range(0, rows, CHUNK):
        # Made before the clock runs: the floor gets its bytes ready.
        content = chunks.make(min(CHUNK, rows - done))
        cpu_s = time.process_time()
        await connection.copy_to_table(
            shape.name, source=_whole(content), columns=_COLUMNS.get(shape.name), format="binary"
        )
        client_s += time.process_time() - cpu_s
    return client_s


async def _whole(content: bytes) -> AsyncGenerator[bytes]:
    yield content


class _Events:
    """A producer and a consumer of the floor's topic."""

    def __init__(self, producer: Any, consumer: Any) -> None:  # noqa: ANN401 - aiokafka carries no types
        self._producer = producer
        self._consumer = consumer

    async def pass_on(self, events: int) -> None:
        """Produce so many events in as few batches as they fit, and consume them."""
        sent: list[Any] = []
        for number in range(PARTITIONS):
            batch = self._producer.create_batch()
            for _ in range(number, events, PARTITIONS):
                if batch.append(key=_EVENT_KEY, value=_EVENT, timestamp=None) is None:
                    sent.append(await self._send(batch, number))
                    batch = self._producer.create_batch()
                    batch.append(key=_EVENT_KEY, value=_EVENT, timestamp=None)
            if batch.record_count():
                sent.append(await self._send(batch, number))
        for future in sent:
            await future
        heard = 0
        while heard < events:
            found = await self._consumer.getmany(timeout_ms=1_000, max_records=CHUNK)
            heard += sum(map(len, found.values()))

    async def _send(self, batch: Any, number: int) -> Any:  # noqa: ANN401 - as above
        return await self._producer.send_batch(batch, TOPIC, partition=number)


@asynccontextmanager
async def _topic(bootstrap: str) -> AsyncGenerator[_Events]:
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    await admin.close()
    await asyncio.sleep(_TOPIC_SETTLES_S)
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=512 * 1024
    )
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await producer.start()
    await consumer.start()
    consumer.assign([TopicPartition(TOPIC, number) for number in range(PARTITIONS)])
    await consumer.seek_to_beginning()
    try:
        yield _Events(producer, consumer)
    finally:
        await consumer.stop()
        await producer.stop()


_EVENT: Final = bytes(EVENT_BYTES)
_EVENT_KEY: Final = b"0" * 36
