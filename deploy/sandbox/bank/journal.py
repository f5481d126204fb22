"""The bank's journal: everything that happened, in order, in one book; all else follows from it.

The lines of the book that is shown to whoever checks (`BookLine`) stand in it as they are shown,
and begin with their time; every other entry begins with what it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from deploy.sandbox.bank.ledger import Standing
from deploy.sandbox.bank.movements import Movement
from deploy.sandbox.books import CHUNK_BYTES, Book

BOOK_LINE = b'{"at":'


class Accepted(msgspec.Struct, tag="accepted", tag_field="what"):
    at: str
    name: str
    digest: str
    batch: str
    payer: str
    currency: str
    count: int
    total_fen: int
    debits: Sequence[int]
    held: bool


class TurnedAway(msgspec.Struct, tag="refused", tag_field="what"):
    at: str
    name: str
    digest: str
    batch: str | None
    code: str
    reason: str


class Released(msgspec.Struct, tag="released", tag_field="what"):
    """Everything that was held may be booked."""

    at: str


class Closed(msgspec.Struct, tag="closed", tag_field="what"):
    at: str
    batch: str


class AccountSet(msgspec.Struct, tag="account", tag_field="what"):
    at: str
    account: str
    name: str
    status: Standing


class Note(msgspec.Struct, tag="note", tag_field="what"):
    """What a door has to know again, in words of its own."""

    door: str
    text: str


class BookLine(msgspec.Struct, gc=False):
    """One line of the bank's book, field by field as it is shown; what was returned has line 0."""

    at: str
    batch: str
    line: int
    account: str
    name: str
    amount: str
    currency: str
    status: Literal["booked", "refused", "returned"]
    reason: str | None
    instruction_id: str


Entry = Accepted | TurnedAway | Released | Closed | AccountSet | Note | Movement | BookLine

_LINE = msgspec.json.Decoder(BookLine)
_OTHER = msgspec.json.Decoder(
    Accepted | TurnedAway | Released | Closed | AccountSet | Note | Movement
)
_MOVEMENT = msgspec.json.Decoder(Movement)
_NOTE = msgspec.json.Decoder(Note)
_ENCODER = msgspec.json.Encoder()


class Journal:
    def __init__(self, path: Path) -> None:
        self._book = Book(path)

    @property
    def size(self) -> int:
        return self._book.size

    async def append(self, entries: Sequence[Entry]) -> list[int]:
        """Keep all or none; answer with where each lies once they are on the disk."""
        return await self._book.append(list(map(_ENCODER.encode, entries)))

    def cut(self, size: int) -> None:
        self._book.cut(size)

    def entries(self) -> Iterator[tuple[int, int, Entry]]:
        """Give every entry with where it begins and ends."""
        for offset, text in self._book.lines():
            decoder = _LINE if text.startswith(BOOK_LINE) else _OTHER
            yield offset, offset + len(text), decoder.decode(text)

    def book_lines(self, start: int, end: int) -> Iterator[BookLine]:
        for _, text in self._book.lines(start, end):
            if text.startswith(BOOK_LINE):
                yield _LINE.decode(text)

    def book_line(self, offset: int) -> BookLine:
        [text] = self._book.at([offset])
        return _LINE.decode(text)

    def movements(self, offsets: Iterable[int]) -> Iterator[Movement]:
        return map(_MOVEMENT.decode, self._book.at(offsets))

    def notes(self, offsets: Iterable[int]) -> Iterator[Note]:
        return map(_NOTE.decode, self._book.at(offsets))

    def shown(self) -> Iterator[bytes]:
        """Give the book as it is shown: JSON lines, oldest first, in chunks."""
        chunk = bytearray()
        for _, text in self._book.lines():
            if text.startswith(BOOK_LINE):
                chunk += text.rstrip() + b"\n"
                if len(chunk) > CHUNK_BYTES:
                    yield bytes(chunk)
                    chunk.clear()
        yield bytes(chunk)
