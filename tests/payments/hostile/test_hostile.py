"""A bank that drops, delays, repeats, garbles and forgets: nobody is paid twice, nothing is lost.

`make hostile` runs a thousand seeds; here are a few over every channel.
"""

from collections.abc import AsyncGenerator
from typing import Final

import pytest

from tests.payments.hostile.run import run
from tests.payments.hostile.tools import tools
from tests.payments.hostile.world import CHANNELS, Tools
from tests.servers import PostgresServer

SEEDS: Final = range(24)


@pytest.fixture(scope="module")
async def ready(postgres_server: PostgresServer) -> AsyncGenerator[Tools]:
    async with tools(postgres_server) as ready:
        yield ready


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_the_bank_does_the_books_agree_to_the_fen(ready: Tools, seed: int) -> None:
    ran = await run(ready, seed)
    assert not ran.wrong, "\n".join([*ran.trace, ran.wrong])
    assert ran.channels.startswith(CHANNELS[seed % len(CHANNELS)])


async def test_a_seed_replays(ready: Tools) -> None:
    for seed in (2, 19):
        first, second = await run(ready, seed), await run(ready, seed)
        assert first.trace == second.trace
        assert first.struck == second.struck
