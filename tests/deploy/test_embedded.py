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


async def ask(platform: Platform, database: str, question: str) -> object:
    connection = await asyncpg.connect(platform.database_url(database, driver="postgresql"))
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
    trespasser = platform.database_url("claims", driver="postgresql").replace(
        "//claims@", "//notify@"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(trespasser)


async def test_a_killed_postgres_comes_back_with_what_was_committed(start: Start) -> None:
    platform = await start("postgres")
    await ask(platform, "claims", "create table witness as select 7 as id")
    killed = platform.pid("postgres")
    platform.kill("postgres")
    await until(lambda: platform.restarts("postgres") == 1)
    await platform.wait_ready()
    assert platform.pid("postgres") != killed
    assert await ask(platform, "claims", "select id from witness") == 7


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
