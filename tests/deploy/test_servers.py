"""The servers that every other test leans on are real, separate per test, and shared per run."""

from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import MakeDatabase
from tests.servers import KafkaServer, PostgresServer


async def test_a_database_is_postgresql_18_and_empty(make_database: MakeDatabase) -> None:
    engine = create_async_engine(await make_database("claims"))
    async with engine.connect() as connection:
        version = await connection.scalar(text("show server_version_num"))
        tables = await connection.scalar(
            text("select count(*) from pg_tables where schemaname = 'public'")
        )
    await engine.dispose()
    assert int(str(version)) // 10_000 == 18
    assert tables == 0


async def test_a_template_is_built_once_and_copied(
    postgres_server: PostgresServer, make_database: MakeDatabase
) -> None:
    built: list[str] = []

    async def build(url: str) -> None:
        built.append(url)
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute("create table witness (id int); insert into witness values (7)")
        await connection.close()

    first = await postgres_server.template("of_test_servers", build)
    again = await postgres_server.template("of_test_servers", build)
    assert (first, len(built)) == (again, 1)
    copy = await asyncpg.connect((await make_database("copy", first)).replace("+asyncpg", ""))
    assert await copy.fetchval("select id from witness") == 7
    await copy.close()


async def test_a_record_goes_through_the_broker(kafka_server: KafkaServer) -> None:
    topic = await kafka_server.make_fresh_topic("servers", partitions=1)
    # aiokafka has no types for what it carries, so these are read as anything.
    producer: Any = AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap)
    async with producer:
        await producer.send_and_wait(topic, b"warm", key=b"member")
    consumer: Any = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka_server.bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"member", b"warm")
