"""Calendar days: which period a day falls into, and whether a range holds it, ends included."""

from datetime import date, timedelta
from functools import lru_cache

import msgspec


class Days(msgspec.Struct, frozen=True, gc=False):
    """From the first day to the last, both included; without a last day it goes on."""

    starts: date
    ends: date | None = None

    def holds(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day <= self.ends)


@lru_cache(maxsize=256)
def _year(year: int) -> Days:
    return Days(date(year, 1, 1), date(year, 12, 31))


def calendar_year(day: date) -> Days:
    return _year(day.year)


def completed_years(born: date, on: date) -> int:
    """Give somebody's age; who is born on a 29 February is a year older on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


@lru_cache(maxsize=65_536)
def term_of(cover: Days, years: int, day: date) -> Days:
    """Give the term of a cover that holds the day.

    A term of n years ends on the day before its n-th anniversary; the anniversary of a 29 February
    is 1 March where the year has none.
    """
    passed = completed_years(cover.starts, day) // years * years
    starts, following = (
        _anniversary(cover.starts, passed),
        _anniversary(cover.starts, passed + years),
    )
    last = following - timedelta(days=1)
    return Days(starts, last if cover.ends is None else min(last, cover.ends))


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
