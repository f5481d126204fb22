"""What every service has still to do for the others, counted for whoever compares the books."""

from services.common.kit import outbox
from services.common.kit.db import Unit

_DEAD_LETTERS = "select count(*) from dead_letters where not done"


async def backlog(unit: Unit) -> dict[str, int]:
    """Count the events that wait to be published and those that could not be handled."""
    return {
        "events_pending": await unit.fetchval(outbox.PENDING),
        "dead_letters": await unit.fetchval(_DEAD_LETTERS),
    }
