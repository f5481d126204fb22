"""Waiting for what another process does."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.02)
