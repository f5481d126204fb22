"""A settlement feed at rest: kept sealed before it is answered for, read person by person.

A feed is CSV, perhaps gzipped, in UTF-8 or GB18030. It is read through once before its first row
is judged, so that an unreadable file is refused whole and nothing of it is booked. While it is read
its rows are put beside each other person by person: a bureau's file has them by day, so that each
row would be looked up, locked and written at another place of the books, and a person who went to
the doctor four times four times.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Final
from uuid import UUID
from zlib import crc32

import msgspec

from services.claims.errors import FeedEmpty, FeedUnreadable, FeedWrongEncoding
from services.common.kit.scratch import Place, Scratch
from services.common.kit.sealed_file import open_sealed_file
from services.common.kit.sealing import Opener, Suite

GZIP_MAGIC: Final = b"\x1f\x8b"
ENCODINGS: Final = ("utf-8-sig", "gb18030")
_WHOSE: Final = "certno"
_BLANK: Final = ("\n", "\r\n", "\r")
_FIRST_LINE: Final = 2  # the header is line 1
_FIELD_CHARS_MAX: Final = csv.field_size_limit()

# Rows are sorted a section at a time: of a year's file one has 15,000, some 5 MB.
_SECTIONS: Final = 256
_PUT_ASIDE_ROWS: Final = 200
_SUM_HEX: Final = 8
_NUMBER_DIGITS: Final = 12
_PREFIX: Final = _SUM_HEX + _NUMBER_DIGITS

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[str]).decode

# One row of the file: the number of its line, where the header is line 1, and its fields.
Line = tuple[int, list[str]]


def path_of(var_dir: Path, feed_id: UUID) -> Path:
    return var_dir / "data" / "feeds" / f"{feed_id}.sealed"


def label_of(feed_id: UUID) -> str:
    return f"feed:{feed_id}"


class OrderedFeed:
    """A feed's rows by a checksum of whose they are, each person's in the file's own order.

    The order follows from the file alone, so a feed goes on after a restart where it was; that two
    people now and then have one sum does no harm. Most rows lie in `scratch`; what is left over of
    each section stays in memory.
    """

    def __init__(self, feed_id: UUID, header: list[str], scratch: Scratch) -> None:
        self.feed_id = feed_id
        self.header = header
        self._scratch = scratch
        self._aside: list[list[Place]] = [[] for _ in range(_SECTIONS)]
        self._rest: list[list[str]] = [[] for _ in range(_SECTIONS)]

    @property
    def lines(self) -> int:
        return sum(map(self._size, range(_SECTIONS)))

    def add(self, number: int, whose: str, text: str) -> None:
        """Take a row in; rows of nobody are spread, lest a section become a whole file."""
        checksum = crc32((whose or str(number)).upper().encode())
        section = checksum >> 24
        rest = self._rest[section]
        # Texts in order are rows in order: by person first, then by line.
        rest.append(f"{checksum:0{_SUM_HEX}x}{number:0{_NUMBER_DIGITS}d}{text}")
        if len(rest) == _PUT_ASIDE_ROWS:
            self._aside[section].append(self._scratch.put(_pack(rest)))
            rest.clear()

    def rows(self, *, after: int) -> Iterator[Line]:
        """Give the rows that come after the first `after` ones."""
        for section in range(_SECTIONS):
            size = self._size(section)
            if after < size:
                aside = [_unpack(self._scratch.get(place)) for place in self._aside[section]]
                texts = sorted(chain(*aside, self._rest[section]))
                for text in islice(texts, after, None):
                    yield int(text[_SUM_HEX:_PREFIX]), _fields(text[_PREFIX:])
            after = max(0, after - size)

    def _size(self, section: int) -> int:
        return _PUT_ASIDE_ROWS * len(self._aside[section]) + len(self._rest[section])

    def close(self) -> None:
        self._scratch.close()


def in_order(path: Path, opener: Opener, feed_id: UUID, suite: Suite) -> OrderedFeed:
    """Read the whole feed once; raises a `FeedUnreadable` where it is not a feed.

    What is put aside of it meanwhile is sealed by `suite`; a disk that has no room for it, or does
    not read, raises its `OSError`, and a file or a key that is not as it was a `SealBroken`.
    """
    for encoding in ENCODINGS:
        try:
            return _in_order(path, opener, feed_id, encoding, suite)
        except UnicodeDecodeError:
            continue
        except (csv.Error, gzip.BadGzipFile, FileNotFoundError, EOFError, zlib.error) as bad:
            raise FeedUnreadable from bad
    raise FeedWrongEncoding


def _in_order(
    path: Path, opener: Opener, feed_id: UUID, encoding: str, suite: Suite
) -> OrderedFeed:
    with _text(path, opener, feed_id, encoding) as text, ExitStack() as unless_whole:
        header = next(csv.reader(text, strict=True), None)
        if not header:
            raise FeedEmpty
        scratch = unless_whole.enter_context(closing(Scratch(path.parent, suite)))
        feed = OrderedFeed(feed_id, header, scratch)
        # Without the column the feed is refused, in whatever order its rows are.
        place = header.index(_WHOSE) if _WHOSE in header else 0
        for number, fields, line in _rows(text, place + 1):
            feed.add(number, fields[place].strip() if place < len(fields) else "", line)
        if not feed.lines:
            raise FeedEmpty
        unless_whole.pop_all()
    return feed


def _rows(text: Iterator[str], splits: int) -> Iterator[tuple[int, list[str], str]]:
    """Give the rows' numbers, first fields and texts; a row without quotes is a line as it is."""
    number = _FIRST_LINE
    for line in text:
        if '"' in line or len(line) >= _FIELD_CHARS_MAX:
            rows = csv.reader(chain((line,), text), strict=True)
            yield from ((at, row, _written(row)) for at, row in enumerate(rows, number) if row)
            return
        if line not in _BLANK:
            yield number, line.split(",", splits), line
        number += 1


def _fields(text: str) -> list[str]:
    """Take a row apart; one without quotes is read in half the time."""
    if '"' in text:
        return next(csv.reader((text,), strict=True))
    return text.rstrip("\r\n").split(",")


def _written(row: list[str]) -> str:
    text = io.StringIO()
    # With this ending the writer puts quotes around a carriage return too.
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue()


@contextmanager
def _text(path: Path, opener: Opener, feed_id: UUID, encoding: str) -> Generator[io.TextIOWrapper]:
    with open_sealed_file(path, opener, label=label_of(feed_id)) as plain:
        raw = gzip.GzipFile(fileobj=plain) if plain.peek(2)[:2] == GZIP_MAGIC else plain
        with io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
            yield text
