"""The only place that speaks to Kafka: a log is written, read, and known by its cluster's id.

aiokafka carries no types and may wait for ever (a broker that is down, a stop that never ends), so
it is wrapped here once, with a deadline around every call; whatever fails is closed and made anew.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, NamedTuple, Protocol, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, OffsetOutOfRangeError
from aiokafka.producer.message_accumulator import BatchBuilder

from services.common.contracts.event import PARTITIONS, SET_EVENTS_MAX
from services.common.kit.db import storable
from services.common.kit.positions import Partition

CLUSTER_CHECK_S = 1.0
CLOSE_TIMEOUT_S = 1.0
FETCH_WAIT_MS = 2_000
# What has come and is not taken yet is left out of the next question, and there is one at a time.
BUSY_FETCH_WAIT_MS = 50
BATCH_BYTES = 512 * 1024
EVENTS_HEADER = "events"
# No set has a million events; so many digits are somebody else's header.
COUNT_DIGITS_MAX = 6

BrokerTrouble = (KafkaError, TimeoutError, OSError)
LogReplaced = OffsetOutOfRangeError


Header = tuple[str, bytes | None]


class KafkaBounds(Protocol):
    """What the settings say about Kafka; durations carry their unit."""

    @property
    def kafka_bootstrap_servers(self) -> str: ...
    @property
    def kafka_timeout_s(self) -> float: ...
    @property
    def worker_number(self) -> int: ...
    @property
    def worker_count(self) -> int: ...


class Record(NamedTuple):
    """A set of events as it lies in the log; what is told of it is read when it is asked for."""

    partition: Partition
    raw: Any  # aiokafka's record

    @property
    def offset(self) -> int:
        return self.raw.offset

    @property
    def key(self) -> str:
        return storable((self.raw.key or b"").decode(errors="replace"))

    @property
    def payload(self) -> bytes:
        return self.raw.value or b""

    @property
    def events(self) -> int:
        """Give how many events its writer says it holds, 1 where that cannot be read."""
        told = dict(self.raw.headers).get(EVENTS_HEADER) or b""
        return int(told) if told.isdigit() and len(told) <= COUNT_DIGITS_MAX else 1


class Outgoing(NamedTuple):
    """A set of events as it is written to the log."""

    payload: bytes
    timestamp_ms: int
    headers: list[Header]


class Cluster:
    """Knows the id of the cluster that answers now; a wiped or replaced one has another id."""

    def __init__(self, bounds: KafkaBounds) -> None:
        self._bounds = bounds
        self._admin: Any = None
        self._lock = asyncio.Lock()
        self._known = ""
        self._asked_at = float("-inf")

    async def id(self) -> str:
        """Give the cluster's id, asked at most once per `CLUSTER_CHECK_S`."""
        async with self._lock:
            if time.monotonic() - self._asked_at >= CLUSTER_CHECK_S:
                answer = await self._ask("describe_cluster")
                self._known = str(answer["cluster_id"])
                self._asked_at = time.monotonic()
            return self._known

    async def groups(self) -> list[str]:
        """Name every group that has told the broker a position, and those that are members."""
        async with self._lock:
            return [str(group) for group, *_ in await self._ask("list_consumer_groups")]

    async def told_positions(self, group: str) -> dict[Partition, int]:
        """Give the offsets that a group has told the broker."""
        async with self._lock:
            answer = await self._ask("list_consumer_group_offsets", group)
        return {(tp.topic, tp.partition): told.offset for tp, told in answer.items()}

    async def _ask(self, question: str, *args: object) -> Any:  # noqa: ANN401 - aiokafka's answers
        try:
            async with _within(self._bounds.kafka_timeout_s):
                if self._admin is None:
                    admin = AIOKafkaAdminClient(
                        bootstrap_servers=self._bounds.kafka_bootstrap_servers,
                        request_timeout_ms=int(self._bounds.kafka_timeout_s * 1000),
                    )
                    await admin.start()
                    self._admin = cast("Any", admin)
                return await getattr(self._admin, question)(*args)
        except BrokerTrouble:
            await self.close()
            raise

    async def close(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            await _closed(admin.close())


class LogWriter:
    """An idempotent producer that waits for every acknowledgement; close it after any error."""

    def __init__(self, bounds: KafkaBounds) -> None:
        self._timeout_s = bounds.kafka_timeout_s
        self._producer: Any = AIOKafkaProducer(
            bootstrap_servers=bounds.kafka_bootstrap_servers,
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            max_request_size=4 * 1024 * 1024,
            request_timeout_ms=int(bounds.kafka_timeout_s * 1000),
        )

    async def open(self) -> None:
        async with _within(self._timeout_s):
            await self._producer.start()

    async def write(
        self, lanes: Mapping[Partition, Sequence[Outgoing]]
    ) -> dict[Partition, tuple[int, int]]:
        """Write each partition's sets in order; give its first and last acknowledged offset."""
        async with _within(self._timeout_s):
            sent = [
                (partition, count, future)
                for partition, sets in lanes.items()
                for count, future in await self._send(partition, sets)
            ]
            offsets: dict[Partition, tuple[int, int]] = {}
            for partition, count, future in sent:
                base = int((await future).offset)
                first, _ = offsets.get(partition, (base, base))
                offsets[partition] = (first, base + count - 1)
        return offsets

    async def _send(
        self, partition: Partition, sets: Sequence[Outgoing]
    ) -> list[tuple[int, Awaitable[Any]]]:
        """Hand the sets over in as few batches as they fit; (sets, future) for each."""
        topic, number = partition
        sent: list[tuple[int, Awaitable[Any]]] = []
        done = 0
        while done < len(sets):
            batch = _Batch(BATCH_BYTES, compression_type=0)
            count = batch.fill(sets, done)
            assert count, "one event is larger than a batch may be"
            sent.append((count, await self._producer.send_batch(batch, topic, partition=number)))
            done += count
        return sent

    async def close(self) -> None:
        await _closed(self._producer.stop())


class _Batch(BatchBuilder):
    """Takes many sets at once: a call for each costs twice what writing it does."""

    def fill(self, sets: Sequence[Outgoing], start: int) -> int:
        """Take sets from the one at `start` on, as many as there is room for; say how many."""
        append = self._builder.append
        count = 0
        for payload, timestamp_ms, headers in islice(sets, start, None):
            if append(count, timestamp_ms, None, payload, headers) is None:
                break
            count += 1
        self._relative_offset = count
        self.close()
        return count


class LogReader:
    """Reads partitions from given offsets on, and asks where logs end."""

    def __init__(self, bounds: KafkaBounds, group: str | None = None) -> None:
        self._timeout_s = bounds.kafka_timeout_s
        self._patience_ms = min(FETCH_WAIT_MS, int(bounds.kafka_timeout_s * 500))
        self._consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=bounds.kafka_bootstrap_servers,
            group_id=group,
            enable_auto_commit=False,
            # An offset that the log does not have means another log: told to us, never skipped.
            auto_offset_reset="none",
            request_timeout_ms=int(bounds.kafka_timeout_s * 1000),
            max_partition_fetch_bytes=2 * 1024 * 1024,
            # How long the broker keeps a question that has no answer yet, and the reader itself
            # stays asleep: asking again and again is most of what a platform at rest does.
            fetch_max_wait_ms=self._patience_ms,
            consumer_timeout_ms=FETCH_WAIT_MS,
        )

    async def open(self, at: Mapping[Partition, int] | None = None) -> None:
        """Connect and, where partitions are given, stand at their offsets."""
        async with _within(self._timeout_s):
            await self._consumer.start()
        if at:
            self._consumer.assign(_topic_partitions(at))
            for (topic, number), offset in at.items():
                self._consumer.seek(TopicPartition(topic, number), offset)

    async def next(self, *, wait_s: float, events_max: int) -> list[Record]:
        """Give what has come, in order per partition; empty when nothing came in time.

        Sets are given whole: no more events than asked for as long as a set is no larger than
        it may be, and one set however little is asked for.
        """
        self._ask_for(self._patience_ms)
        try:
            return await self._next(wait_s, events_max)
        finally:
            self._ask_for(BUSY_FETCH_WAIT_MS)

    def _ask_for(self, patience_ms: int) -> None:
        """Say how long the broker shall keep the next question.

        Not for long while its answers are being worked: it may be about silent partitions alone.
        """
        self._consumer._fetcher._fetch_max_wait_ms = patience_ms  # noqa: SLF001 - no knob once it runs

    async def _next(self, wait_s: float, events_max: int) -> list[Record]:
        found: list[Record] = []
        sets, timeout_ms = max(1, events_max // SET_EVENTS_MAX), int(wait_s * 1000)
        while sets > 0:
            async with _within(wait_s + self._timeout_s):
                lanes = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=sets)
            if not lanes:
                break
            for lane, raws in lanes.items():
                came = [Record((lane.topic, lane.partition), raw) for raw in raws]
                events_max -= sum(record.events for record in came)
                found += came
            # What lies ready and is small is taken in the same go.
            sets, timeout_ms = events_max // SET_EVENTS_MAX, 0
        return found

    async def tell(self, positions: Mapping[Partition, int]) -> bool:
        """Tell the broker where the group stands, for the usual tools; say whether it took it."""
        told = {TopicPartition(topic, n): offset for (topic, n), offset in positions.items()}
        return await _closed(self._consumer.commit(told))

    async def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        """Give the end offset of each partition of the topics as it is now."""
        asked = [TopicPartition(topic, n) for topic in topics for n in range(PARTITIONS)]
        async with _within(self._timeout_s):
            found = await self._consumer.end_offsets(asked)
        return {(tp.topic, tp.partition): end for tp, end in found.items()}

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """Give where the log of each partition begins and ends as it is now."""
        asked = [TopicPartition(topic, number) for topic, number in partitions]
        async with asyncio.timeout(self._timeout_s):
            starts = await self._consumer.beginning_offsets(asked)
            ends = await self._consumer.end_offsets(asked)
        return {(tp.topic, tp.partition): (start, ends[tp]) for tp, start in starts.items()}

    async def close(self) -> None:
        await _closed(self._consumer.stop())


class LogEnds:
    """Where topics end, asked on one connection that is made anew after trouble."""

    def __init__(self, bounds: KafkaBounds) -> None:
        self._bounds = bounds
        self._reader: LogReader | None = None
        self._lock = asyncio.Lock()

    async def read(self, topics: Iterable[str]) -> dict[Partition, int]:
        async with self._lock:
            try:
                if self._reader is None:
                    reader = LogReader(self._bounds)
                    await reader.open()
                    self._reader = reader
                return await self._reader.ends(topics)
            except BrokerTrouble:
                await self._close()
                raise

    async def _close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    async def close(self) -> None:
        async with self._lock:
            await self._close()


@asynccontextmanager
async def _within(seconds: float) -> AsyncGenerator[None]:
    """Set a deadline, and take a wait that aiokafka has cancelled by itself for broker trouble.

    It cancels its own tasks when a broker goes away; whoever waits for one of them is told
    `CancelledError`, which would end our task as if we had been asked to end.
    """
    task = asyncio.current_task()
    assert task is not None, "inside a task"
    asked_before = task.cancelling()
    try:
        async with asyncio.timeout(seconds):
            yield
    except asyncio.CancelledError:
        if task.cancelling() > asked_before:
            raise
        raise KafkaConnectionError("a wait was cancelled inside aiokafka") from None


async def _closed(closing: Awaitable[object]) -> bool:
    """Wait a little for something that may never answer and whose failure changes nothing."""
    try:
        async with _within(CLOSE_TIMEOUT_S):
            await closing
    except BrokerTrouble:
        return False
    return True


def _topic_partitions(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic, number in partitions]
