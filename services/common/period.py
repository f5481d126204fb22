"""Calendar days: which period a day falls into, and whether a range holds it, ends included."""

from datetime import date
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
