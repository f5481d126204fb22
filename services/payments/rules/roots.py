"""A day's root: one hash that stands for every entry of the day, their order, and all days before.

    root = SHA-256( root of the day before ‖ day ‖ LF ‖ entry ‖ LF ‖ entry ‖ LF … )

The first root follows 32 zero bytes. `day` is `2026-11-22`; an entry is a line of JSON, UTF-8 and
without blanks, entries in the order of entry_no:

    [entry_no,"source_id","leg","fund_id","scheme_id","debit","credit",amount_fen,"day","booked_at"]

`booked_at` is UTC, `2026-11-22T08:00:00.120000Z`, or `2026-11-22T08:00:00Z` on the full second.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from services.common.money import Fen
from services.payments.model.ledger import ClosedDay, PairSum

BEFORE_ALL_DAYS: Final = bytes(32)
_encode: Final = msgspec.json.Encoder().encode


class Entry(NamedTuple):
    """An entry as it lies in the ledger; its fields in this order are its canonical text."""

    entry_no: int
    source_id: UUID
    leg: str
    fund_id: str
    scheme_id: str
    debit: str
    credit: str
    amount_fen: int
    day: date
    booked_at: datetime


class DayReckoning:
    """A day that is gone through entry by entry: its root and its sums come of it."""

    def __init__(self, previous: bytes, day: date) -> None:
        self._day = day
        self._hash = hashlib.sha256(previous + f"{day.isoformat()}\n".encode())
        self._entries = 0
        # By fund, scheme, debit and credit: how many entries, and how much.
        self._moved: defaultdict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])

    def take(self, entries: Iterable[Entry]) -> None:
        """Go on with the next entries, in the order of entry_no."""
        lines: list[bytes] = []
        for entry in entries:
            lines.append(_encode(entry))
            moved = self._moved[entry.fund_id, entry.scheme_id, entry.debit, entry.credit]
            moved[0] += 1
            moved[1] += entry.amount_fen
        self._entries += len(lines)
        self._hash.update(b"".join(line + b"\n" for line in lines))

    def closed(self) -> ClosedDay:
        return ClosedDay(self._day, self._entries, self._hash.digest())

    def sums(self) -> list[PairSum]:
        """Give what every account was moved by each other one, in a fixed order."""
        sums: list[PairSum] = []
        for (fund_id, scheme_id, debit, credit), (entries, fen) in self._moved.items():
            sums.append(PairSum(fund_id, scheme_id, debit, credit, entries, Fen(fen), Fen(0)))
            sums.append(PairSum(fund_id, scheme_id, credit, debit, entries, Fen(0), Fen(fen)))
        return joined(sums)


def joined(sums: Iterable[PairSum]) -> list[PairSum]:
    """Add up what concerns the same pair of accounts."""
    found: dict[tuple[str, str, str, str], PairSum] = {}
    for each in sums:
        known = found.get(each[:4])
        found[each[:4]] = (
            each
            if known is None
            else PairSum(
                *each[:4],
                known.entries + each.entries,
                Fen(known.debit_fen + each.debit_fen),
                Fen(known.credit_fen + each.credit_fen),
            )
        )
    return sorted(found.values())
