"""How far consumers are: whether one has caught up, and how far others are behind."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.common.kit import outbox, positions
from services.common.kit.db import TRANSIENT, Database
from services.common.kit.kafka import BrokerTrouble, Cluster, KafkaBounds, LogEnds
from services.common.kit.logs import get_logger

log = get_logger()

LOOK_EVERY_S: Final = 0.02
ASK_LAG_EVERY_S: Final = 0.1
# What others do comes in sets, so a look at a tenth of a second says little.
MEAN_OVER_S: Final = 1.0
# In records of the log: sets of events, whose size is its writers' and changes slowly.
FIRST_PER_S: Final = 50.0
# Nobody is taken to be slower, so that the first events after a standstill find them.
SLOWEST_PER_S: Final = 5.0


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


@dataclass
class Pace:
    """How fast somebody works off what lies before them, as a mean over about `MEAN_OVER_S`."""

    per_s: float = FIRST_PER_S
    _done: int = 0
    _left: int = 0
    _at: float | None = None

    def wait_s(self, now: float, done: int, left: int) -> float:
        """Note that so many records are done and so many left; give the time these will take."""
        if self._at is not None and now > self._at:
            seen = (done - self._done) / (now - self._at)
            # Whoever had nothing to do for a part of the time is faster than was seen.
            if seen > self.per_s or (self._left and left):
                weight = min(1.0, (now - self._at) / MEAN_OVER_S)
                self.per_s = max(SLOWEST_PER_S, self.per_s + weight * (seen - self.per_s))
        self._done, self._left, self._at = done, left, now
        return left / self.per_s


class Lag:
    """How long others need for what lies before them: our relay for the outbox, groups for topics.

    `topic` is the one that our own events go to.
    """

    def __init__(
        self,
        bounds: KafkaBounds,
        database: Database,
        cluster: Cluster,
        groups: Mapping[str, Sequence[str]],
        *,
        topic: str,
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._ends = LogEnds(bounds)
        self._groups = groups
        self._topics = {topic, *(one for topics in groups.values() for one in topics)}
        self._topic = topic
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)
        self._relay = Pace()
        self._asked_at = float("-inf")
        self._seconds = 0.0

    async def seconds(self) -> float:
        """Give the longest of the times, asked at most once per `ASK_LAG_EVERY_S`.

        Without a broker no group can be asked, but the outbox fills.
        """
        now = time.monotonic()
        if now - self._asked_at >= ASK_LAG_EVERY_S:
            async with self._database.begin() as unit:
                pending = await unit.fetchrow(outbox.PENDING)
                assert pending is not None, "it counts"
                unpublished = pending["sets"]
            try:
                self._seconds = await self._longest(now, unpublished)
            except BrokerTrouble:
                self._seconds = unpublished / self._relay.per_s
            self._asked_at = now
        return self._seconds

    async def _longest(self, now: float, unpublished: int) -> float:
        ends = await self._ends.read(self._topics)
        published = sum(end for (topic, _), end in ends.items() if topic == self._topic)
        found = [self._relay.wait_s(now, published, unpublished)]
        for group, topics in self._groups.items():
            told = await self._cluster.told_positions(group)
            mine = {partition: end for partition, end in ends.items() if partition[0] in topics}
            done = sum(told.get(partition, 0) for partition in mine)
            left = sum(max(0, end - told.get(partition, 0)) for partition, end in mine.items())
            found.append(self._paces[group].wait_s(now, done, left))
        return max(found)

    async def close(self) -> None:
        await self._ends.close()
