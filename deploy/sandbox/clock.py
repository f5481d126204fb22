"""What time it is at the other side: China's time, the only one a bank or a provider writes."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))


class Hands:
    """Where a test has put the hands; nowhere: the system tells the time."""

    moment: datetime | None = None


def now() -> datetime:
    return Hands.moment or datetime.fromtimestamp(time.time(), CHINA)


def today() -> date:
    return now().date()


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


@contextmanager
def set_to(moment: datetime) -> Generator[None]:
    """Make it that moment, standing still, for a test in the same process."""
    before = Hands.moment
    Hands.moment = moment.astimezone(CHINA)
    try:
        yield
    finally:
        Hands.moment = before
