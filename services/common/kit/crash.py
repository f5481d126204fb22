"""Places where a process can be made to die at once, so that every gap is tried.

`CRASHPOINTS=name1,name2` arms points, `CRASH_DIR` remembers across restarts which have fired (each
fires once), `CRASH_SEED` picks which of the first three passes is the deadly one.
"""

import os
import signal
import zlib
from collections import Counter
from pathlib import Path

PASSES_TRIED = 3

_armed = {name for name in os.environ.get("CRASHPOINTS", "").split(",") if name}
_passes: Counter[str] = Counter()


def crashpoint(name: str) -> None:
    """Die here, if this point is armed and has not fired before."""
    if _armed and name in _armed:
        _passes[name] += 1
        if _passes[name] >= _deadly_pass(name) and _first_time(name):
            os.kill(os.getpid(), signal.SIGKILL)


def _deadly_pass(name: str) -> int:
    seed = os.environ.get("CRASH_SEED")
    return 1 if seed is None else zlib.crc32(f"{seed}:{name}".encode()) % PASSES_TRIED + 1


def _first_time(name: str) -> bool:
    """Write the hit down durably, for the process that comes after the kill must find it."""
    directory = Path(os.environ["CRASH_DIR"])
    try:
        file = os.open(directory / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        _armed.discard(name)
        return False
    os.write(file, f"pid {os.getpid()} pass {_passes[name]}\n".encode())
    os.fsync(file)
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    return True
