"""What payments asks of its database goes by keys, and what it changes stays in its page.

The statements are not copied here: they are taken down while payouts go their whole way.
"""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from asyncpg.connection import LoggedQuery

from services.common.kit.db import Database, Unit
from services.payments.settings import Settings
from services.payments.timers import JOBS
from services.payments.usecases.cut import lanes_due
from services.payments.usecases.desk import Desk
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver
from tests.payments.steps import check_books, cut, pay_out
from tests.payments.test_sandbox import until

NewMember = Callable[..., Member]

MEMBERS, GRANTS_EACH = 60, 5
# These grow with every payout.
BULK = (
    "payee", "balance", "payout", "past_attempt", "batch_lines", "ready_queue", "ledger", "batch",
    "bank_line",
)  # fmt: skip
# Of each there is a row a payout, and every step of the payout writes it.
UPDATED = ("balance", "payout")
# Asked for the ledger's first entry of all; then a day is closed, and it is asked no more.
ONCE = {"select min(day) from ledger"}


class TakingDown(Database):
    """A database that keeps the text of every statement it was asked."""

    def __init__(self, knobs: Settings) -> None:
        super().__init__(knobs, application="payments")
        self.asked: set[str] = set()

    @asynccontextmanager
    async def begin(self, *, single: bool = False) -> AsyncGenerator[Unit]:
        async with super().begin(single=single) as unit:
            raw = await unit.core.get_raw_connection()
            driver = raw.driver_connection
            assert driver is not None, "it is connected"
            with driver.query_logger(self._take_down):
                yield unit

    def _take_down(self, record: LoggedQuery) -> None:
        self.asked.add(record.query)


@pytest.fixture
async def watched(desk: Desk, knobs: Settings) -> AsyncGenerator[Desk]:
    database = TakingDown(knobs)
    yield replace(desk, database=database)
    await database.close()


async def _go_the_whole_way(desk: Desk, bank: ToldBank, new_member: NewMember) -> None:
    """Let two sets of payouts be paid; the members of the second have a balance already."""
    members = [new_member() for _ in range(MEMBERS)]
    told = [event for member in members for event in (member.registered(), member.payee())]
    await deliver(desk, *told)
    for _ in range(2):
        await deliver(desk, *(one.grant(1_00) for one in members for _ in range(GRANTS_EACH)))
        await lanes_due(desk)
        await _let_older_ones_end(desk)
        await cut(desk)
        await _let_older_ones_end(desk)
        await pay_out(desk, bank)
        await _let_older_ones_end(desk)


async def _let_older_ones_end(desk: Desk) -> None:
    """Wait for the transactions of other tests: while one is open no page is cleaned up.

    Those in other databases of the server count too.
    """
    async with desk.database.begin() as unit:
        now = await unit.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text")

    async def have_ended() -> bool:
        async with desk.database.begin() as unit:
            return await unit.fetchval(
                "select pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8", now
            )

    await until(have_ended)


async def test_no_statement_on_a_payouts_way_reads_a_table_whole(
    watched: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    assert isinstance(watched.database, TakingDown)
    await _go_the_whole_way(watched, bank, new_member)
    for job in JOBS:
        await job.work(watched)
    ways = ("select", "update", "delete", "insert", "with")
    asked = [sql for sql in watched.database.asked - ONCE if sql.split()[0] in ways]
    assert len(asked) > 25, "the statements were taken down"
    async with watched.database.begin() as unit:
        await unit.execute("set local plan_cache_mode = force_generic_plan")
        plans = {sql: await _plan_of(unit, sql) for sql in asked}
    assert [
        (table, sql)
        for sql, plan in plans.items()
        for table in BULK
        if f"Seq Scan on {table} " in plan
    ] == []


async def _plan_of(unit: Unit, sql: str) -> str:
    """Give the plan that a connection keeps for a statement, whatever its values are."""
    values = max((int(number) for number in re.findall(r"\$([0-9]+)", sql)), default=0)
    await unit.execute(f"prepare looked_at as {sql}")
    nulls = f"({', '.join(['null'] * values)})" if values else ""
    rows = await unit.fetch(f"explain execute looked_at{nulls}")
    await unit.execute("deallocate looked_at")
    return "\n".join(row[0] for row in rows)


async def test_nearly_every_update_stays_in_its_page(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    await _go_the_whole_way(desk, bank, new_member)
    async with desk.database.begin() as unit:
        await unit.fetchval("select pg_stat_force_next_flush()")
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select relname, n_tup_upd, n_tup_hot_upd from pg_stat_user_tables"
            " where relname = any($1)",
            UPDATED,
        )
    payouts = 2 * MEMBERS * GRANTS_EACH
    assert {row["relname"] for row in rows if row["n_tup_upd"] >= payouts} == {"payout"}
    assert {row["relname"]: row["n_tup_hot_upd"] >= 0.9 * row["n_tup_upd"] for row in rows} == (
        dict.fromkeys(UPDATED, True)
    )
    await check_books(desk, bank)
