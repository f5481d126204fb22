"""What comes at the same time is worked together, and fails alone."""

import asyncio
from collections.abc import Sequence

import pytest

from services.common.kit.gathering import Gathering


class Work:
    """Doubles numbers, and remembers the sets; it refuses a set with a number below nothing."""

    def __init__(self) -> None:
        self.sets: list[list[int]] = []
        self.may_go_on = asyncio.Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.sets.append(list(numbers))
        await self.may_go_on.wait()
        if min(numbers) < 0:
            raise ValueError(min(numbers))
        return [2 * number for number in numbers]


def gathering(work: Work, rows_max: int = 100) -> Gathering[int, int]:
    return Gathering(work, rows_of=abs, rows_max=rows_max, sets_at_once=1)


async def test_who_comes_alone_is_worked_at_once_and_who_comes_meanwhile_together() -> None:
    work = Work()
    numbers = gathering(work)
    first = asyncio.create_task(numbers.done(1))
    await asyncio.sleep(0)
    others = [asyncio.create_task(numbers.done(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    work.may_go_on.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6]
    assert work.sets == [[1], [2, 3]]


async def test_a_set_holds_no_more_rows_than_it_may_unless_one_piece_does() -> None:
    work = Work()
    work.may_go_on.set()
    numbers = gathering(work, rows_max=5)
    assert await asyncio.gather(*map(numbers.done, (9, 3, 2, 1))) == [18, 6, 4, 2]
    assert work.sets == [[9], [3, 2], [1]]


async def test_a_piece_that_fails_fails_alone() -> None:
    work = Work()
    work.may_go_on.set()
    numbers = gathering(work)
    found = await asyncio.gather(*map(numbers.done, (1, -2, 3)), return_exceptions=True)
    assert (found[0], found[2]) == (2, 6)
    assert isinstance(found[1], ValueError)


async def test_a_piece_is_worked_even_when_nobody_waits_for_it_any_more() -> None:
    work = Work()
    numbers = gathering(work)
    left = asyncio.create_task(numbers.done(1))
    await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    work.may_go_on.set()
    assert await numbers.done(2) == 4
    assert work.sets == [[1], [2]]


async def test_what_is_brought_right_after_an_answer_is_worked_too() -> None:
    work = Work()
    work.may_go_on.set()
    numbers = gathering(work)
    async with asyncio.timeout(5):
        assert [await numbers.done(number) for number in (1, 2, 3)] == [2, 4, 6]


async def test_where_nobody_is_in_a_hurry_the_first_waits_a_moment_for_company() -> None:
    work = Work()
    work.may_go_on.set()
    numbers = Gathering[int, int](work, rows_of=abs, rows_max=9, sets_at_once=1, linger_s=0.02)
    first = asyncio.create_task(numbers.done(1))
    await asyncio.sleep(0)
    assert await asyncio.gather(first, numbers.done(2)) == [2, 4]
    assert work.sets == [[1, 2]]
