"""Kills a different program every so many seconds while a year runs; the supervisor mends it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Final

from deploy.demo import show
from deploy.local.platform import Platform

# A text that the provider has lost with a call is sent anew once the request is surely void, which
# takes a quarter of an hour with the real one: here less, for nothing else is waited for then.
PATIENCE: Final = {"NOTIFY_SMS_REQUEST_EXPIRY_S": "60"}
VICTIMS: Final = (
    "claims-feed",
    "payments",
    "sandbox",
    "notify",
    "postgres",
    "claims",
    "kafka",
    "gateway",
    "enrollment",
)


@asynccontextmanager
async def kills(platform: Platform, every_s: float) -> AsyncGenerator[Counter[str]]:
    """Kill while the body runs, and count it by program; nobody where `every_s` is 0.

    Raises, once the body is done, whatever ended the killing before.
    """
    killed = Counter[str]()
    if not every_s:
        yield killed
        return
    killing = asyncio.create_task(_kill(platform, every_s, killed))
    try:
        yield killed
    finally:
        killing.cancel()
        await asyncio.wait([killing])
    if not killing.cancelled():
        killing.result()


async def _kill(platform: Platform, every_s: float, killed: Counter[str]) -> None:
    for name in cycle(VICTIMS):
        await asyncio.sleep(every_s)
        with contextlib.suppress(ProcessLookupError):
            platform.kill(name)
            killed[name] += 1
            show.line(f"killed: {name}")
