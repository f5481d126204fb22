"""What an operator's tool does to topics: tells how far they go, and writes all of one again."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.topics import listed_topics

PARTITIONS = 12
DEADLINE_S = 30

Ends = dict[tuple[str, int], int]


async def ends(bootstrap: str) -> tuple[str, Ends]:
    """Give the cluster's id and where each of its partitions ends."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    try:
        async with asyncio.timeout(DEADLINE_S):
            await admin.start()
            cluster_id = str((await admin.describe_cluster())["cluster_id"])
            await consumer.start()
            found = await consumer.end_offsets(_places([t.name for t in listed_topics()]))
    finally:
        await asyncio.gather(consumer.stop(), admin.close())
    return cluster_id, {(place.topic, place.partition): end for place, end in found.items()}


async def write_again(bootstrap: str, topics: Sequence[str]) -> int:
    """Append every record of the topics to them once more, headers and all; give how many."""
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await asyncio.gather(consumer.start(), producer.start())
    try:
        async with asyncio.timeout(DEADLINE_S):
            records = await _records(consumer, topics)
            sent = [
                await producer.send(
                    record.topic,
                    record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                )
                for record in records
            ]
            await asyncio.gather(*sent)
        return len(records)
    finally:
        await asyncio.gather(consumer.stop(), producer.stop())


async def _records(
    consumer: Any,  # noqa: ANN401 - aiokafka carries no types
    topics: Sequence[str],
) -> list[Any]:
    """Read all there is now, each partition in its order."""
    places = _places(topics)
    until = await consumer.end_offsets(places)
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    records: list[Any] = []
    while any([await consumer.position(place) < until[place] for place in places]):
        for place, found in (await consumer.getmany(timeout_ms=200)).items():
            records += [record for record in found if record.offset < until[place]]
    return records


def _places(topics: Sequence[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
