"""How one waits for something of the platform's doing: asked often, never for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.05
LIMIT_S = 120.0


class DidNotHappen(Exception):
    """What was waited for has not come about in the time that was given to it."""


async def until(
    what: str,
    ask: Callable[[], Awaitable[T | None]],
    *,
    poll_s: float = POLL_S,
    limit_s: float = LIMIT_S,
) -> T:
    """Ask until there is an answer."""
    deadline = time.monotonic() + limit_s
    while (answer := await ask()) is None:
        if time.monotonic() > deadline:
            raise DidNotHappen(f"not within {limit_s:g} s: {what}")
        await asyncio.sleep(poll_s)
    return answer
