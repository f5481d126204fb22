"""Real servers for the tests: one PostgreSQL and one Kafka for the whole run, on first request."""

import tempfile
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Protocol

import pytest

from tests import servers
from tests.servers import KafkaServer, PostgresServer

_FOLDER = pytest.StashKey[Path]()


class MakeDatabase(Protocol):
    def __call__(self, name: str, template: str | None = None) -> Awaitable[str]: ...


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

    async def make(name: str, template: str | None = None) -> str:
        made.append(await postgres_server.make_database(name, template))
        return made[-1]

    yield make
    for url in made:
        await postgres_server.drop_database(url)
