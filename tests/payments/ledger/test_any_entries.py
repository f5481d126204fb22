"""Whatever is booked on whatever days: sums, trial balance, statement and roots say the same."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.kit import clock
from services.common.kit.clock import SetClock
from services.payments.model.ledger import Account, Posting
from services.payments.rules.trial_balance import by_account, fund_statement, totals
from services.payments.store import days, ledger
from services.payments.usecases.days import close_days
from services.payments.usecases.desk import Desk
from services.payments.usecases.verify import verify
from tests.payments.ledger.booking import entry
from tests.payments.ledger.conftest import AsSuperuser

ONE_DAY = timedelta(days=1)
START = date(2026, 11, 3)
FUNDS = ("union", "chongqing")


class Booked(NamedTuple):
    day: date
    posting: Posting


@st.composite
def booked(draw: st.DrawFn) -> list[Booked]:
    """Draw entries day by day; now and then days pass."""
    found: list[Booked] = []
    day = START
    for _ in range(draw(st.integers(0, 25))):
        day += ONE_DAY * draw(st.sampled_from([0, 0, 0, 1, 1, 3]))
        debit, credit = draw(
            st.lists(st.sampled_from(list(Account)), min_size=2, max_size=2, unique=True)
        )
        found.append(
            Booked(
                day,
                entry(
                    debit,
                    credit,
                    draw(st.integers(1, 10**13)),
                    draw(st.sampled_from(FUNDS)),
                    draw(st.sampled_from(["*", "bj.mutual", "cq.aid"])),
                ),
            )
        )
    return found


@pytest.fixture
async def empty(house: Desk, as_superuser: AsSuperuser) -> Desk:
    await as_superuser("delete from ledger", "update fund set bank_fen = 0")
    return house


@given(entries=booked(), span=st.tuples(st.integers(-1, 20), st.integers(0, 20)))
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_every_way_of_adding_up_comes_to_the_same(
    empty: Desk,
    as_superuser: AsSuperuser,
    hands: SetClock,
    entries: Sequence[Booked],
    span: tuple[int, int],
) -> None:
    await as_superuser(
        "truncate ledger, ledger_day, ledger_root, ledger_day_sum, ledger_month",
        "alter table fund drop constraint if exists fund_in_transit",
        "update fund set bank_fen = 0, in_transit_fen = 0",
    )
    hands.advance(_noon(START) - clock.now())
    for each in entries:
        hands.advance(_noon(each.day) - clock.now())
        await close_days(empty)
        async with empty.database.begin() as unit:
            await ledger.post(unit, [each.posting], clock.now())
    first = START + span[0] * ONE_DAY
    last = first + span[1] * ONE_DAY
    await _check(empty, entries, first, last)
    hands.advance(40 * ONE_DAY)
    await close_days(empty)
    await _check(empty, entries, first, last)
    assert await verify(empty.database) is None


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), clock.BUSINESS_ZONE)


async def _check(desk: Desk, entries: Sequence[Booked], first: date, last: date) -> None:
    opening: Counter[tuple[str, str, str]] = Counter()
    closing: Counter[tuple[str, str, str]] = Counter()
    for day, posting in entries:
        for account, sign in ((posting.debit, 1), (posting.credit, -1)):
            key = (posting.fund_id, posting.scheme_id, str(account))
            opening[key] += sign * posting.amount_fen * (day < first)
            closing[key] += sign * posting.amount_fen * (day <= last)
    async with desk.database.begin() as unit:
        rows = await days.trial_rows(unit, first, last)
        sums = await days.sums(unit, first, last)
    assert {row[:3]: row.opening_fen for row in rows if row.opening_fen} == {
        key: fen for key, fen in opening.items() if fen
    }
    assert {row[:3]: row.closing_fen for row in rows if row.closing_fen} == {
        key: fen for key, fen in closing.items() if fen
    }
    assert totals(rows).agree
    assert sum(pair.entries for pair in sums) == 2 * sum(first <= day <= last for day, _ in entries)
    for fund in desk.funds.funds:
        mine = by_account(rows, fund.fund_id)
        assert totals(mine).agree
        statement = fund_statement(fund, rows, sums)
        moved = sum(flow.amount_fen for flow in statement.flows)
        assert statement.opening_fen + moved == statement.closing_fen
        assert statement.closing_fen == sum(
            fen
            for (fund_id, _, account), fen in closing.items()
            if (fund_id, account) == (fund.fund_id, Account.BANK)
        )
