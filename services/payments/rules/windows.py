"""When a batch is cut: the fund's window, the bank's hours, and the calendar of its workdays."""

import calendar as months
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from services.common.kit.clock import BUSINESS_ZONE
from services.payments.model.funds import AtOnce, BankHours, Daily, Fund, Monthly
from services.payments.model.months import ONE_DAY

IsWorkday = Callable[[date], bool]


def cut_due(fund: Fund, oldest: datetime, wait: timedelta, is_workday: IsWorkday) -> datetime:
    """Say when the batch is due whose oldest payout has been ready since `oldest`."""
    return open_at(fund.hours, _window(fund, oldest, wait), is_workday)


def business_day(fund: Fund, moment: datetime, is_workday: IsWorkday) -> date:
    """Give the day on which the bank takes what is cut now."""
    return open_at(fund.hours, moment, is_workday).astimezone(BUSINESS_ZONE).date()


def _window(fund: Fund, oldest: datetime, wait: timedelta) -> datetime:
    match fund.window:
        case AtOnce():
            return oldest + wait
        case Daily(at=at):
            local = oldest.astimezone(BUSINESS_ZONE)
            due = _at(local.date(), at)
            return due if due >= local else _at(local.date() + ONE_DAY, at)
        case Monthly(day=day, at=at):
            local = oldest.astimezone(BUSINESS_ZONE)
            due = _at(_day_of_month(local.date(), day), at)
            if due < local:
                next_month = local.date().replace(day=1) + timedelta(days=32)
                due = _at(_day_of_month(next_month, day), at)
            return due


def open_at(hours: BankHours | None, moment: datetime, is_workday: IsWorkday) -> datetime:
    """Give the first moment from `moment` on at which the bank takes batches."""
    if hours is None:
        return moment
    local = moment.astimezone(BUSINESS_ZONE)
    day = local.date()
    if is_workday(day) and local < _at(day, hours.cut_off):
        return max(moment, _at(day, hours.opens))
    day += ONE_DAY
    while not is_workday(day):
        day += ONE_DAY
    return _at(day, hours.opens)


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, BUSINESS_ZONE)


def _day_of_month(month: date, day: int) -> date:
    last = months.monthrange(month.year, month.month)[1]
    return month.replace(day=min(day, last))
