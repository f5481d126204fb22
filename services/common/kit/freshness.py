"""How far consumers are: whether one has caught up, and how far others are behind."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

from services.common.kit import outbox, positions
from services.common.kit.db import TRANSIENT, Database
from services.common.kit.kafka import BrokerTrouble, Cluster, KafkaBounds, LogEnds
from services.common.kit.logs import get_logger

log = get_logger()

LOOK_EVERY_S: Final = 0.02
ASK_LAG_EVERY_S: Final = 0.5


class Freshness:
    """Tells whether a group has consumed its topics to where they end now.

    Only then is "not known" an answer: before, what is asked for may be on its way.
    """

    def __init__(
        self,
        bounds: KafkaBounds,
        database: Database,
        cluster: Cluster,
        *,
        group: str,
        topics: Sequence[str],
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._ends = LogEnds(bounds)
        self._group = group
        self._topics = topics

    async def reached(self, wait_s: float) -> bool:
        """Read the ends, then wait for the positions to reach them; False when time runs out."""
        deadline = time.monotonic() + wait_s
        try:
            async with asyncio.timeout(wait_s):
                ends = await self._ends.read(self._topics)
                cluster_id = await self._cluster.id()
            while True:
                async with self._database.begin() as unit:
                    at = await positions.load(unit, self._group, cluster_id, list(ends))
                if all(at[partition] >= end for partition, end in ends.items()):
                    return True
                if time.monotonic() >= deadline:
                    return False
                await asyncio.sleep(LOOK_EVERY_S)
        except (*BrokerTrouble, *TRANSIENT) as trouble:
            log.warning("consumer.retry", group=self._group, error=trouble)
            return False

    async def close(self) -> None:
        await self._ends.close()


class Lag:
    """How many events others have still before them: our outbox's, and what each group has told."""

    def __init__(
        self,
        bounds: KafkaBounds,
        database: Database,
        cluster: Cluster,
        groups: Mapping[str, Sequence[str]],
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._ends = LogEnds(bounds)
        self._groups = groups
        self._asked_at = float("-inf")
        self._rows = 0

    async def rows(self) -> int:
        """Give the largest lag, asked at most once per `ASK_LAG_EVERY_S`.

        Without a broker no group can be asked, but the outbox fills.
        """
        if time.monotonic() - self._asked_at >= ASK_LAG_EVERY_S:
            async with self._database.begin() as unit:
                unpublished = await unit.fetchval(outbox.PENDING)
            try:
                self._rows = max(unpublished, *[await self._of(group) for group in self._groups])
            except BrokerTrouble:
                self._rows = unpublished
            self._asked_at = time.monotonic()
        return self._rows

    async def _of(self, group: str) -> int:
        ends = await self._ends.read(self._groups[group])
        told = await self._cluster.told_positions(group)
        return sum(max(0, end - told.get(partition, 0)) for partition, end in ends.items())

    async def close(self) -> None:
        await self._ends.close()
