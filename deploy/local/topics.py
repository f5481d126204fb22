"""The topics of deploy/kafka/topics.yaml, made wherever a broker comes up without them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from deploy.local.kafka import CONFIG_DIR
from deploy.local.process import SetupFailed

_ALREADY_THERE = 36
_DEADLINE_S = 60.0


class _Defaults(TypedDict):
    partitions: int
    replication_factor: int
    config: dict[str, int | str]


class _TopicsFile(TypedDict):
    defaults: _Defaults
    topics: list[str]


def listed_topics(path: Path = CONFIG_DIR / "topics.yaml") -> list[NewTopic]:
    content: _TopicsFile = yaml.safe_load(path.read_text())
    defaults = content["defaults"]
    config = {name: str(value) for name, value in defaults["config"].items()}
    return [
        NewTopic(name, defaults["partitions"], defaults["replication_factor"], topic_configs=config)
        for name in content["topics"]
    ]


async def make_topics(bootstrap: str, topics: Sequence[NewTopic]) -> None:
    """Asked until the broker answers: it listens some time before it can lead partitions."""
    refused: object = "no answer"
    try:
        async with asyncio.timeout(_DEADLINE_S):
            while True:
                try:
                    return await _make(bootstrap, topics)
                except (KafkaError, OSError) as error:
                    refused = error
                    await asyncio.sleep(0.1)
    except TimeoutError:
        raise SetupFailed(f"Kafka at {bootstrap} does not make topics: {refused}") from None


async def _make(bootstrap: str, topics: Sequence[NewTopic]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await admin.start()
        answer = await admin.create_topics(list(topics), timeout_ms=10_000)
        errors: list[dict[str, int]] = answer.to_object()["topic_errors"]
        for code in (error["error_code"] for error in errors):
            if code not in (0, _ALREADY_THERE):
                raise for_code(code)
    finally:
        await admin.close()
