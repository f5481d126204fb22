"""The banks' workdays: China's calendar with its moved workdays, as far as it is published."""

from datetime import date
from functools import lru_cache
from typing import Final

import chinese_calendar

from services.common.kit.logs import get_logger

log = get_logger()

SATURDAY: Final = 5


@lru_cache(maxsize=1_000)  # days without a calendar are said once
def is_workday(day: date) -> bool:
    """Say whether banks clear on that day; Monday to Friday where no calendar is out yet."""
    try:
        return bool(chinese_calendar.is_workday(day))  # pyright: ignore[reportUnknownMemberType] - the library says no types
    except NotImplementedError:
        log.warning("calendar.ended", day=day)
        return day.weekday() < SATURDAY
