"""A run with killed programs is one in which programs were killed, and it says how many."""

import asyncio
from typing import cast

import pytest

from deploy.bench.year.kills import VICTIMS, kills
from deploy.local.platform import Platform


class Stage:
    """Programs that are there, away, or not known at all."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.ended: list[str] = []

    def kill(self, name: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.ended.append(name)

    def platform(self) -> Platform:
        return cast("Platform", self)


async def test_every_kill_is_counted() -> None:
    stage = Stage()
    async with kills(stage.platform(), 0.005) as killed:
        while len(stage.ended) <= len(VICTIMS):  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.005)
    assert killed.total() == len(stage.ended)
    assert set(killed) == set(VICTIMS)


async def test_a_program_that_is_away_just_then_is_not_counted() -> None:
    async with kills(Stage(ProcessLookupError("away")).platform(), 0.005) as killed:
        await asyncio.sleep(0.05)
    assert killed.total() == 0


async def test_what_ends_the_killing_fails_the_run() -> None:
    with pytest.raises(KeyError, match="renamed"):
        async with kills(Stage(KeyError("renamed")).platform(), 0.005):
            await asyncio.sleep(0.05)


async def test_nobody_is_killed_unasked() -> None:
    stage = Stage()
    async with kills(stage.platform(), 0.0) as killed:
        await asyncio.sleep(0.02)
    assert (stage.ended, killed.total()) == ([], 0)
