"""A month is closed by two people: allocated, in order, once, and early only where that is said."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.clock import SetClock
from services.payments.errors import ActImpossible, TwoPeopleNeeded
from services.payments.model.acts import CloseMonth
from services.payments.model.ledger import Account
from services.payments.model.months import Month
from services.payments.store import days, months
from services.payments.usecases import acts
from services.payments.usecases.days import close_days
from services.payments.usecases.desk import Desk
from services.payments.usecases.verify import verify
from tests.payments.ledger.booking import book, contributed, entry, paid, reserved, returned

CQ = ("chongqing", "cq.aid")
ONE_DAY = timedelta(days=1)


def at(hands: SetClock, year: int, month: int, day: int, hour: int = 0) -> None:
    """Make it an hour in China."""
    hands.advance(datetime(year, month, day, hour, tzinfo=clock.BUSINESS_ZONE) - clock.now())


async def close(desk: Desk, month: str, *, early: bool = False) -> None:
    content = CloseMonth(kind="close_month", month=month, early=early)
    act_id = await acts.propose(desk, new_id(), content, "月末结账")
    await acts.confirm(desk, act_id, new_id())


async def entries_on(desk: Desk, account: Account) -> list[tuple[str, str, str, int, date]]:
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select fund_id, debit, credit, amount_fen, day from ledger"
            " where debit = $1 or credit = $1 order by entry_no",
            account,
        )
    return [tuple(row) for row in rows]


async def expected(desk: Desk) -> list[tuple[str, str, int]]:
    async with desk.database.begin() as unit:
        rows = await unit.fetch("select kind, reference, amount_fen from receipt order by 2")
    return [tuple(row) for row in rows]


async def closed_days(desk: Desk) -> tuple[date | None, date | None]:
    async with desk.database.begin() as unit:
        return await days.reached(unit)


async def test_the_last_day_of_a_month_waits_for_the_month_where_there_is_an_association(
    house: Desk, hands: SetClock
) -> None:
    at(hands, 2026, 12, 3, 9)
    await close_days(house)
    assert await closed_days(house) == (date(2026, 11, 29),) * 2
    await close(house, "2026-11")
    await close_days(house)
    assert await closed_days(house) == (date(2026, 12, 2),) * 2


async def test_without_an_association_days_wait_for_nobody(desk: Desk, hands: SetClock) -> None:
    at(hands, 2027, 1, 3, 9)
    await close_days(desk)
    assert await closed_days(desk) == (date(2027, 1, 2),) * 2
    await close(desk, "2026-11")
    await close(desk, "2026-12")
    assert await verify(desk.database) is None


async def test_income_is_handed_up_and_payouts_are_allotted_within_the_month(
    house: Desk, hands: SetClock
) -> None:
    await close_days(house)
    await book(
        house,
        contributed(800_00, *CQ),
        entry(Account.BANK, Account.MEMBERSHIP_FEES, 50_00, *CQ),
        entry(Account.BANK, Account.UNION_SUBSIDY, 7_00, *CQ),
        reserved(300_00, *CQ),
        paid(300_00, *CQ),
        *returned(40_00, *CQ),
        contributed(9_00),
        reserved(1_00),
        paid(1_00),
    )
    at(hands, 2026, 12, 2, 9)
    await book(house, contributed(1_00, *CQ))
    await close(house, "2026-11")
    last = date(2026, 11, 30)
    assert await entries_on(house, Account.HANDED_UP) == [
        ("chongqing", "handed_up", "due_to_association", 850_00, last)
    ]
    assert await entries_on(house, Account.ALLOTTED) == [
        ("chongqing", "due_from_association", "allotted", 260_00, last)
    ]
    assert await expected(house) == [
        ("allotted", "ALLOT-CHONGQING-202611", 260_00),
        ("handed_up", "HANDUP-CHONGQING-202611", 850_00),
    ]
    await close_days(house)
    assert await verify(house.database) is None


async def test_what_was_taken_back_in_a_month_lowers_what_is_owed(
    house: Desk, hands: SetClock
) -> None:
    await close_days(house)
    await book(
        house, entry(Account.MEMBER_CONTRIBUTIONS, Account.BANK, 5_00, *CQ), *returned(2_00, *CQ)
    )
    at(hands, 2026, 12, 2, 9)
    await close(house, "2026-11")
    assert [row[1:4] for row in await entries_on(house, Account.HANDED_UP)] == [
        ("due_to_association", "handed_up", 5_00)
    ]
    assert [row[1:4] for row in await entries_on(house, Account.ALLOTTED)] == [
        ("allotted", "due_from_association", 2_00)
    ]
    assert await expected(house) == []


async def test_a_month_that_is_not_over_is_closed_only_where_that_is_said(
    house: Desk, hands: SetClock
) -> None:
    await close_days(house)
    at(hands, 2026, 11, 25, 17)
    await book(house, contributed(100_00, *CQ))
    with pytest.raises(ActImpossible):
        await close(house, "2026-11")
    await close(house, "2026-11", early=True)
    await book(house, contributed(70_00, *CQ))
    assert [row[3:] for row in await entries_on(house, Account.MEMBER_CONTRIBUTIONS)] == [
        (100_00, date(2026, 11, 25)),
        (70_00, date(2026, 12, 1)),
    ]
    at(hands, 2026, 12, 31, 23)
    await close_days(house)
    assert await closed_days(house) == (date(2026, 12, 30),) * 2
    at(hands, 2027, 1, 1)
    await close(house, "2026-12")
    assert [row[3] for row in await entries_on(house, Account.HANDED_UP)] == [100_00, 70_00]


async def test_months_are_closed_in_order_and_once(house: Desk, hands: SetClock) -> None:
    with pytest.raises(ActImpossible):
        await close(house, "2026-11", early=True)  # no day has been closed yet
    await close_days(house)
    for month in ("2026-10", "2026-12"):
        with pytest.raises(ActImpossible):
            await close(house, month, early=True)
    at(hands, 2027, 1, 2, 9)
    with pytest.raises(ActImpossible):
        await close(house, "2026-12")
    await close(house, "2026-11")
    with pytest.raises(ActImpossible):
        await close(house, "2026-11")
    await close(house, "2026-12")
    with pytest.raises(ActImpossible):
        await close(house, "2027-02", early=True)
    async with house.database.begin() as unit:
        assert await months.last(unit) == Month(2026, 12)


async def test_what_is_impossible_leaves_nothing_behind(house: Desk) -> None:
    await book(house, contributed(100_00, *CQ))
    with pytest.raises(ActImpossible):
        await close(house, "2026-11", early=True)
    assert await entries_on(house, Account.HANDED_UP) == []
    assert await expected(house) == []


async def test_nobody_closes_a_month_alone(house: Desk) -> None:
    person = new_id()
    content = CloseMonth(kind="close_month", month="2026-11", early=True)
    act_id = await acts.propose(house, person, content, "月末结账")
    with pytest.raises(TwoPeopleNeeded):
        await acts.confirm(house, act_id, person)


async def test_a_closed_month_keeps_its_total_and_the_root_of_its_last_day(
    house: Desk, hands: SetClock
) -> None:
    await close_days(house)
    await book(house, contributed(100_00, *CQ))
    at(hands, 2026, 12, 1)
    await close(house, "2026-11")
    async with house.database.begin() as unit:
        [month] = await months.closed(unit, Month(2026, 11))
    assert month.root is None
    await close_days(house)
    async with house.database.begin() as unit:
        [month] = await months.closed(unit)
        [*_, vouched] = await days.roots(unit)
    assert (vouched.day, vouched.root) == (date(2026, 11, 30), month.root)
    # Two funds' openings, a contribution at the bank, and what of it is handed up as an expense.
    assert month.total_fen == 2 * 10**12 + 100_00 + 100_00
    assert month.closed_at == datetime(2026, 11, 30, 16, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", "", "x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"month|isoformat"):
        CloseMonth(kind="close_month", month=text)


def test_a_month_ends_before_the_next_begins() -> None:
    assert Month(2026, 12).following == Month(2027, 1)
    assert Month.parse("2028-02").last == date(2028, 2, 29)
    assert Month.of(date(2026, 11, 30)).text() == "2026-11"
