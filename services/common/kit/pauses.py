"""How loops wait: for a time, and no longer than until somebody wakes them."""

import asyncio
import contextlib


async def pause(seconds: float, wake: asyncio.Event, *others: asyncio.Event) -> None:
    """Sleep until the time is up or one of the events is set."""
    if not others:  # the way of loops that wait many times a second: no tasks are made
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await wake.wait()
        return
    waits = [asyncio.ensure_future(event.wait()) for event in (wake, *others)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
