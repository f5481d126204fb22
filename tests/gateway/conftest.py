"""A gateway per test, over one database per worker that is emptied in between."""

from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Any, Protocol

import pytest

from services.common.kit import migrate
from services.common.kit.settings import Profile
from tests.gateway.house import House, build
from tests.servers import PostgresServer

EMPTY = """
    do $$ begin
        execute (select 'truncate ' || string_agg(quote_ident(tablename), ', ') from pg_tables
                 where schemaname = 'public'
                   and tablename not in ('alembic_version', 'append_only'));
    end $$
"""


class MakeHouse(Protocol):
    def __call__(self, profile: Profile = "development", **given: Any) -> Awaitable[House]: ...  # noqa: ANN401 - settings


async def _migrate(url: str) -> None:
    await migrate.upgrade("gateway", url)


@pytest.fixture(scope="session")
async def _gateway_url(postgres_server: PostgresServer) -> AsyncGenerator[str]:
    template = await postgres_server.template("gateway", _migrate)
    url = await postgres_server.make_database("gateway", template, user="gateway")
    yield url
    await postgres_server.drop_database(url)


@pytest.fixture
async def make_house(
    _gateway_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> AsyncGenerator[MakeHouse]:
    made: list[House] = []
    await postgres_server.run_as_superuser(_gateway_url, EMPTY)

    async def make(profile: Profile = "development", **given: Any) -> House:  # noqa: ANN401 - settings
        made.append(await build(_gateway_url, tmp_path, profile, **given))
        return made[-1]

    yield make
    for house in made:
        await house.close()


@pytest.fixture
async def house(make_house: MakeHouse) -> House:
    return await make_house()


@pytest.fixture
async def strict_house(make_house: MakeHouse) -> House:
    return await make_house("strict")
