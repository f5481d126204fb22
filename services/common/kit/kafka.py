"""The only place that opens a connection to Kafka: producers, readers, and which cluster it is."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.common.kit.positions import Partition

PARTITIONS = 12  # for ever: a member's facts must keep their partition
CLUSTER_CHECK_S = 1.0

BrokerTrouble = (KafkaError, TimeoutError, OSError)


class KafkaBounds(Protocol):
    """What the settings say about Kafka; durations carry their unit."""

    kafka_bootstrap_servers: str
    kafka_timeout_s: float
    worker_number: int
    worker_count: int


class Cluster:
    """Knows the id of the cluster that answers now; a wiped or replaced one has another id."""

    def __init__(self, bounds: KafkaBounds) -> None:
        self._bounds = bounds
        self._admin: AIOKafkaAdminClient | None = None
        self._lock = asyncio.Lock()
        self._known = ""
        self._asked_at = float("-inf")

    async def id(self) -> str:
        """Give the cluster's id, asked at most once per `CLUSTER_CHECK_S`."""
        async with self._lock:
            if time.monotonic() - self._asked_at >= CLUSTER_CHECK_S:
                self._known = await self._ask()
                self._asked_at = time.monotonic()
            return self._known

    async def _ask(self) -> str:
        try:
            async with asyncio.timeout(self._bounds.kafka_timeout_s):
                if self._admin is None:
                    admin = AIOKafkaAdminClient(
                        bootstrap_servers=self._bounds.kafka_bootstrap_servers,
                        request_timeout_ms=int(self._bounds.kafka_timeout_s * 1000),
                    )
                    await admin.start()
                    self._admin = admin
                answer = await self._admin.describe_cluster()
        except BrokerTrouble:
            await self.close()
            raise
        return str(answer["cluster_id"])

    async def close(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            await within(self._bounds.kafka_timeout_s, admin.close())


async def within(seconds: float, closing: "asyncio._CoroutineLike[object]") -> None:
    """Close something that may never answer: aiokafka's stop can wait for ever."""
    try:
        async with asyncio.timeout(seconds):
            await closing
    except BrokerTrouble:
        return


async def new_producer(bounds: KafkaBounds) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=bounds.kafka_bootstrap_servers,
        enable_idempotence=True,
        acks="all",
        max_batch_size=512 * 1024,
        max_request_size=4 * 1024 * 1024,
        request_timeout_ms=int(bounds.kafka_timeout_s * 1000),
    )
    async with asyncio.timeout(bounds.kafka_timeout_s):
        await producer.start()
    return producer


async def new_reader(bounds: KafkaBounds, group: str | None) -> AIOKafkaConsumer:
    reader = AIOKafkaConsumer(
        bootstrap_servers=bounds.kafka_bootstrap_servers,
        group_id=group,
        enable_auto_commit=False,
        # An offset that the log does not have means another log: told to us, never skipped over.
        auto_offset_reset="none",
        request_timeout_ms=int(bounds.kafka_timeout_s * 1000),
        fetch_max_wait_ms=500,
        max_partition_fetch_bytes=2 * 1024 * 1024,
    )
    async with asyncio.timeout(bounds.kafka_timeout_s):
        await reader.start()
    return reader


def topic_partitions(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic, number in partitions]


class LogEnds:
    """Reads how far topics reach, so that one can wait until all that was there is consumed."""

    def __init__(self, bounds: KafkaBounds) -> None:
        self._bounds = bounds
        self._reader: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()

    async def read(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Give the end offset of each partition as it is now."""
        async with self._lock:
            try:
                async with asyncio.timeout(self._bounds.kafka_timeout_s):
                    if self._reader is None:
                        self._reader = await new_reader(self._bounds, None)
                    ends = await self._reader.end_offsets(
                        topic_partitions((topic, n) for topic in topics for n in range(PARTITIONS))
                    )
            except BrokerTrouble:
                await self.close()
                raise
            return {(tp.topic, tp.partition): end for tp, end in ends.items()}

    async def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await within(self._bounds.kafka_timeout_s, reader.stop())
