"""What time it is; nobody else asks the system, so a test can say what time it is."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks the system

    def monotonic(self) -> float:
        return time.monotonic()


class SetClock:
    """Stands still until it is moved on."""

    def __init__(self, moment: datetime) -> None:
        assert moment.tzinfo is not None, "a moment without a zone is not a moment"
        self._moment = moment.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._moment

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, by: timedelta) -> None:
        self._moment += by
        self._monotonic += by.total_seconds()


class _Wall:
    """The clock on the wall: one for the process, taken down only by `set_to`."""

    clock: Clock = SystemClock()


def now() -> datetime:
    """Tell the moment, in UTC."""
    return _Wall.clock.now()


def today() -> date:
    """Tell the business date: the day in China."""
    return now().astimezone(BUSINESS_ZONE).date()


def ends_of_today() -> tuple[datetime, datetime]:
    """Tell when the business date began, and when the next one begins, in UTC."""
    midnight = datetime.combine(today(), datetime.min.time(), BUSINESS_ZONE)
    return midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)


def monotonic() -> float:
    """Tell seconds that only ever grow, for deadlines and durations."""
    return _Wall.clock.monotonic()


@contextmanager
def set_to(moment: datetime) -> Generator[SetClock]:
    """Make it that moment for the length of a test; `advance` moves it on."""
    before, hands = _Wall.clock, SetClock(moment)
    _Wall.clock = hands
    try:
        yield hands
    finally:
        _Wall.clock = before
