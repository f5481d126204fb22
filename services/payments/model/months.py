"""A month of the books."""

from datetime import date, timedelta
from typing import Final, NamedTuple

ONE_DAY: Final = timedelta(days=1)


class Month(NamedTuple):
    """A calendar month, written `2026-11`."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read what `text` writes; `ValueError` where it is no month."""
        return cls.of(date.fromisoformat(f"{text}-01"))

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return self.following.first - ONE_DAY

    @property
    def following(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def text(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
