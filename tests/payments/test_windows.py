"""When a batch is cut: windows, bank hours, workdays; on China's calendar."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.kit import clock
from services.payments.model.funds import AtOnce, BankHours, Daily, Fund, Funds, Monthly
from services.payments.rules.windows import business_day, cut_due
from services.payments.usecases.desk import Desk
from services.payments.usecases.workdays import is_workday
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver
from tests.payments.steps import cut, send

SHANGHAI = ZoneInfo("Asia/Shanghai")
WAIT = timedelta(seconds=1)
HOURS = BankHours(opens=time(9), cut_off=time(17))


def fund(window: AtOnce | Daily | Monthly, hours: BankHours | None = None) -> Fund:
    return Fund(
        fund_id="union",
        name="互助资金",
        schemes=("*",),
        channel="p1",
        account="110000000001",
        holder="互助会",
        window=window,
        hours=hours,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("window", "hours", "oldest", "due"),
    [
        (AtOnce(), None, "2026-11-22 03:00:00", "2026-11-22 03:00:01"),
        # A Sunday: the bank opens on Monday.
        (AtOnce(), HOURS, "2026-11-22 12:00:00", "2026-11-23 09:00:00"),
        (AtOnce(), HOURS, "2026-11-23 08:00:00", "2026-11-23 09:00:00"),
        (AtOnce(), HOURS, "2026-11-23 12:00:00", "2026-11-23 12:00:01"),
        # One second is one too many: at 17:00:00 the bank has closed its books.
        (AtOnce(), HOURS, "2026-11-23 16:59:59", "2026-11-24 09:00:00"),
        (Daily(kind="daily", at=time(10)), None, "2026-11-22 09:59:59", "2026-11-22 10:00:00"),
        (Daily(kind="daily", at=time(10)), None, "2026-11-22 10:00:01", "2026-11-23 10:00:00"),
        # The last workday before the holidays of October 2026 is 30 September.
        (Daily(kind="daily", at=time(10)), HOURS, "2026-09-30 11:00:00", "2026-10-08 09:00:00"),
        (Monthly(kind="monthly", day=31, at=time(9)), None, "2026-02-03 00:00", "2026-02-28 09:00"),
        (Monthly(kind="monthly", day=5, at=time(9)), None, "2026-12-06 00:00", "2027-01-05 09:00"),
    ],
)
def test_a_batch_is_due_at_the_first_window_in_which_the_bank_is_open(
    window: AtOnce | Daily | Monthly, hours: BankHours | None, oldest: str, due: str
) -> None:
    assert cut_due(fund(window, hours), at(oldest), WAIT, is_workday) == at(due)


WINDOWS = st.one_of(
    st.just(AtOnce()),
    st.builds(Daily, kind=st.just("daily"), at=st.times()),
    st.builds(Monthly, kind=st.just("monthly"), day=st.integers(1, 31), at=st.times()),
)
SINCE = at("2025-01-01")
MOMENTS = st.integers(0, 60_000_000).map(lambda seconds: SINCE + timedelta(seconds=seconds))


@given(window=WINDOWS, hours=st.sampled_from([None, HOURS]), oldest=MOMENTS)
def test_nothing_waits_longer_than_its_window_and_the_holidays_behind_it(
    window: AtOnce | Daily | Monthly, hours: BankHours | None, oldest: datetime
) -> None:
    of = fund(window, hours)
    due = cut_due(of, oldest, WAIT, is_workday)
    longest = {"at_once": 1, "daily": 2, "monthly": 32}[window.kind] + (11 if hours else 0)
    assert oldest <= due <= oldest + timedelta(days=longest)
    if hours:
        assert is_workday(due.astimezone(SHANGHAI).date())
        assert hours.opens <= due.astimezone(SHANGHAI).time() < hours.cut_off
    assert business_day(of, due, is_workday) == due.astimezone(SHANGHAI).date()


def test_a_weekend_that_is_moved_is_a_workday_and_a_year_without_a_calendar_has_plain_weeks() -> (
    None
):
    assert not is_workday(date(2026, 10, 1))
    assert is_workday(date(2026, 10, 10)), "a Saturday that is worked for the holidays"
    assert not is_workday(date(2031, 11, 22))
    assert is_workday(date(2031, 11, 24))


async def test_a_batch_is_sent_while_its_bank_is_open_and_made_anew_when_its_day_has_gone(
    desk: Desk, bank: ToldBank, new_member: Callable[..., Member]
) -> None:
    [plain] = desk.funds.funds
    hourly = replace(desk, funds=Funds(funds=(plain.model_copy(update={"hours": HOURS}),)))
    member = new_member()
    with clock.set_to(at("2026-11-23 16:59:00")) as hands:
        await deliver(hourly, member.registered(), member.payee(), member.grant(1_00))
        await cut(hourly)
        hands.advance(timedelta(minutes=2))
        await send(hourly)
        assert bank.sent == [], "the bank has closed, and its day with it"
        hands.advance(timedelta(hours=12))
        await cut(hourly)
        await send(hourly)
        assert bank.sent == []
        hands.advance(timedelta(hours=5))
        await send(hourly)
    [(name, _)] = bank.sent
    assert "_20261124_" in name
