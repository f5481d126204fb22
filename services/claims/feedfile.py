"""A settlement feed at rest: kept sealed before it is answered for, read again in its own order.

A feed is CSV, perhaps gzipped, in UTF-8 or GB18030. It is read through once before its first row
is judged, so that an unreadable file is refused whole and nothing of it is booked.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from services.claims.errors import FeedEmpty, FeedUnreadable, FeedWrongEncoding
from services.common.kit.sealed_file import open_sealed_file
from services.common.kit.sealing import Opener

GZIP_MAGIC: Final = b"\x1f\x8b"
ENCODINGS: Final = ("utf-8-sig", "gb18030")
_BLANK: Final = ("\n", "\r\n", "\r")
_FIRST_LINE: Final = 2  # the header is line 1
_FIELD_CHARS_MAX: Final = csv.field_size_limit()


# One row of the file: the number of its line, where the header is line 1, and its fields.
Line = tuple[int, list[str]]


class FeedShape(NamedTuple):
    """What reading a feed through has shown."""

    encoding: str
    header: list[str]
    lines: int


def path_of(var_dir: Path, feed_id: UUID) -> Path:
    return var_dir / "data" / "feeds" / f"{feed_id}.sealed"


def label_of(feed_id: UUID) -> str:
    return f"feed:{feed_id}"


def examine(path: Path, opener: Opener, feed_id: UUID) -> FeedShape:
    """Read the whole feed once; raises a `FeedUnreadable` where it is not a feed."""
    for encoding in ENCODINGS:
        try:
            with _text(path, opener, feed_id, encoding) as text:
                header = next(csv.reader(text, strict=True), None)
                count = _count(text)
        except UnicodeDecodeError:
            continue
        except (csv.Error, OSError, EOFError, zlib.error) as bad:
            raise FeedUnreadable from bad
        if not header or count == 0:
            raise FeedEmpty
        return FeedShape(encoding, header, count)
    raise FeedWrongEncoding


def _count(text: Iterator[str]) -> int:
    """Count the rows; where nothing is quoted each line is one, and no row is split for it."""
    count = 0
    for line in text:
        if not _is_plain(line):
            return count + sum(1 for row in csv.reader(chain((line,), text), strict=True) if row)
        count += line not in _BLANK
    return count


def _is_plain(line: str) -> bool:
    """Say whether a line is a row by itself that csv finds nothing wrong with."""
    return '"' not in line and len(line) < _FIELD_CHARS_MAX


@contextmanager
def lines_from(
    path: Path, opener: Opener, feed_id: UUID, encoding: str, *, after: int
) -> Generator[Iterator[Line]]:
    """Give the rows of the feed that come after the first `after` ones."""
    with _text(path, opener, feed_id, encoding) as text:
        next(csv.reader(text, strict=True), None)
        number, left = _FIRST_LINE, after
        lines: Iterator[str] = text
        for line in text if left else ():
            if not _is_plain(line):
                lines = chain((line,), text)
                break
            number, left = number + 1, left - (line not in _BLANK)
            if not left:
                break
        rows = enumerate(csv.reader(lines, strict=True), number)
        yield islice(filter(itemgetter(1), rows), left, None)


@contextmanager
def _text(path: Path, opener: Opener, feed_id: UUID, encoding: str) -> Generator[io.TextIOWrapper]:
    with open_sealed_file(path, opener, label=label_of(feed_id)) as plain:
        raw = gzip.GzipFile(fileobj=plain) if plain.peek(2)[:2] == GZIP_MAGIC else plain
        with io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
            yield text
