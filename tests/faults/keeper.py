"""Keeps a whole platform in a process of its own, so that the keeper can be killed as well.

What single programs are told beside their settings (which crash points are armed) is read anew
from a file of the var folder at every start of a program.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.platform import Platform

ORDERS = "orders.json"


class Orders(dict[str, dict[str, str]]):
    """The file, seen as the supervisor's `extra_env`."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def get(  # pyright: ignore[reportIncompatibleMethodOverride] - the one form the supervisor uses
        self, key: str, default: dict[str, str]
    ) -> dict[str, str]:
        if not self._file.exists():
            return default
        orders: dict[str, dict[str, str]] = json.loads(self._file.read_text())
        return orders.get(key, default)


async def keep(var_dir: Path, only: Sequence[str]) -> None:
    platform = Platform(var_dir, os.environ, only=only or None, say=_say)
    platform.extra_env = Orders(var_dir / ORDERS)
    work = asyncio.create_task(_start_and_watch(platform))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await work
    finally:
        await platform.stop()


async def _start_and_watch(platform: Platform) -> None:
    await platform.start()
    await platform.watch()


def _say(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1]), sys.argv[2:]))
