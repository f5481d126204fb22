"""Books on disk: lines are appended, forced to the disk together, and read back in order."""

import asyncio
import fcntl
import os
import sys
import weakref
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import IO

CHUNK_BYTES = 256 * 1024
# Ends every line of an append but the last: a reader of JSON does not see the blank.
MORE_FOLLOWS = b" "


class Book:
    """An append-only file of JSON lines; what is appended together is kept whole or not at all.

    Whoever asks while a write is on its way is gathered into the next one, so that a thousand
    callers share one fsync. Offsets are given out at once and double as the place in that queue.
    """

    def __init__(self, path: Path, linger_s: float = 0.0) -> None:
        """`linger_s` is how long a write waits for others to join it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._linger_s = linger_s
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        weakref.finalize(self, os.close, self._file)
        self._durable = _cut_torn_line(self._file)
        self._end = self._durable
        self._waiting: list[bytes] = []
        self._turn = asyncio.Lock()
        _sync_folder(path.parent)

    async def append(self, lines: Sequence[bytes]) -> list[int]:
        """Answer with the offset of every line once all of them are on the disk."""
        kept = (MORE_FOLLOWS + b"\n").join(lines) + b"\n" if lines else b""
        # Each line but the last is longer by what shows that more follows.
        more = len(MORE_FOLLOWS) + 1
        offsets = list(accumulate([len(line) + more for line in lines[:-1]], initial=self._end))
        self._waiting.append(kept)
        self._end = end = self._end + len(kept)
        async with self._turn:
            if self._durable < end:
                if self._linger_s:
                    await asyncio.sleep(self._linger_s)
                data = b"".join(self._waiting)
                self._waiting = []
                await asyncio.to_thread(_write, self._file, data)
                self._durable += len(data)
        return offsets if lines else []

    def chunks(self) -> Iterator[bytes]:
        """Give what is on the disk now; lines that are just being written stay out."""
        left = self._durable
        with self._path.open("rb") as file:
            while left:
                chunk = file.read(min(left, CHUNK_BYTES))
                left -= len(chunk)
                yield chunk

    @property
    def size(self) -> int:
        """How many bytes are on the disk."""
        return self._durable

    def cut(self, size: int) -> None:
        """Forget what came after the book had this size; nobody may be writing meanwhile."""
        os.ftruncate(self._file, size)
        os.fsync(self._file)
        self._durable = self._end = size

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Give every line from one offset to another, each with its own."""
        offset = start
        end = self._durable if end is None else end
        with self._path.open("rb") as file:
            file.seek(start)
            for line in file:
                if offset >= end:
                    return
                yield offset, line
                offset += len(line)

    def at(self, offsets: Iterable[int]) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            for offset in offsets:
                file.seek(offset)
                yield file.readline()


def keep_file(path: Path, content: Iterable[bytes]) -> None:
    """Keep a whole file, or nothing: it appears under its name only when it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    with half.open("wb") as file:
        file.writelines(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    _sync_folder(path.parent)


def hold(folder: Path) -> IO[str]:
    """Hold the folder of books for this process alone; two writers would ruin them."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "held").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        raise SystemExit(f"another sandbox holds {folder}") from taken
    return file


def _write(file: int, data: bytes) -> None:
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except OSError as failure:
        # What reached the disk is unknown now; a restart reads it, going on would guess.
        sys.stderr.write(f"a book cannot be written: {failure}\n")
        os._exit(1)


def _cut_torn_line(file: int) -> int:
    """Cut what a kill left of the last append: nobody was ever told about it."""
    size = os.fstat(file).st_size
    whole = size
    while whole:
        start = max(0, whole - CHUNK_BYTES)
        newline = os.pread(file, whole - start, start).rfind(b"\n")
        whole = start
        if newline >= 0:
            before = start + newline - len(MORE_FOLLOWS)
            if before < 0 or os.pread(file, len(MORE_FOLLOWS), before) != MORE_FOLLOWS:
                whole = start + newline + 1
                break
            whole = start + newline
    if whole < size:
        os.ftruncate(file, whole)
        os.fsync(file)
    return whole


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
