"""What bank and book have on different days (未达账项): it explains where their balances differ."""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

from services.payments.model.statements import Items, Outstanding, Side

Booked = tuple[date, int]
STILL_OPEN: Final = date.max


class Part(NamedTuple):
    """An amount on a day, money in above 0; what belongs together has one `key`."""

    key: Hashable
    day: date
    amount_fen: int


def outstanding(bank: Iterable[Booked], book: Iterable[Booked]) -> list[Outstanding]:
    """Pair what the bank booked with what we did, day by day; give what lay open in between.

    Both sides make the same sum, and all amounts have one sign.
    """
    ours = deque(sorted(book))
    spans: defaultdict[tuple[Side, date, date], int] = defaultdict(int)
    for bank_day, bank_fen in sorted(bank):
        left = bank_fen
        while left:
            book_day, book_fen = ours.popleft()
            taken = min(left, book_fen, key=abs)
            left -= taken
            if book_fen != taken:
                ours.appendleft((book_day, book_fen - taken))
            if bank_day < book_day:
                spans["bank", bank_day, book_day] += taken
            elif book_day < bank_day:
                spans["book", book_day, bank_day] += taken
    assert not ours, "a match agrees to the fen"
    return [Outstanding(*span, fen) for span, fen in spans.items()]


def unmatched(bank: Iterable[Part], book: Iterable[Part]) -> list[Outstanding]:
    """Give what is open to this day: where bank and book know the same thing, what one has more."""
    moves: defaultdict[Hashable, defaultdict[date, list[int]]] = defaultdict(
        lambda: defaultdict(lambda: [0, 0])
    )
    for place, parts in enumerate((bank, book)):
        for part in parts:
            moves[part.key][part.day][place] += part.amount_fen
    return [span for days in moves.values() for span in _apart(sorted(days.items()))]


def _apart(days: list[tuple[date, list[int]]]) -> Iterable[Outstanding]:
    bank = book = 0
    ends = [day for day, _ in days[1:]]
    for (day, (bank_fen, book_fen)), until in zip(days, [*ends, STILL_OPEN], strict=True):
        bank += bank_fen
        book += book_fen
        if abs(bank) > abs(book):
            yield Outstanding("bank", day, until, bank - book)
        elif bank != book:
            yield Outstanding("book", day, until, book - bank)


def by_day(
    spans: Iterable[Outstanding], first: date, last: date
) -> list[tuple[date, Items, Items]]:
    """Add up what lay open at the end of each day, on the bank's side and on the book's."""
    length = (last - first).days + 1
    steps: dict[Side, list[list[int]]] = {
        side: [[0, 0, 0] for _ in range(length + 1)] for side in ("bank", "book")
    }
    for span in spans:
        start = max(0, (span.from_day - first).days)
        end = min(length, (span.until_day - first).days)
        if start < end:
            # What is taken back is taken out of the column in which it was.
            credit = (span.amount_fen > 0) == (span.items > 0)
            column, fen = (1, span.amount_fen) if credit else (2, -span.amount_fen)
            for at, sign in ((start, 1), (end, -1)):
                steps[span.side][at][0] += sign * span.items
                steps[span.side][at][column] += sign * fen
    days = [first + timedelta(days=number) for number in range(length)]
    return list(zip(days, _sums(steps["bank"]), _sums(steps["book"]), strict=False))


def _sums(steps: Iterable[list[int]]) -> Iterable[Items]:
    now = [0, 0, 0]
    for step in steps:
        now = [was + more for was, more in zip(now, step, strict=True)]
        yield Items(*now)
