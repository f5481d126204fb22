"""What time it is at the other side: China's time, the only one a bank or a provider writes."""

import time
from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))


def now() -> datetime:
    return datetime.fromtimestamp(time.time(), CHINA)


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
