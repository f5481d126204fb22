"""Who speaks to the bank: one process at a time, by an advisory lock on a connection of its own.

It saves only double work; that money moves once is seen to by the batch's own row and bytes.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from services.common.kit.db import DatabaseBounds, driver_dsn

LEADER_LOCK: Final = 0x6465736B  # "desk"; advisory locks are per database

Check = Callable[[], Awaitable[object]]


@asynccontextmanager
async def leadership(bounds: DatabaseBounds) -> AsyncGenerator[Check | None]:
    """Lead for the length of the block, or give None; the check raises once the lock is lost."""
    connection = await asyncpg.connect(
        driver_dsn(bounds.database_url),
        timeout=bounds.database_connect_timeout_s,
        command_timeout=bounds.database_command_timeout_s,
    )
    try:
        leads = await connection.fetchval("select pg_try_advisory_lock($1)", LEADER_LOCK)

        async def still_leading() -> None:
            await connection.fetchval("select 1")

        yield still_leading if leads else None
    finally:
        await connection.close(timeout=bounds.database_connect_timeout_s)
