"""A database that is away is trouble that passes; one that is back is met with new connections."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from typing import cast
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import DateTime, bindparam, text

from services.common.ids import new_id
from services.common.kit.db import TRANSIENT, Argument, Database, driver_dsn
from services.common.kit.settings import ServiceSettings
from tests.conftest import MakeDatabase
from tests.servers import PostgresServer

APPLICATION = "kit.db under test"
AT_ONCE = 5


@asynccontextmanager
async def database_with(make_database: MakeDatabase, **knobs: float) -> AsyncGenerator[Database]:
    url = await make_database("kit_db")
    settings = ServiceSettings.model_validate({"database_url": url, "port": 0, **knobs})
    database = Database(settings, application=APPLICATION)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(make_database: MakeDatabase) -> AsyncGenerator[Database]:
    async with database_with(make_database, database_pool_size=AT_ONCE) as database:
        yield database


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


async def backend(database: Database) -> int:
    async with database.begin() as unit:
        return await unit.fetchval("select pg_backend_pid()")


async def make_and_fail(database: Database) -> None:
    async with database.begin() as unit:
        await unit.core.execute(text("create table ours (id int)"))
        assert await unit.fetchval("select count(*) from ours") == 0
        await unit.fetchval("select 1 / 0")


async def test_one_connection_serves_one_after_another_whatever_became_of_them(
    database: Database,
) -> None:
    first = await backend(database)
    for _ in range(2):  # the second one finds no table of the first
        with pytest.raises(asyncpg.DivisionByZeroError):
            await make_and_fail(database)
    assert await backend(database) == first


async def test_a_connection_to_a_server_that_only_reads_is_not_kept_whoever_was_told(
    database: Database,
) -> None:
    write = "create table ours (id int)"
    for by_driver in (True, False):
        async with database.begin() as unit:
            await unit.execute("set default_transaction_read_only = on")
            demoted = await unit.fetchval("select pg_backend_pid()")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with database.begin() as unit:
                await (unit.execute(write) if by_driver else unit.core.execute(text(write)))
        assert await backend(database) != demoted


async def test_sqlalchemy_and_the_driver_are_in_the_same_transaction(database: Database) -> None:
    for _ in range(2):  # the second time on a connection that was given back
        with pytest.raises(asyncpg.DivisionByZeroError):
            await make_and_fail(database)
        async with database.begin() as unit:
            found = await unit.core.scalar(text("select pg_backend_pid()"))
            assert found == await unit.fetchval("select pg_backend_pid()")


async def test_who_is_cancelled_leaves_no_transaction_to_the_next(database: Database) -> None:
    async def sleep() -> None:
        async with database.begin() as unit:
            await unit.execute("create table half (id int)")
            await unit.execute("select pg_sleep(60)")

    for _ in range(2 * AT_ONCE):
        sleeping = asyncio.create_task(sleep())
        await asyncio.sleep(0.02)
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
    async with database.begin() as unit:
        assert await unit.fetchval("select to_regclass('half')") is None


async def test_a_single_statement_is_a_transaction_by_itself(database: Database) -> None:
    async with database.begin() as unit:
        await unit.execute("create table thing (id int primary key)")
    add = "insert into thing select unnest($1::int[])"
    async with database.begin(single=True) as unit:
        await unit.execute(add, list(range(100)))
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.begin(single=True) as unit:
            await unit.execute(add, [100, 0])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), database.begin(single=True) as unit:
            await unit.execute("insert into thing select 200 from pg_sleep(60)")
    async with database.begin(single=True) as unit:
        assert await unit.fetchval("select array[count(*), max(id)] from thing") == [100, 99]


async def test_who_is_one_too_many_waits_for_a_connection_and_not_for_ever(
    make_database: MakeDatabase,
) -> None:
    one = database_with(make_database, database_pool_size=1, database_connect_timeout_s=0.5)
    async with one as database:
        async with database.begin() as unit:
            with pytest.raises(TimeoutError):
                await database.ping()
            waiting = asyncio.create_task(database.ping())
            await unit.fetchval("select 1")
            assert not waiting.done()
        await waiting


async def test_a_moment_comes_back_as_it_was_to_the_microsecond(database: Database) -> None:
    first = datetime(1949, 10, 1, 15, 0, 0, 1, tzinfo=timezone(timedelta(hours=8)))
    moments = [first, datetime(2000, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), None]
    async with database.begin() as unit:
        await unit.execute("create table seen (n int, at timestamptz, told text)")
        rows = list(enumerate([*moments, *moments]))
        await unit.copy("seen", ("n", "at"), rows)
        await unit.execute("update seen set told = to_char(at, 'YYYY-MM-DD HH24:MI:SS.US')")
        found = await unit.fetch("select at, told from seen order by n")
        assert [row["at"] for row in found] == [*moments, *moments]
        assert found[0]["told"] == "1949-10-01 07:00:00.000001"
        assert await unit.fetchval("select $1::timestamptz[]", moments) == moments
        echo = text("select :at").bindparams(bindparam("at", type_=DateTime(timezone=True)))
        for moment in moments:
            assert await unit.core.scalar(echo, {"at": moment}) == moment


async def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    async with database.begin() as unit:
        with pytest.raises(asyncpg.DataError):
            await unit.fetchval("select $1::timestamptz", datetime(2025, 1, 1))  # noqa: DTZ001 - the scene


async def test_a_report_has_more_time_than_others_and_sees_one_moment(
    make_database: MakeDatabase,
) -> None:
    hasty = {"statement_timeout_ms": 300, "database_command_timeout_s": 0.4}
    async with database_with(make_database, **hasty) as database:
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


@pytest.mark.parametrize(
    ("type_of", "sent"),
    [
        ("int8[]", [1, None, -1]),
        ("int8[]", [[1, 2], [3, 4]]),
        ("int8[]", []),
        ("text[]", ("", "{}", "张", None)),
        ("bytea[]", [b"", b"\x00"]),
        ("uuid[]", [UUID(int=1), new_id()]),
        ("date[]", [date(2025, 1, 1), None]),
    ],
)
async def test_an_array_comes_back_as_it_was_sent(
    database: Database, type_of: str, sent: Sequence[Argument]
) -> None:
    async with database.begin() as unit:
        assert await unit.fetchval(f"select $1::{type_of}", sent) == list(sent)


async def test_what_is_no_list_is_not_taken_for_an_array(database: Database) -> None:
    async with database.begin() as unit:
        for sent in ({1: 2}, {1, 2}, "12", iter([1])):
            with pytest.raises(asyncpg.DataError):
                await unit.fetchval("select $1::int8[]", cast("Argument", sent))
