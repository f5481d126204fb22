"""What comes at the same time is worked as one set; what comes alone is worked at once.

While as many sets are being worked as may be, the next one fills. Nothing waits for company beyond
that, unless a `linger_s` is told: where nobody waits for the result and many are on their way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Gathering(Generic[T, R]):
    """Works what many callers bring, in sets of at most `rows_max` rows as `rows_of` counts them.

    `work` gives one result per piece, in order. A set that fails is worked piece by piece, so that
    nobody's piece fails for the reason of another's.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        rows_of: Callable[[T], int],
        rows_max: int,
        sets_at_once: int,
        linger_s: float = 0.0,
    ) -> None:
        self._work = work
        self._rows_of = rows_of
        self._rows_max = rows_max
        self._sets_at_once = sets_at_once
        self._linger_s = linger_s
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._working: set[asyncio.Task[None]] = set()

    async def done(self, piece: T) -> R:
        """Give what came of the piece; it is worked to its end even if nobody waits any longer."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((piece, result))
        if len(self._working) < self._sets_at_once:
            task = asyncio.create_task(self._work_off())
            self._working.add(task)
        return await result

    async def _work_off(self) -> None:
        while self._waiting:
            if self._linger_s:
                await asyncio.sleep(self._linger_s)
            pieces, results = zip(*self._next_set(), strict=True)
            await self._work_set(pieces, results)
        # Before anybody else has a turn: what is brought next must not count on this task.
        task = asyncio.current_task()
        assert task is not None, "inside a task"
        self._working.discard(task)

    def _next_set(self) -> list[tuple[T, asyncio.Future[R]]]:
        taken = [self._waiting.popleft()]
        rows = self._rows_of(taken[0][0])
        while self._waiting:
            rows += self._rows_of(self._waiting[0][0])
            if rows > self._rows_max:
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _work_set(self, pieces: Sequence[T], results: Sequence[asyncio.Future[R]]) -> None:
        try:
            found = await self._work(pieces)
        except Exception as failure:  # noqa: BLE001 - it is told to whoever brought the piece
            if len(pieces) > 1:
                for piece, result in zip(pieces, results, strict=True):
                    await self._work_set([piece], [result])
            elif not results[0].done():
                results[0].set_exception(failure)
        else:
            for result, one in zip(results, found, strict=True):
                if not result.done():
                    result.set_result(one)
