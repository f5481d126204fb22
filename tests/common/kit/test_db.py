"""A database that is away is trouble that passes; one that is back is met with new connections."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from services.common.kit.db import TRANSIENT, Database, driver_dsn
from services.common.kit.settings import ServiceSettings
from tests.conftest import MakeDatabase
from tests.servers import PostgresServer

APPLICATION = "kit.db under test"
AT_ONCE = 5


@pytest.fixture
async def database(make_database: MakeDatabase) -> AsyncGenerator[Database]:
    url = await make_database("kit_db")
    settings = ServiceSettings(database_url=url, port=0, database_pool_size=AT_ONCE)
    database = Database(settings, application=APPLICATION)
    yield database
    await database.close()


async def test_a_server_that_takes_nobody_in_is_trouble_that_passes(
    make_database: MakeDatabase, postgres_server: PostgresServer
) -> None:
    name = (await make_database("kit_db")).partition("?")[0].rpartition("/")[2]
    clerk = f"clerk_of_{name}"
    superuser = await asyncpg.connect(postgres_server.admin_url)
    await superuser.execute(f'create role "{clerk}" login')
    await superuser.execute(f'alter database "{name}" connection limit 0')
    settings = ServiceSettings(database_url=postgres_server.url(name, clerk), port=0)
    database = Database(settings, application=APPLICATION)
    try:
        with pytest.raises(asyncpg.TooManyConnectionsError) as refused:
            await database.ping()
        assert isinstance(refused.value, TRANSIENT)
    finally:
        await database.close()
        await superuser.execute(f'drop role "{clerk}"')
        await superuser.close()


async def test_a_pool_of_dead_connections_fails_nobody(database: Database) -> None:
    async def hold_together(barrier: asyncio.Barrier) -> None:
        async with database.begin() as unit:
            await unit.fetchval("select 1")
            await barrier.wait()

    barrier = asyncio.Barrier(AT_ONCE)
    await asyncio.gather(*(hold_together(barrier) for _ in range(AT_ONCE)))
    killer = await asyncpg.connect(driver_dsn(database.url))
    ended = await killer.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
        APPLICATION,
    )
    await killer.close()
    assert len(ended) == AT_ONCE
    await asyncio.sleep(0.2)  # until the news has arrived here

    for _ in range(AT_ONCE):
        await database.ping()


async def test_a_report_has_more_time_than_others_and_sees_one_moment(
    make_database: MakeDatabase,
) -> None:
    settings = ServiceSettings(
        database_url=await make_database("kit_db"),
        port=0,
        statement_timeout_ms=300,
        database_command_timeout_s=0.4,
    )
    database = Database(settings, application=APPLICATION)
    try:
        with pytest.raises(TRANSIENT):
            async with database.begin() as unit:
                await unit.fetchval("select pg_sleep(1)")
        async with database.report() as unit:
            before = await unit.fetchval("select count(*) from pg_class")
            await unit.fetchval("select pg_sleep(1)")
            async with database.begin() as other:
                await other.execute("create table made_meanwhile (id int)")
            assert await unit.fetchval("select count(*) from pg_class") == before
        async with database.begin() as unit:
            assert await unit.fetchval("show statement_timeout") == "300ms"
    finally:
        await database.close()
