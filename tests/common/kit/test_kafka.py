"""What aiokafka cancels of its own accord is trouble with the broker; what we cancel is an end."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from aiokafka.errors import KafkaConnectionError

from services.common.kit.kafka import LogReader
from services.common.kit.settings import ServiceSettings
from tests.servers import KafkaServer


@pytest.fixture
async def reader(kafka_server: KafkaServer) -> AsyncGenerator[LogReader]:
    bootstrap = kafka_server.bootstrap
    settings = ServiceSettings(database_url="", port=0, kafka_bootstrap_servers=bootstrap)
    reader = LogReader(settings)
    yield reader
    await reader.close()


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
