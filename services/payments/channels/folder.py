"""A folder shared with a bank: files are put there whole or not at all, and read without trust."""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from services.payments.errors import ResultUnusable

_PART: Final = ".part"
# The bank's user reads by group; nobody else.
_MODE: Final = 0o640


class Print(NamedTuple):
    """Tells a file from another that is put in its place later."""

    inode: int
    size_bytes: int
    changed_ns: int


def put(folder: Path, name: str, content: bytes) -> None:
    """Put a file so that whoever reads meets all of it, on the disk, or none; raises OSError."""
    part = folder / f"{name}{_PART}"
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _MODE)
    with os.fdopen(file, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.rename(folder / name)
    _sync(folder)


def _sync(folder: Path) -> None:
    listing = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(listing)
    finally:
        os.close(listing)


def names(folder: Path) -> list[str]:
    """List what has been put whole; raises OSError."""
    with os.scandir(folder) as entries:
        return [
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and not entry.name.endswith(_PART)
        ]


def print_of(folder: Path, name: str) -> Print:
    """Tell which file lies there now; raises OSError."""
    found = (folder / name).lstat()
    return Print(found.st_ino, found.st_size, found.st_mtime_ns)


@contextmanager
def opened(folder: Path, name: str, bytes_max: int) -> Generator[BinaryIO]:
    """Open a file of the other side's.

    Raises `ResultUnusable` for a link, a pipe, a folder or more than `bytes_max`, else OSError.
    """
    try:
        # Without O_NONBLOCK a pipe would be waited on for ever.
        file = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as failed:
        if failed.errno == errno.ELOOP:
            raise ResultUnusable from None
        raise
    with os.fdopen(file, "rb") as source:
        found = os.fstat(source.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > bytes_max:
            raise ResultUnusable
        yield source


def holds(folder: Path, name: str, content: bytes) -> bool | None:
    """Tell whether the file holds these bytes; None where there is no such file. Raises OSError."""
    try:
        with opened(folder, name, len(content)) as source:
            return source.read() == content
    except FileNotFoundError:
        return None
    except ResultUnusable:
        return False
