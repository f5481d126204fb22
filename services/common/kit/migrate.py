"""Brings a database to the newest shape: alembic, with one environment for all services.

A service keeps only its steps, `services/<name>/migrations/0001_what.py`; the environment and the
template of a step lie beside this file in `migrations/`.
"""

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from alembic import command, op
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.common.kit.logs import get_logger

LOCK_TIMEOUT_MS: Final = 2_000
ENVIRONMENT: Final = Path(__file__).parent / "migrations"
# One number for all: a database is one service's, so whoever holds it there is migrating it.
_MIGRATING: Final = 0x6D757475616C


async def upgrade(package: str, database_url: str, revision: str = "head") -> None:
    """Bring the database of `package` (`services.claims`) to `revision`; a second caller waits."""
    log = get_logger()
    log.info("migrate.started", name=package)
    engine = create_async_engine(database_url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select pg_advisory_lock(:key)"), {"key": _MIGRATING})
            # A step that waits for a lock stops everybody behind it: better to fail and try again.
            await connection.execute(text(f"set lock_timeout = {LOCK_TIMEOUT_MS}"))
            await connection.commit()
            await connection.run_sync(_upgrade, config(package), revision)
    finally:
        await engine.dispose()
    log.info("migrate.done", name=package)


def _upgrade(connection: Connection, settings: Config, revision: str) -> None:
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)


def execute(statements: Iterable[str]) -> None:
    """Run statements as they stand, from within a step: a colon in them is a colon."""
    bind = op.get_bind()
    for statement in statements:
        bind.exec_driver_sql(statement)


def config(package: str) -> Config:
    """Give alembic's settings for the steps of a package."""
    found = importlib.util.find_spec(package)
    assert found is not None, package
    assert found.submodule_search_locations is not None, package
    settings = Config()
    settings.set_main_option("script_location", str(ENVIRONMENT))
    settings.set_main_option("path_separator", "newline")
    steps = Path(found.submodule_search_locations[0]) / "migrations"
    settings.set_main_option("version_locations", str(steps))
    return settings
