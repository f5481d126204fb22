"""All SQL about people at the counter: when one was served last, by the server's clock alone.

Who is served, and who works a feed, may sit on hosts whose clocks differ by more than a second.
"""

from datetime import timedelta

from services.common.kit.db import Unit


async def seen(unit: Unit) -> None:
    await unit.execute("update people_seen set at = now()")


async def seen_within(unit: Unit, past: timedelta) -> bool:
    return await unit.fetchval(
        "select at between clock_timestamp() - $1::interval and clock_timestamp() from people_seen",
        past,
    )
