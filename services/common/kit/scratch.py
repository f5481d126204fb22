"""What one process puts aside for itself: on the disk, in a file without a name, sealed.

The key is made for the file and never leaves the process, so nothing can be read once it is over,
and the disk's room is free again by itself.
"""

import os
import tempfile
from errno import ENOSPC
from pathlib import Path
from typing import Final, NamedTuple

from services.common.kit.sealing import CIPHERS, DATA_KEY_BYTES, NONCE_BYTES, Suite


class Place(NamedTuple):
    """Where a piece lies."""

    offset: int
    size: int


class Scratch:
    """Pieces of bytes, put aside one after another and taken back in any order, any often."""

    def __init__(self, folder: Path, suite: Suite) -> None:
        # Pieces are large, and what a buffer could not write on it would try again when closed.
        self._file: Final = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - `close` ends it
        self._cipher = CIPHERS[suite](os.urandom(DATA_KEY_BYTES))
        self._end = 0

    def put(self, plain: bytes) -> Place:
        """Put a piece aside; raises an `OSError` where there is no room for it."""
        place = Place(self._end, len(plain))
        sealed = self._cipher.encrypt(_nonce(place), plain, None)
        self._file.seek(place.offset)
        if self._file.write(sealed) < len(sealed):
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        self._end += len(sealed)
        return Place(place.offset, len(sealed))

    def get(self, place: Place) -> bytes:
        self._file.seek(place.offset)
        return self._cipher.decrypt(_nonce(place), self._file.read(place.size), None)

    def close(self) -> None:
        self._file.close()


def _nonce(place: Place) -> bytes:
    """No two pieces begin at the same place, and the key serves for this file alone."""
    return place.offset.to_bytes(NONCE_BYTES, "big")
