"""What is counted for the checks of the books."""

from services.common.kit.backlog import backlog
from services.common.kit.db import Unit


async def sums(unit: Unit) -> dict[str, int]:
    return {
        "members": await unit.fetchval("select count(*) from members"),
        "coverages": await unit.fetchval("select count(*) from coverages"),
        **await backlog(unit),
    }
