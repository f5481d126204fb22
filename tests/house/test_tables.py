"""The tables as a service's code knows them are the tables that its migrations make.

A migration is written out: what it did once it must do for ever, whatever the code says later.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local.settings import ROOT
from services.common.kit import migrate
from tests.conftest import MakeDatabase


def test_a_migration_is_written_out_and_does_not_ask_the_code_for_its_tables() -> None:
    steps = [*(ROOT / "services").glob("*/migrations/*.py"), *(ROOT / "gateway").glob("migr*/*.py")]
    asking = [step.name for step in steps if "tables" in _imported(step.read_text("utf-8"))]
    assert steps
    assert asking == []


def _imported(source: str) -> str:
    return " ".join(line for line in source.splitlines() if line.startswith(("from ", "import ")))


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    """Compare what is declared; the kit's own tables and notify's bulk tables are not."""

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in metadata.tables

    context = MigrationContext.configure(
        connection, opts={"include_name": ours, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def declared(tables: ModuleType) -> MetaData:
    """Give what a service's tables declare: in one module, or in a folder of them."""
    if hasattr(tables, "metadata"):
        return tables.metadata
    rooms = [import_module(f"{tables.__name__}.{m.name}") for m in iter_modules(tables.__path__)]
    return rooms[0].metadata


@pytest.mark.parametrize("service", ["enrollment", "claims", "payments", "notify"])
async def test_the_migrations_make_the_tables_that_the_code_knows(
    service: str, make_database: MakeDatabase
) -> None:
    url = await make_database(f"{service}_tables")
    await migrate.upgrade(f"services.{service}", url)
    metadata = declared(import_module(f"services.{service}.tables"))
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences, metadata)
    await engine.dispose()
    assert found == []
