"""One process leads a job, by an advisory lock on a connection of its own; others stand by.

It saves double work only. That an effect happens once is seen to by the effect's own key.
"""

import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

from services.common.kit.db import DatabaseBounds, Row, driver_dsn


class Lead(NamedTuple):
    """The lead in a job; it lasts as long as its connection."""

    connection: "asyncpg.Connection[Row]"

    async def still_held(self) -> None:
        """Raise a transient error once the connection, and with it the lock, is lost."""
        await self.connection.fetchval("select 1")


@asynccontextmanager
async def leadership(bounds: DatabaseBounds, job: str) -> AsyncGenerator[Lead | None]:
    """Lead `job` for the length of the block, or give None where another process does."""
    connection = await asyncpg.connect(
        driver_dsn(bounds.database_url),
        timeout=bounds.database_connect_timeout_s,
        command_timeout=bounds.database_command_timeout_s,
    )
    try:
        # Advisory locks are per database, so a job's name need only be unique in its service.
        leads = await connection.fetchval(
            "select pg_try_advisory_lock($1)", zlib.crc32(job.encode())
        )
        yield Lead(connection) if leads else None
    finally:
        await connection.close(timeout=bounds.database_connect_timeout_s)
