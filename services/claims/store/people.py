"""All SQL about people at the counter: when one was served last."""

from datetime import datetime

from services.common.kit.db import Unit


async def seen(unit: Unit, at: datetime) -> None:
    await unit.execute("update people_seen set at = $1 where at < $1", at)


async def last_seen(unit: Unit) -> datetime:
    return await unit.fetchval("select at from people_seen")
