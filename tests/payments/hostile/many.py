"""Runs many seeds, one after the other, in this process."""

import asyncio
import logging
from collections.abc import Sequence

import structlog

from tests import servers
from tests.payments.hostile.run import Ran, Tell, quiet, run
from tests.payments.hostile.tools import tools


def run_chunk(seeds: Sequence[int]) -> list[Ran]:
    """Run seeds in a process of a pool, with a database of their own."""
    return [ran._replace(trace=()) for ran in asyncio.run(run_all(seeds, quiet))]


async def run_all(seeds: Sequence[int], tell: Tell) -> list[Ran]:
    """Run seeds over the server that the controller has opened a folder for."""
    # What goes wrong is ordered: only the verdict says something.
    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silent)
    async with tools(await servers.shared_postgres()) as ready:
        return [await run(ready, seed, tell) for seed in seeds]
