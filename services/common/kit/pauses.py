"""How loops wait: for a time, and no longer than until somebody wakes them."""

import asyncio


async def pause(seconds: float, wake: asyncio.Event, *others: asyncio.Event) -> None:
    """Sleep until the time is up or one of the events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in (wake, *others)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
