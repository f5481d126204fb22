"""Whether people are being served: the feed, which is another process, gives them room then."""

from datetime import timedelta
from typing import Final

from services.claims.store import people as store
from services.common.kit import clock
from services.common.kit.db import Database

NOTED_EVERY_S: Final = 0.5
THERE_FOR: Final = timedelta(seconds=2 * NOTED_EVERY_S)


class People:
    """Notes that somebody is being served, once in a while for all who come meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted_at = float("-inf")

    async def note(self) -> None:
        now = clock.monotonic()
        if now - self._noted_at >= NOTED_EVERY_S:
            self._noted_at = now
            async with self._database.begin() as unit:
                await store.seen(unit)


async def are_there(database: Database) -> bool:
    """Tell whether somebody was served within the last second."""
    async with database.begin() as unit:
        return await store.seen_within(unit, THERE_FOR)
