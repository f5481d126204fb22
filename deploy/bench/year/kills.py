"""Kills a different program every so many seconds while a year runs; the supervisor mends it."""

import asyncio
import contextlib
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
async def kills(platform: Platform, every_s: float) -> AsyncGenerator[None]:
    """Kill while the body runs; nobody where `every_s` is 0."""
    if not every_s:
        yield
        return
    killing = asyncio.create_task(_kill(platform, every_s))
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.wait([killing])


async def _kill(platform: Platform, every_s: float) -> None:
    for name in cycle(VICTIMS):
        await asyncio.sleep(every_s)
        with contextlib.suppress(ProcessLookupError):
            platform.kill(name)
            show.line(f"killed: {name}")
