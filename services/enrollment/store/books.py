"""What is counted for the checks of the books."""

from services.common.kit import outbox
from services.common.kit.db import Unit


async def sums(unit: Unit) -> dict[str, int]:
    return {
        "members": await unit.fetchval("select count(*) from members"),
        "coverages": await unit.fetchval("select count(*) from coverages"),
        "events_pending": await unit.fetchval(outbox.PENDING),
        "dead_letters": await unit.fetchval("select count(*) from dead_letters where not done"),
    }
