"""The servers of one test run: started by whoever asks first, shared by all workers of the run."""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from aiokafka.admin import NewTopic
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local import postgres
from deploy.local.kafka import EmbeddedKafka
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.process import Identity, RunFile, end_left_over, start_time
from deploy.local.settings import ROOT, free_ports
from deploy.local.topics import make_topics
from services.common.kit import migrate
from services.common.kit.db import driver_dsn

KAFKA_LIBS_DIR = Path(os.environ.get("KAFKA_LIBS_DIR") or ROOT / "var" / "kafka" / "libs")
FOLDER_VARIABLE = "MUTUAL_AID_TEST_SERVERS"  # set by the controller, inherited by its workers
_CONTROLLER_VARIABLE = "MUTUAL_AID_TEST_CONTROLLER"
_START_TIMEOUT_S = 120.0

# The server belongs to no worker (the first to finish would take it along); a watcher ends it
# when the controller has died without doing so.
_DETACHED = """
log=$1 signal=$2 controller=$3; shift 3
"$@" >>"$log" 2>&1 </dev/null & server=$!
( while [ -d /proc/$controller ] && [ -d /proc/$server ]; do sleep 0.5; done
  kill -s $signal $server ) >/dev/null 2>&1 </dev/null &
echo $server
"""


def open_folder(folder: Path) -> None:
    """Name the folder and the controller of this run to every worker it will start."""
    os.environ[FOLDER_VARIABLE] = str(folder)
    os.environ[_CONTROLLER_VARIABLE] = str(os.getpid())


def close_folder(folder: Path) -> None:
    for run_file in folder.glob("*.run.json"):
        end_left_over(run_file, timeout_s=10)
    shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])


@asynccontextmanager
async def _alone(name: str) -> AsyncGenerator[None]:
    """Between workers, one at a time."""
    with (_folder() / f"{name}.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


def _start(name: str, command: Sequence[str], end_signal: int, identity: Identity | None) -> None:
    log = _folder() / f"{name}.log"
    log.touch()
    if identity:
        os.chown(log, identity.uid, identity.gid)
    arguments = [str(log), str(int(end_signal)), os.environ[_CONTROLLER_VARIABLE], *command]
    started = subprocess.run(
        ["sh", "-c", _DETACHED, "sh", *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
        user=identity.uid if identity else None,
        group=identity.gid if identity else None,
        extra_groups=[] if identity else None,
        start_new_session=True,
    )
    pid = int(started.stdout)
    run_file = RunFile(pid=pid, start_time=start_time(pid) or 0, end_signal=int(end_signal))
    run_file.write(_folder() / f"{name}.run.json")


async def _until_ready(name: str, ready: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not await ready():
        if time.monotonic() > deadline:
            log = (_folder() / f"{name}.log").read_text(errors="replace")
            raise TimeoutError(f"{name} does not start:\n{log[-2000:]}")
        await asyncio.sleep(0.05)


@dataclass(frozen=True)
class PostgresServer:
    """One PostgreSQL for the run; fsync is off, everything else as in the real one."""

    server: EmbeddedPostgres

    @property
    def socket_dir(self) -> Path:
        return self.server.socket_dir

    @property
    def admin_url(self) -> str:
        return self.url("postgres", driver="postgresql")

    def url(
        self,
        database: str,
        user: str = postgres.SUPERUSER,
        driver: str = "postgresql+asyncpg",
    ) -> str:
        return self.server.url(database, user, driver)

    async def make_database(
        self, name: str, template: str | None = None, user: str | None = None
    ) -> str:
        """Make a fresh database whose name begins with `name`; give its SQLAlchemy url.

        The url is the superuser's, who owns all that the template holds. With `user` it is that
        service's, which has the rights of use that the migrations give and no more.
        """
        database = f"{name}_{os.urandom(4).hex()}"
        make = f'create database "{database}" template "{template or "template1"}"'
        if user is None:
            await self._say(make)
            return self.url(database)
        await self._let_use(template, user)
        close = f'revoke all on database "{database}" from public'
        await self._say(make, close, f'grant connect on database "{database}" to "{user}"')
        return self.url(database, user)

    def as_superuser(self, url: str) -> str:
        """Give the url of the same database for whoever may do there what its service may not."""
        return self.url(_database_of(url))

    async def run_as_superuser(self, url: str, *statements: str) -> None:
        await _run(driver_dsn(self.as_superuser(url)), statements)

    async def drop_database(self, url: str) -> None:
        await self._say(f'drop database if exists "{_database_of(url)}" with (force)')

    async def template(self, name: str, build: Callable[[str], Awaitable[None]]) -> str:
        """Build a database once for all workers (migrations, mostly); give the template's name."""
        database = f"template_{name}"
        built = _folder() / f"{database}.built"
        async with _alone(database):
            if not built.exists():
                await self._say(f'drop database if exists "{database}" with (force)')
                await self._say(f'create database "{database}"')
                await build(self.url(database))
                built.touch()
        return database

    async def _let_use(self, template: str | None, user: str) -> None:
        """Make the role and, once for all workers, give it its rights in the template."""
        marker = _folder() / f"{template}.used_by_{user}"
        async with _alone("roles"):
            if marker.exists():
                return
            await self._say(
                f"do $$ begin if to_regrole('{user}') is null"
                f" then create role {user} login; end if; end $$"
            )
            if template is not None:
                await _grant_use(self.url(template), user)
            marker.touch()

    async def _say(self, *statements: str) -> None:
        await _run(self.admin_url, statements)


@dataclass(frozen=True)
class KafkaServer:
    """One broker for the run; topics are made by the tests, under names of their own."""

    bootstrap: str

    async def make_topic(self, name: str, partitions: int = 12) -> str:
        await make_topics(self.bootstrap, [NewTopic(name, partitions, 1)])
        return name

    async def make_fresh_topic(self, prefix: str, partitions: int = 12) -> str:
        return await self.make_topic(f"{prefix}.{os.urandom(4).hex()}", partitions)


async def shared_postgres() -> PostgresServer:
    folder = _folder()
    server = EmbeddedPostgres(
        data_dir=folder / "postgres",
        run_dir=folder,
        log=folder / "initdb.log",
        settings={
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "idle_in_transaction_session_timeout": "60s",
        },
        sync=False,
    )
    async with _alone("postgres"):
        if not (folder / "postgres.run.json").exists():
            identity = await server.prepare()
            _start("postgres", server.command, postgres.END_SIGNAL, identity)
        await _until_ready("postgres", server.ready)
    return PostgresServer(server)


async def shared_kafka() -> KafkaServer:
    folder = _folder()
    known = folder / "kafka.json"
    async with _alone("kafka"):
        if not known.exists():
            known.write_text(json.dumps(free_ports(2)))
        port, controller_port = json.loads(known.read_text())
        server = EmbeddedKafka(
            data_dir=folder / "kafka",
            libs_dir=KAFKA_LIBS_DIR,
            port=port,
            controller_port=controller_port,
            heap_mb=256,
            log=folder / "format.log",
        )
        if not (folder / "kafka.run.json").exists():
            await server.prepare()
            _start("kafka", server.command, signal.SIGTERM, None)
        await _until_ready("kafka", server.ready)
        await make_topics(server.bootstrap, [])
    return KafkaServer(server.bootstrap)


async def _run(dsn: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _grant_use(url: str, user: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrate.grant_use, user)
    await engine.dispose()


def _database_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
