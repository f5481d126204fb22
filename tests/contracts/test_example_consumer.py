"""The example that other teams copy runs, and counts an event that comes twice once."""

import asyncio
import os
import sys

from deploy.local.settings import ROOT
from services.common.contracts.asyncapi import EXAMPLES
from services.common.contracts.event import PARTITIONS
from services.common.contracts.payments import PayoutPaid, PayoutRefused
from services.common.kit.db import Database
from services.common.kit.health import Health
from services.common.kit.kafka import Cluster, LogReader
from services.common.kit.outbox import PENDING
from services.common.kit.relay import Relay
from tests.common.kit.stream import Knobs, lay_tables, running
from tests.conftest import MakeDatabase
from tests.servers import KafkaServer

TOPIC = "payments.payout.v1"


async def published(knobs: Knobs, events: list[PayoutPaid | PayoutRefused]) -> int:
    """Publish the events as a service does; give how many events the topic holds then."""
    database, cluster = Database(knobs, application="payments"), Cluster(knobs)
    async with database.begin() as unit:
        await unit.publish(events)
    async with asyncio.timeout(30), running(Relay(knobs, database, cluster, Health()).run):
        waiting = len(events)
        while waiting:
            await asyncio.sleep(0.05)
            async with database.begin() as unit:
                waiting = await unit.fetchval(PENDING)
    reader = LogReader(knobs)
    await reader.open({(TOPIC, number): 0 for number in range(PARTITIONS)})
    count = 0
    while records := await reader.next(wait_s=1.0, events_max=5_000):
        count += sum(record.events for record in records)
    await reader.close()
    await cluster.close()
    await database.close()
    return count


async def run_example(bootstrap: str, events_max: int) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "docs" / "examples" / "consumer.py"),
        str(events_max),
        env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        said, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return said.decode().splitlines()


async def test_the_example_tells_each_paid_payout_once(
    make_database: MakeDatabase, kafka_server: KafkaServer
) -> None:
    await kafka_server.make_topic(TOPIC)
    url = await make_database("example")
    await lay_tables(url)
    knobs = Knobs(database_url=url, kafka_bootstrap_servers=kafka_server.bootstrap)
    (refused,) = (event for event in EXAMPLES if isinstance(event, PayoutRefused))
    (paid,) = (event for event in EXAMPLES if isinstance(event, PayoutPaid))
    count = await published(knobs, [refused, paid, paid])
    lines = await run_example(kafka_server.bootstrap, count)
    assert lines.count(f"{paid.payout_id} {paid.amount_fen}") == 1
