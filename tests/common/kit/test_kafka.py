"""What aiokafka cancels is trouble with the broker, what we cancel an end; readers never sleep."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

import pytest
from aiokafka.errors import KafkaConnectionError

from services.common.contracts.event import PARTITIONS
from services.common.kit.kafka import (
    FETCH_WAIT_MS,
    Header,
    LogReader,
    LogWriter,
    Outgoing,
    Record,
)
from services.common.kit.settings import ServiceSettings
from tests.servers import KafkaServer


@pytest.fixture
async def reader(kafka_server: KafkaServer) -> AsyncGenerator[LogReader]:
    bootstrap = kafka_server.bootstrap
    settings = ServiceSettings(database_url="", port=0, kafka_bootstrap_servers=bootstrap)
    reader = LogReader(settings)
    yield reader
    await reader.close()


@pytest.fixture
async def writer(kafka_server: KafkaServer) -> AsyncGenerator[LogWriter]:
    bootstrap = kafka_server.bootstrap
    writer = LogWriter(ServiceSettings(database_url="", port=0, kafka_bootstrap_servers=bootstrap))
    await writer.open()
    yield writer
    await writer.close()


async def _asked(reader: LogReader) -> tuple["asyncio.Task[None]", "asyncio.Task[object]"]:
    """Have the reader wait for a task, as aiokafka waits for tasks of its own."""
    inner = asyncio.create_task(asyncio.sleep(60))

    async def wait(_: object) -> None:
        await inner

    # No broker dies at the very moment that one would choose.
    reader._consumer.end_offsets = wait  # pyright: ignore[reportPrivateUsage] - see the line above
    asking = asyncio.create_task(reader.ends(["a.topic"]))
    await asyncio.sleep(0)
    return inner, asking


async def test_a_wait_that_aiokafka_cancels_is_trouble_with_the_broker(reader: LogReader) -> None:
    inner, asking = await _asked(reader)
    inner.cancel()
    with pytest.raises(KafkaConnectionError):
        await asking


async def test_a_wait_that_we_cancel_ends(reader: LogReader) -> None:
    _, asking = await _asked(reader)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_reader_that_was_busy_hears_at_once_what_comes_next(
    kafka_server: KafkaServer, reader: LogReader, writer: LogWriter
) -> None:
    topics = [await kafka_server.make_fresh_topic(name) for name in ("busy", "silent")]
    await reader.open({(topic, number): 0 for topic in topics for number in range(PARTITIONS)})
    everywhere = {
        (topics[0], number): [Outgoing(b"{}", 0, [("events", b"1")])]
        for number in range(PARTITIONS)
    }

    async def hear() -> None:
        came = 0
        while came < PARTITIONS:
            came += len(await reader.next(wait_s=FETCH_WAIT_MS / 1000, events_max=5_000))

    for _ in range(3):
        await writer.write(everywhere)
        written = time.monotonic()
        await hear()
        assert time.monotonic() - written < FETCH_WAIT_MS / 2000
        await writer.write(everywhere)
        await asyncio.sleep(0.5)  # busy while more comes
        await hear()


class Raw(NamedTuple):
    """What of aiokafka's record tells how many events it holds."""

    headers: Sequence[Header]


@pytest.mark.parametrize(
    ("told", "events"),
    [(b"7", 7), (b"200", 200), (None, 1), (b"", 1), (b"-1", 1), (b"x", 1), (b"9" * 5_000, 1)],
)
def test_a_count_that_cannot_be_read_is_taken_for_one(told: bytes | None, events: int) -> None:
    assert Record(("a.topic", 0), Raw([("other", b"3"), ("events", told)])).events == events
    assert Record(("a.topic", 0), Raw([])).events == 1


async def test_a_set_with_more_events_than_were_asked_for_is_given_and_the_next_one_too(
    kafka_server: KafkaServer, reader: LogReader, writer: LogWriter
) -> None:
    lane = await kafka_server.make_fresh_topic("large"), 0
    sets = [Outgoing(b"{}", 0, [("events", b"200")])] * 2
    await writer.write({lane: sets})
    await reader.open({lane: 0})
    found: list[Record] = []
    async with asyncio.timeout(30):
        while len(found) < len(sets):
            found += await reader.next(wait_s=1.0, events_max=100)
    assert [record.offset for record in found] == [0, 1]
