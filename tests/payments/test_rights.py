"""What the ledger refuses whoever comes in as payments itself, past all its code: by right."""

from collections.abc import AsyncGenerator, Sequence
from typing import TypeAlias

import asyncpg
import pytest

from services.common.ids import new_id
from services.common.kit.db import Row, driver_dsn
from services.payments.settings import Settings
from tests.conftest import MakeDatabase
from tests.servers import PostgresServer

Connection: TypeAlias = "asyncpg.Connection[Row]"

ENTRY = """
    insert into ledger
        (source_id, leg, fund_id, scheme_id, debit, credit, amount_fen, day, booked_at)
    values ($1, 'x', 'union', '*', $2, $3, $4, '2026-11-22', now())
"""
UPSERT = """
    insert into ledger overriding user value table ledger
    on conflict (source_id, leg) do update set leg = 'y'
"""


@pytest.fixture
async def payments(knobs: Settings) -> AsyncGenerator[Connection]:
    """Come in as the service, with one entry booked."""
    connection = await asyncpg.connect(driver_dsn(knobs.database_url))
    await connection.execute(ENTRY, new_id(), "bank", "fund", 500)
    yield connection
    await connection.close()


async def refused(connection: Connection, statements: Sequence[str]) -> None:
    before = await ledger(connection)
    assert before
    for statement in statements:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    assert await ledger(connection) == before


async def ledger(connection: Connection) -> list[Row]:
    return await connection.fetch("select * from ledger order by entry_no")


async def test_payments_is_no_owner_and_no_superuser(payments: Connection) -> None:
    assert await payments.fetchval("select current_user") == "payments"
    row = await payments.fetchrow(
        "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
        " from pg_roles where rolname = current_user"
    )
    assert row is not None
    assert not any(row)
    owned = "select count(*) from pg_class where pg_has_role(relowner, 'member')"
    assert await payments.fetchval(owned) == 0


async def test_an_entry_is_never_changed_nor_taken_away(payments: Connection) -> None:
    await refused(
        payments,
        [
            "update ledger set amount_fen = amount_fen + 1",
            "update ledger set debit = debit where false",
            "delete from ledger",
            "select * from ledger for update",
            UPSERT,
            "merge into ledger l using ledger m on l.leg = m.leg when matched then delete",
        ],
    )


async def test_the_ledger_is_not_emptied_dropped_or_made_anew(payments: Connection) -> None:
    await refused(
        payments,
        [
            "truncate ledger",
            "drop table ledger",
            "alter table ledger rename to another",
            "alter table ledger drop constraint ledger_amount",
            "alter table ledger alter column amount_fen drop not null",
            "create table another (like ledger)",
            "create temp table ledger (amount_fen bigint)",
            "create schema another",
            "create rule quiet as on insert to ledger do instead nothing",
        ],
    )


async def test_its_triggers_are_not_dropped_disabled_or_gone_around(payments: Connection) -> None:
    await refused(
        payments,
        [
            "drop trigger ledger_stays on ledger",
            "alter table ledger disable trigger ledger_stays",
            "alter table ledger disable trigger all",
            "create trigger another before insert on ledger execute function ledger_stays()",
            "create or replace function ledger_stays() returns trigger as '' language plpgsql",
            "drop function ledger_stays() cascade",
            "set session_replication_role = replica",
        ],
    )


async def test_payments_gives_itself_no_right(payments: Connection) -> None:
    await refused(
        payments,
        [
            "set role postgres",
            "set session authorization postgres",
            "alter role payments superuser",
            "grant pg_write_all_data to payments",
            "alter table ledger owner to payments",
            "delete from append_only",
            "update alembic_version set version_num = '0001'",
        ],
    )
    # PostgreSQL only warns where nothing is given, and nothing is.
    await payments.execute("grant update, delete, truncate on ledger to payments")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await payments.execute("truncate ledger")


@pytest.mark.parametrize(
    ("debit", "credit", "amount_fen"),
    [
        ("bank", "bank", 1),
        ("bank", None, 1),
        (None, "fund", 1),
        ("bank", "fund", None),
        ("bank", "fund", 0),
        ("bank", "fund", -1),
        ("bank", "pocket", 1),
        ("Bank", "fund", 1),
        ("", "fund", 1),
    ],
)
async def test_an_entry_has_two_accounts_that_there_are_and_an_amount(
    payments: Connection, debit: str | None, credit: str | None, amount_fen: int | None
) -> None:
    before = await ledger(payments)
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.NotNullViolationError)):
        await payments.execute(ENTRY, new_id(), debit, credit, amount_fen)
    assert await ledger(payments) == before


async def test_a_leg_of_a_source_is_booked_once(payments: Connection) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await payments.execute(
            ENTRY, await payments.fetchval("select source_id from ledger"), "bank", "fund", 7
        )


async def test_no_other_service_is_let_in_nor_payments_anywhere_else(
    payments: Connection, make_database: MakeDatabase, postgres_server: PostgresServer
) -> None:
    elsewhere = await make_database("claims", user="claims")
    name = elsewhere.partition("?")[0].rpartition("/")[2]
    own = await payments.fetchval("select current_database()")
    for database, user in ((name, "payments"), (own, "claims")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(postgres_server.url(database, user, "postgresql"))
