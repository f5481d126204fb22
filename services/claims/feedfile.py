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
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from services.claims.errors import FeedEmpty, FeedUnreadable, FeedWrongEncoding
from services.common.kit.sealed_file import open_sealed_file
from services.common.kit.sealing import Opener

GZIP_MAGIC: Final = b"\x1f\x8b"
ENCODINGS: Final = ("utf-8-sig", "gb18030")


class Line(NamedTuple):
    """One row of the file; the header is line 1."""

    number: int
    fields: list[str]


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
            with _rows(path, opener, feed_id, encoding) as rows:
                header = next(rows, None)
                count = sum(1 for fields in rows if fields)
        except UnicodeDecodeError:
            continue
        except (csv.Error, OSError, EOFError, zlib.error) as bad:
            raise FeedUnreadable from bad
        if not header or count == 0:
            raise FeedEmpty
        return FeedShape(encoding, header, count)
    raise FeedWrongEncoding


@contextmanager
def lines_from(
    path: Path, opener: Opener, feed_id: UUID, encoding: str, *, after: int
) -> Generator[Iterator[Line]]:
    """Give the rows of the feed that come after the first `after` ones."""
    with _rows(path, opener, feed_id, encoding) as rows:
        next(rows, None)
        numbered = (Line(number, fields) for number, fields in enumerate(rows, start=2) if fields)
        for _ in range(after):
            next(numbered, None)
        yield numbered


@contextmanager
def _rows(
    path: Path, opener: Opener, feed_id: UUID, encoding: str
) -> Generator[Iterator[list[str]]]:
    with open_sealed_file(path, opener, label=label_of(feed_id)) as plain:
        raw = gzip.GzipFile(fileobj=plain) if plain.peek(2)[:2] == GZIP_MAGIC else plain
        with io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
            yield csv.reader(text, strict=True)
