"""A file at rest, sealed in frames, so that it can be read as a stream and a cut is noticed.

After the head (see `sealing`) come frames: four bytes of length and the ciphertext. A frame's
number and whether it is the last go into its associated data, with the label of the file.
"""

import asyncio
import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self

from cryptography.exceptions import InvalidTag
from typing_extensions import Buffer

from services.common.kit.sealing import (
    CIPHERS,
    HEAD_BYTES,
    NONCE_BYTES,
    TAG_BYTES,
    Opener,
    SealBroken,
    Sealer,
)

FRAME_BYTES: Final = 1024 * 1024
_LENGTH: Final = struct.Struct(">I")


class SealedFileWriter:
    """Writes `path`; the file is there, whole and on the disk, once `finish` has returned."""

    def __init__(self, path: Path, sealer: Sealer, *, recipient: str, label: str) -> None:
        made = sealer.new_file_key(recipient)
        self._path = path
        self._draft = path.with_name(f"{path.name}.part")
        self._cipher = CIPHERS[made.suite](made.key)
        self._label = label
        self._number = 0
        self._pending = bytearray()
        self._draft.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._draft.open("xb")
        self._file.write(made.head)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.abandon()

    async def write(self, chunk: bytes) -> None:
        """Take more bytes; a full frame is sealed and written beside the event loop."""
        self._pending += chunk
        # The last frame must be marked, so a full one waits until a byte follows it.
        while len(self._pending) > FRAME_BYTES:
            frame = bytes(self._pending[:FRAME_BYTES])
            del self._pending[:FRAME_BYTES]
            await asyncio.to_thread(self._seal, frame, last=False)

    async def finish(self) -> None:
        """Write the last frame and make the file durable under its name."""
        await asyncio.to_thread(self._finish)

    def abandon(self) -> None:
        """Leave nothing behind; after `finish` this does nothing."""
        self._file.close()
        self._draft.unlink(missing_ok=True)

    def _finish(self) -> None:
        self._seal(bytes(self._pending), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._draft.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _seal(self, frame: bytes, *, last: bool) -> None:
        bound = _bound_to(self._label, self._number, last=last)
        sealed = self._cipher.encrypt(_nonce(self._number), frame, bound)
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1


def open_sealed_file(path: Path, opener: Opener, *, label: str) -> io.BufferedReader:
    """Open a sealed file for reading as if it were plain; `SealBroken` where it is not whole."""
    return io.BufferedReader(_Reader(path, opener, label), FRAME_BYTES)


class _Reader(io.RawIOBase):
    def __init__(self, path: Path, opener: Opener, label: str) -> None:
        self._file = path.open("rb")
        self._frames = _frames(self._file, opener, label)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        into = memoryview(buffer).cast("B")
        while not self._left:
            frame = next(self._frames, None)
            if frame is None:
                return 0
            self._left = memoryview(frame)
        size = min(len(into), len(self._left))
        into[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def _frames(file: BinaryIO, opener: Opener, label: str) -> Iterator[bytes]:
    cipher = opener.file_key(file.read(HEAD_BYTES))
    number, sealed = 0, _next_frame(file)
    while sealed is not None:
        following = _next_frame(file)
        bound = _bound_to(label, number, last=following is None)
        try:
            yield cipher.decrypt(_nonce(number), sealed, bound)
        except InvalidTag as error:
            raise SealBroken from error
        number, sealed = number + 1, following
    if number == 0:
        raise SealBroken


def _next_frame(file: BinaryIO) -> bytes | None:
    length = file.read(_LENGTH.size)
    if not length:
        return None
    size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else 0
    if not TAG_BYTES <= size <= FRAME_BYTES + TAG_BYTES:
        raise SealBroken
    sealed = file.read(size)
    if len(sealed) != size:
        raise SealBroken
    return sealed


def _nonce(number: int) -> bytes:
    """Count the frames: the key serves for this file alone, so no nonce comes twice."""
    return number.to_bytes(NONCE_BYTES, "big")


def _bound_to(label: str, number: int, *, last: bool) -> bytes:
    return f"{label}\0{number}\0{int(last)}".encode()
