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


class DropFolder:
    """One bank's folder: `to-bank/` is ours, the bank's are `to-bank/taken/` and `from-bank/`.

    The folders are made by whoever mounts them: a missing one is a failure. All raise OSError.
    """

    def __init__(self, root: Path) -> None:
        self._to_bank = root / "to-bank"
        self._taken = self._to_bank / "taken"
        self._from_bank = root / "from-bank"

    def put(self, name: str, content: bytes) -> None:
        """Put a file so that whoever reads meets all of it, on the disk, or none."""
        part = self._to_bank / f"{name}{_PART}"
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _MODE)
        with os.fdopen(file, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.rename(self._to_bank / name)
        _sync(self._to_bank)

    def lies_there(self, name: str) -> bool:
        """Tell whether a file of ours waits for the bank, or has been taken."""
        return self._place(name) is not None

    def holds(self, name: str, content: bytes) -> bool:
        """Tell whether the file of ours that lies there has these bytes."""
        try:
            with self.opened_ours(name, len(content)) as source:
                return source.read() == content
        except ResultUnusable:
            return False

    @contextmanager
    def opened_ours(self, name: str, bytes_max: int) -> Generator[BinaryIO]:
        """Open a file of ours, waiting or taken; raises as `opened`."""
        with _opened((self._place(name) or self._to_bank) / name, bytes_max) as source:
            yield source

    def names(self) -> list[str]:
        """List what the bank has put whole."""
        with os.scandir(self._from_bank) as entries:
            names = [entry.name for entry in entries]
        return [name for name in names if not name.startswith(".") and not name.endswith(_PART)]

    def print_of(self, name: str) -> Print:
        """Tell which file of the bank's lies there now."""
        found = (self._from_bank / name).lstat()
        return Print(found.st_ino, found.st_size, found.st_mtime_ns)

    @contextmanager
    def opened(self, name: str, bytes_max: int) -> Generator[BinaryIO]:
        """Open a file of the bank's.

        Raises `ResultUnusable` for what is no file or has more than `bytes_max`, else OSError.
        """
        with _opened(self._from_bank / name, bytes_max) as source:
            yield source

    def _place(self, name: str) -> Path | None:
        # In this order: between the two looks it may be taken, and is never given back.
        places = (self._to_bank, self._taken)
        return next((place for place in places if (place / name).exists()), None)


@contextmanager
def _opened(path: Path, bytes_max: int) -> Generator[BinaryIO]:
    try:
        # Without O_NONBLOCK a pipe would be waited on for ever.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as failed:
        if failed.errno in (errno.ELOOP, errno.ENXIO):
            raise ResultUnusable from None
        raise
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_size > bytes_max:
        os.close(file)
        raise ResultUnusable
    with os.fdopen(file, "rb") as source:
        yield source


def _sync(folder: Path) -> None:
    listing = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(listing)
    finally:
        os.close(listing)
