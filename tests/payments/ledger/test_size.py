"""No report reads the whole ledger: days come by the index, and closed ones by their sums."""

from datetime import date, timedelta

from services.common.kit.clock import SetClock
from services.common.kit.db import Unit
from services.payments.store import days
from services.payments.usecases.days import close_days
from services.payments.usecases.desk import Desk
from services.payments.usecases.verify import verify
from tests.payments.ledger.conftest import AsSuperuser

DAYS = 12
ENTRIES_A_DAY = 4_000
START = date(2026, 11, 3)

MANY = """
    insert into ledger (source_id, leg, fund_id, scheme_id, debit, credit, amount_fen, day,
        booked_at)
    select gen_random_uuid(), 'x', 'union', 'bj.mutual', 'bank', 'member_contributions', 100,
        '2026-11-03'::date + day, now()
    from generate_series(0, 11) as day, generate_series(1, 4000)
"""
CASH = "update fund set bank_fen = (select sum(amount_fen) from ledger)"


async def rows_read(unit: Unit) -> int:
    """Tell how many of the ledger's rows this connection has looked at."""
    return await unit.fetchval(
        """
        select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
        where relname = 'ledger'
        """
    )


async def test_a_report_reads_the_open_days_alone(
    desk: Desk, hands: SetClock, as_superuser: AsSuperuser
) -> None:
    await as_superuser(MANY, CASH, "analyze ledger")
    hands.advance((DAYS - 1) * timedelta(days=1))
    today = START + (DAYS - 1) * timedelta(days=1)
    await close_days(desk)
    for _ in range(8):  # also when the plan has become a general one
        async with desk.database.begin() as unit:
            before = await rows_read(unit)
            rows = await days.trial_rows(unit, date(2026, 11, 1), today)
            assert sum(row.debit_fen for row in rows) == 10**12 + DAYS * ENTRIES_A_DAY * 100
            await days.sums(unit, date(2026, 12, 1), today)
            # Four looks at the open day, and at pages that it shares with the day before.
            assert await rows_read(unit) - before < 6 * ENTRIES_A_DAY


async def test_a_closed_day_is_found_without_reading_others(
    desk: Desk, hands: SetClock, as_superuser: AsSuperuser
) -> None:
    await as_superuser(MANY, CASH, "analyze ledger")
    hands.advance(DAYS * timedelta(days=1))
    await close_days(desk)
    async with desk.database.begin() as unit:
        before = await rows_read(unit)
        day = START + timedelta(days=5)
        found = await unit.fetchval("select count(*) from ledger where day = $1", day)
        assert found == ENTRIES_A_DAY
        assert await rows_read(unit) - before < 2 * ENTRIES_A_DAY
    assert await verify(desk.database) is None
