"""Database access: one engine per process, one transaction per use case, a deadline on everything.

SQLAlchemy owns the tables and the statements about one row or a page of rows
(`unit.core`); sets go through the driver of the same connection (`unit.fetch`, `unit.copy`).
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any, Final, Protocol, cast
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from services.common.contracts.event import Event
from services.common.kit import outbox
from services.common.kit.pool import Pool

Row = asyncpg.Record
# What a statement takes; an array is sent from a list or a tuple (kit/arrays.py).
_Value = str | bytes | int | UUID | date | timedelta | None
Argument = _Value | Sequence["Argument"]

# A statement about more than so many is planned for them; planning costs about as much as ten.
SET_ROWS: Final = 50

# What adds up whole tables takes seconds once they hold a year's millions.
REPORT_S: Final = 60.0

# Worth another try of the whole unit: serialization failure, deadlock, lock time-out, statement
# time-out, server shutting down, connection lost, read-only after a failover.
TRANSIENT = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    # What asyncpg says of a connection whose backend has just been ended (its issue #1069).
    asyncpg.InternalClientError,
    ConnectionError,
    TimeoutError,  # of the pool too
    OSError,
)

# After these the connection itself is of no use: its server is not the one to write to, or gone.
_UNSOUND: Final = (asyncpg.ReadOnlySQLTransactionError, asyncpg.InternalClientError)


def is_transient(error: BaseException) -> bool:
    """Say whether the whole unit is worth another try."""
    return isinstance(_said(error), TRANSIENT)


def _said(error: BaseException) -> BaseException | None:
    """Give what the driver said: SQLAlchemy's wrapping is one for all kinds of trouble."""
    if isinstance(error, DBAPIError):
        return error.orig.__cause__ if error.orig else None
    return error


class DatabaseBounds(Protocol):
    """What a service's settings say about its database; durations carry their unit."""

    @property
    def database_url(self) -> str: ...
    @property
    def database_pool_size(self) -> int: ...
    @property
    def database_connect_timeout_s(self) -> float: ...
    @property
    def database_command_timeout_s(self) -> float: ...
    @property
    def statement_timeout_ms(self) -> int: ...
    @property
    def lock_timeout_ms(self) -> int: ...
    @property
    def idle_in_transaction_timeout_ms(self) -> int: ...


class Unit:
    """One open transaction."""

    def __init__(
        self, core: AsyncConnection, driver: "asyncpg.Connection[Row]", *, single: bool = False
    ) -> None:
        self.core = core
        self._driver = driver
        self.published = False
        # Who waits for what this transaction writes; they are woken once it is committed.
        self.wakes: set[asyncio.Event] = set()
        # Settings of a transaction are for more than one statement.
        self._plans_anew = single
        self._timeout_s: float | None = None  # the connection's own

    async def fetch(self, sql: str, *args: Argument) -> list[Row]:
        await self._plan_for(args)
        return await self._driver.fetch(sql, *args, timeout=self._timeout_s)

    async def fetchrow(self, sql: str, *args: Argument) -> Row | None:
        await self._plan_for(args)
        return await self._driver.fetchrow(sql, *args, timeout=self._timeout_s)

    async def fetchval(self, sql: str, *args: Argument) -> Any:  # noqa: ANN401 - a column of any type
        await self._plan_for(args)
        return await self._driver.fetchval(sql, *args, timeout=self._timeout_s)

    async def execute(self, sql: str, *args: Argument) -> int:
        """Run a statement and give the number of rows it touched."""
        await self._plan_for(args)
        tag = await self._driver.execute(sql, *args, timeout=self._timeout_s)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def copy(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        await self._driver.copy_records_to_table(
            table, columns=list(columns), records=cast("Any", rows)
        )

    async def publish(self, events: Sequence[Event]) -> None:
        """Write the events about this unit's facts; call it after the aggregates are locked."""
        if events:
            await self.copy(outbox.TABLE, outbox.COLUMNS, outbox.rows_of(events))
            self.published = True

    async def _plan_for(self, args: Sequence[Argument]) -> None:
        """Have statements about large sets planned for just these sets, from here on.

        The plan that a connection keeps is one for ten rows: joined by it, two sets of a thousand
        are held against each other row by row (65 ms a batch of payouts, in place of 10).
        """
        if not self._plans_anew and any(map(_is_large, args)):
            self._plans_anew = True
            await self._driver.execute("set local plan_cache_mode = force_custom_plan")

    async def allow(self, seconds: float) -> None:
        """Give each further statement so long, here and in the server."""
        await self.execute(f"set local statement_timeout = {int(seconds * 1000)}")
        self._timeout_s = seconds

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        async with self._driver.transaction():
            yield


class Database:
    """The service's own database."""

    def __init__(self, bounds: DatabaseBounds, *, application: str) -> None:
        # Our own transactions run on the driver, so the dialect must never open one beside them.
        self._engine = create_async_engine(
            bounds.database_url,
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            connect_args={
                "timeout": bounds.database_connect_timeout_s,
                "command_timeout": bounds.database_command_timeout_s,
                "server_settings": {
                    "application_name": application,
                    "statement_timeout": str(bounds.statement_timeout_ms),
                    "lock_timeout": str(bounds.lock_timeout_ms),
                    "idle_in_transaction_session_timeout": str(
                        bounds.idle_in_transaction_timeout_ms
                    ),
                    "timezone": "UTC",
                    # Statements go by keys, and a connection keeps its plans: one that was made
                    # while a table was empty would read it whole, however long it has grown since.
                    "enable_seqscan": "off",
                },
            },
        )
        self._pool = Pool(
            self._engine,
            size=bounds.database_pool_size,
            patience_s=bounds.database_connect_timeout_s,
        )
        self.url = bounds.database_url
        self.application = application
        self.outbox_filled = asyncio.Event()

    @asynccontextmanager
    async def begin(self, *, single: bool = False) -> AsyncGenerator[Unit]:
        """Open a transaction; it commits when the block ends and rolls back when it raises.

        A block of a `single` statement says so: such a one is a transaction by itself, and spares
        the two messages that would begin and end it.
        """
        try:
            held, sound = await self._pool.take(), False
            try:
                transaction = None if single else held.driver.transaction()
                if transaction is not None:
                    await transaction.start()
                unit = Unit(held.core, held.driver, single=single)
                try:
                    yield unit
                except BaseException as failure:
                    if transaction is not None:
                        await transaction.rollback()
                        sound = not isinstance(_said(failure), _UNSOUND)
                    raise
                if transaction is not None:
                    await transaction.commit()
                sound = True
            finally:
                await self._pool.give_back(held, sound=sound)
        except DBAPIError as wrapped:
            said = _said(wrapped)
            if isinstance(said, TRANSIENT):
                raise said from None
            raise
        if unit.published:
            self.outbox_filled.set()
        for event in unit.wakes:
            event.set()

    @asynccontextmanager
    async def report(self) -> AsyncGenerator[Unit]:
        """Open a transaction that adds up tables: its looks see one moment, and have their time."""
        async with self.begin() as unit:
            await unit.execute("set transaction isolation level repeatable read")
            await unit.allow(REPORT_S)
            yield unit

    async def ping(self) -> None:
        async with self.begin() as unit:
            await unit.fetchval("select 1")

    async def close(self) -> None:
        await self._pool.close()
        await self._engine.dispose()


def _is_large(arg: Argument) -> bool:
    return isinstance(arg, list | tuple) and len(cast("Sequence[object]", arg)) > SET_ROWS


def storable(text: str) -> str:
    """Give as much of a text as a table can hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def driver_dsn(url: str) -> str:
    """Give the URL as asyncpg itself reads it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)
