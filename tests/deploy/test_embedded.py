"""The embedded servers keep what they were given, and come back after being killed or wiped."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local import postgres
from deploy.local.platform import Platform
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.process import read_run_file
from deploy.local.settings import DATABASES, ROOT, free_port_env
from deploy.local.topics import listed_topics
from tests.deploy.waiting import until
from tests.servers import KAFKA_LIBS_DIR

Start = Callable[[str], Awaitable[Platform]]


def platform_env(var_dir: Path) -> dict[str, str]:
    ours = {"VAR_DIR": str(var_dir), "KAFKA_LIBS_DIR": str(KAFKA_LIBS_DIR)}
    return {**os.environ, **free_port_env(), **ours}


@pytest.fixture
async def start(tmp_path: Path) -> AsyncGenerator[Start]:
    begun: list[Platform] = []

    async def begin(name: str) -> Platform:
        begun.append(Platform(tmp_path, platform_env(tmp_path), only=[name]))
        await begun[-1].start()
        return begun[-1]

    yield begin
    for platform in begun:
        await platform.stop()


async def ask(platform: Platform, database: str, question: str, user: str = "") -> object:
    own = platform.database_url(database, driver="postgresql")
    connection = await asyncpg.connect(own.replace(f"//{database}@", f"//{user or database}@"))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_postgres_is_durable_and_every_service_has_its_own_database(start: Start) -> None:
    platform = await start("postgres")
    for name in DATABASES:
        assert await ask(platform, name, "select current_user || '@' || current_database()") == (
            f"{name}@{name}"
        )
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await ask(platform, "claims", f"show {setting}") == "on"
    assert await ask(platform, "claims", "show listen_addresses") == ""
    for trespasser in ("notify", "notify_owner"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(platform, "claims", "select 1", user=trespasser)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(platform, "postgres", "select 1", user="notify")


async def test_a_killed_postgres_comes_back_with_what_was_committed(start: Start) -> None:
    platform = await start("postgres")
    owner = postgres.owner_of("claims")
    await ask(platform, "claims", "create table witness as select 7 as id", user=owner)
    killed = platform.pid("postgres")
    platform.kill("postgres")
    await until(lambda: platform.restarts("postgres") == 1)
    await platform.wait_ready()
    assert platform.pid("postgres") != killed
    assert await ask(platform, "claims", "select id from witness", user=owner) == 7


async def test_a_service_makes_nothing_in_its_database_and_gives_itself_no_right(
    start: Start,
) -> None:
    platform = await start("postgres")
    for statement in (
        "create table mine (a int)",
        "create schema mine",
        "create temp table mine (a int)",
        "set role claims_owner",
        "alter database claims owner to claims",
        "grant claims_owner to claims",
        "alter role claims superuser",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(platform, "claims", statement)


async def test_a_data_folder_in_which_services_owned_their_tables_is_put_right_once(
    start: Start,
) -> None:
    platform = await start("postgres")
    for statement in (
        "drop database claims",
        "drop role claims_owner",
        "create database claims owner claims",
    ):
        await ask(platform, "postgres", statement, user=postgres.SUPERUSER)
    await ask(platform, "claims", "create table old (id int generated always as identity)")
    await ask(platform, "claims", "create function past() returns int return 1")
    await ask(platform, "notify", "create table theirs (id int)", user=postgres.owner_of("notify"))
    for _ in range(2):
        platform.kill("postgres")
        await platform.wait_ready()
        assert await ask(platform, "claims", "select has_table_privilege('old', 'select')") is False
    owners = (
        "select string_agg(distinct owner::regrole::text, ',') from ("
        " select relowner from pg_class where relnamespace = 'public'::regnamespace"
        " union select proowner from pg_proc where pronamespace = 'public'::regnamespace"
        " union select datdba from pg_database where datname = current_database()) as all_of(owner)"
    )
    assert await ask(platform, "claims", owners) == "claims_owner"
    assert await ask(platform, "notify", owners) == "notify_owner"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(platform, "claims", "drop table old")


async def test_the_migrations_give_every_service_the_use_of_its_rows_alone(tmp_path: Path) -> None:
    only = ["postgres", "migrations"]
    platform = Platform(tmp_path, platform_env(tmp_path), only=only)
    await platform.start()
    try:
        for name in DATABASES:
            table = "staff" if name == "gateway" else "outbox"
            assert await ask(platform, name, f"table {table}") is None
            for denied in (f"truncate {table}", f"drop table {table}", "table alembic_version"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await ask(platform, name, denied)
            owned = "select count(*) from pg_class where relowner = current_user::regrole"
            assert await ask(platform, name, owned) == 0
    finally:
        await platform.stop()


def test_a_deep_folder_has_its_socket_on_a_short_path(tmp_path: Path) -> None:
    deep = tmp_path / ("deep/" * 25)
    server = EmbeddedPostgres(deep / "data", deep / "run", deep / "log")
    again = EmbeddedPostgres(deep / "data", deep / "run", deep / "log")
    other = EmbeddedPostgres(deep / "other", deep / "run", deep / "log")
    assert len(str(server.socket_dir)) < 60
    assert server.socket_dir == again.socket_dir != other.socket_dir


async def cluster_and_topics(platform: Platform) -> tuple[str, set[str]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=platform.kafka_bootstrap)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"]), set(await admin.list_topics())
    finally:
        await admin.close()


async def test_a_wiped_kafka_is_a_new_cluster_with_all_its_topics(
    start: Start, tmp_path: Path
) -> None:
    wanted = {topic.name for topic in listed_topics()}
    platform = await start("kafka")
    first, topics = await cluster_and_topics(platform)
    assert topics == wanted
    await platform.stop_one("kafka")
    shutil.rmtree(tmp_path / "data" / "kafka")
    await platform.start_one("kafka")
    second, topics = await cluster_and_topics(platform)
    assert topics == wanted
    assert second != first


async def test_a_killed_kafka_comes_back_as_the_cluster_it_was(start: Start) -> None:
    platform = await start("kafka")
    before = await cluster_and_topics(platform)
    platform.kill("kafka")
    await platform.wait_ready("kafka")
    assert platform.restarts("kafka") == 1
    assert await cluster_and_topics(platform) == before


def local(var_dir: Path, env: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**env, "VAR_DIR": str(var_dir)},
    )
    return done.returncode, done.stdout + done.stderr


def test_up_and_down_and_up_after_the_keeper_was_killed(tmp_path: Path) -> None:
    env = platform_env(tmp_path)
    try:
        assert local(tmp_path, env, "status")[0] == 1
        status, said = local(tmp_path, env, "up", "--detach", "postgres")
        assert (status, "postgres ready" in said) == (0, True), said
        status, said = local(tmp_path, env, "up", "--detach")
        assert (status, "is up already" in said) == (0, True), said
        keeper = read_run_file(tmp_path / "run" / "supervisor.json")
        assert keeper is not None
        os.kill(keeper.pid, 9)
        assert local(tmp_path, env, "up", "--detach", "postgres")[0] == 0
        assert local(tmp_path, env, "status")[0] == 0
    finally:
        status, said = local(tmp_path, env, "down")
    assert (status, said) == (0, "stopped\n")
    assert local(tmp_path, env, "down") == (0, "nothing was running\n")
    assert not (tmp_path / "data" / "postgres" / "postmaster.pid").exists()
