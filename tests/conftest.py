"""Real servers for the tests: one PostgreSQL and one Kafka for the whole run, on first request."""

import tempfile
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import servers
from tests.servers import KafkaServer, PostgresServer

# A shared machine has slow moments, and the first text ever drawn builds a table of all signs:
# neither says anything about the code.
settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")

_FOLDER = pytest.StashKey[Path]()
# Whoever needs a whole platform shares it, so the tests of such a folder stay on one worker.
_PLATFORM_FOLDERS = ("tests/system/", "tests/faults/")


class _OneWorkerPerPlatform(LoadScopeScheduling):
    """Stands in for xdist's groups, which pytest 9.2 silently ignores (pytest-xdist #1386)."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in _PLATFORM_FOLDERS if nodeid.startswith(folder)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _OneWorkerPerPlatform(config, log)


class MakeDatabase(Protocol):
    def __call__(
        self, name: str, template: str | None = None, user: str | None = None
    ) -> Awaitable[str]: ...


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the controller, or the only process there is
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="mutual-aid-tests-"))
        servers.open_folder(config.stash[_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_FOLDER, None)
    if folder:
        servers.close_folder(folder)


@pytest.fixture(scope="session")
async def postgres_server() -> PostgresServer:
    return await servers.shared_postgres()


@pytest.fixture(scope="session")
async def kafka_server() -> KafkaServer:
    return await servers.shared_kafka()


@pytest.fixture
async def make_database(postgres_server: PostgresServer) -> AsyncGenerator[MakeDatabase]:
    """Give fresh databases to one test, dropped behind it."""
    made: list[str] = []

    async def make(name: str, template: str | None = None, user: str | None = None) -> str:
        made.append(await postgres_server.make_database(name, template, user))
        return made[-1]

    yield make
    for url in made:
        await postgres_server.drop_database(url)
