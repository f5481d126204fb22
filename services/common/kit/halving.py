"""A set that fails for a reason of its own is halved until the row at fault is found."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from services.common.kit.db import Unit, is_transient

T = TypeVar("T")
R = TypeVar("R")


async def halved(
    unit: Unit,
    rows: Sequence[T],
    whole: Callable[[Sequence[T]], Awaitable[R]],
    alone: Callable[[T, Exception], R],
    *,
    for_the_unit: tuple[type[Exception], ...] = (),
) -> list[R]:
    """Work the rows as one set if that goes, else in parts; gives the parts' results in order.

    `alone` says what becomes of the row that failed by itself. What is transient, or named in
    `for_the_unit`, is no row's fault and is raised.
    """
    if not rows:
        return []
    try:
        async with unit.savepoint():
            return [await whole(rows)]
    except Exception as failure:
        if is_transient(failure) or isinstance(failure, for_the_unit):
            raise
        if len(rows) == 1:
            return [alone(rows[0], failure)]
    middle = len(rows) // 2
    parts = (rows[:middle], rows[middle:])
    return [
        result
        for part in parts
        for result in await halved(unit, part, whole, alone, for_the_unit=for_the_unit)
    ]
