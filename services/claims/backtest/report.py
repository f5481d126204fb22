"""What a backtest found, as it is kept: amounts in fen, in an order that is always the same."""

from datetime import date
from typing import Final

import msgspec

from services.claims.backtest.tally import (
    AGE_BANDS,
    AGES,
    BILL_BANDS,
    BILLS,
    LEVELS,
    UNITS,
    UNKNOWN,
    Group,
    Tally,
)
from services.common.money import Fen
from services.common.period import Days

_IN_ORDER: Final = {
    AGES: (*AGE_BANDS, UNKNOWN),
    LEVELS: ("1", "2", "3", UNKNOWN),
    BILLS: BILL_BANDS,
}


class Asked(msgspec.Struct, frozen=True):
    """Which claims to try a draft on: those of these days, by the figures of their own day.

    With `as_of` by the figures of that day. `fund` is what the fund holds before them.
    """

    scheme_id: str
    days: Days
    as_of: date | None = None
    fund: Fen | None = None


class Report(msgspec.Struct, frozen=True):
    """`read` are the days of all claims that were judged again: whole periods."""

    asked: Asked
    read: Days
    tally: Tally

    def groups(self, dimension: str) -> list[tuple[str, Group]]:
        """Give the groups that have claims: units by what changes most, the others as they rise."""
        groups = self.tally.groups[dimension]
        if dimension == UNITS:
            found = sorted(groups.items(), key=lambda item: (-abs(item[1].difference), item[0]))
        else:
            found = [(name, groups[name]) for name in _IN_ORDER[dimension] if name in groups]
        return [(name, group) for name, group in found if group.claims]

    def reasons(self) -> list[tuple[str, int, int]]:
        """Give each code with how many claims had it, and would have it; empty means paid whole."""
        before, after = self.tally.codes_booked, self.tally.codes_drafted
        return [(c, before.get(c, 0), after.get(c, 0)) for c in sorted({*before, *after})]


_REPORT = msgspec.json.Decoder(Report)


def written(report: Report) -> str:
    return msgspec.json.encode(report).decode()


def read(text: str) -> Report:
    return _REPORT.decode(text)
