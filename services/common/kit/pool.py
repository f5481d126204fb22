"""A process's open connections, at most so many, each with its way into SQLAlchemy held open.

SQLAlchemy makes them, but to take one out of its own pool and put it back cost more than twice as
much as the transaction it was taken for.
"""

import asyncio
import time
from typing import Final, NamedTuple, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common.kit import moments, outbox
from services.common.kit.arrays import only_lists_are_arrays

AGE_MAX_S: Final = 1800.0


class Held(NamedTuple):
    """A connection, as SQLAlchemy has it and as the driver does."""

    core: AsyncConnection
    driver: "asyncpg.Connection[asyncpg.Record]"
    made_at: float

    async def end(self) -> None:
        self.driver.terminate()
        await self.core.close()


class Pool:
    """The engine must keep none itself (`NullPool`). Who was served last is served first again."""

    def __init__(self, engine: AsyncEngine, *, size: int, patience_s: float) -> None:
        only_lists_are_arrays()
        self._engine = engine
        self._free: list[Held] = []
        self._places = asyncio.Semaphore(size)
        self._patience_s = patience_s
        self._closed = False

    async def take(self) -> Held:
        """Give a connection that lives as far as is known; raises `TimeoutError` if none gets free.

        Whoever takes one gives it back.
        """
        if self._places.locked():
            async with asyncio.timeout(self._patience_s):
                await self._places.acquire()
        else:
            await self._places.acquire()
        try:
            while self._free:
                held = self._free.pop()
                # A server that went away takes its connections along, and a proxy the old ones.
                if not held.driver.is_closed() and time.monotonic() < held.made_at + AGE_MAX_S:
                    return held
                await held.end()
            return await self._made()
        except BaseException:
            self._places.release()
            raise

    async def give_back(self, held: Held, *, sound: bool) -> None:
        """Keep it for the next one; what is not sound, or may be in a transaction, is ended."""
        try:
            gone = held.driver.is_closed() or held.core.invalidated
            if not sound or gone or self._closed:
                await held.end()
                return
            if held.core.in_transaction():  # in SQLAlchemy's own mind; the server knows of none
                await held.core.rollback()
            self._free.append(held)
        finally:
            self._places.release()

    async def close(self) -> None:
        """End all that are free now, and the others when they are given back."""
        self._closed = True
        while self._free:
            held = self._free.pop()
            await held.driver.close()
            await held.core.close()

    async def _made(self) -> Held:
        core = await self._engine.connect()
        try:
            raw = await core.get_raw_connection()
            driver = cast("asyncpg.Connection[asyncpg.Record]", raw.driver_connection)
            await moments.teach(driver)
            # Nothing is published but on one of these.
            await driver.execute(outbox.MONTHS_MADE)
        except BaseException:
            await core.close()
            raise
        return Held(core, driver, time.monotonic())
