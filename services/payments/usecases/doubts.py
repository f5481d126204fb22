"""Nobody knows what became of a transfer: it is listed, it has an owner, and it is never sent anew.

What is listed leaves by the bank's answer under the same id, by a line of its statement, or by a
signed letter that two people enter. The batch is asked about all the while.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from services.common.kit import clock
from services.common.kit.logs import get_logger
from services.payments.errors import UnknownDoubt
from services.payments.model.shown import Place
from services.payments.store import doubts
from services.payments.usecases.desk import Desk

log = get_logger()


async def list_doubts(desk: Desk) -> None:
    """List what has been under way for too long."""
    now = clock.now()
    before = now - timedelta(seconds=desk.settings.doubt_after_s)
    async with desk.database.begin() as unit:
        new = await doubts.note(unit, before, now)
    if new:
        log.warning("payout.in_doubt", count=new)


async def own(desk: Desk, payout_id: UUID, person_id: UUID) -> None:
    """Take it upon oneself to find out what became of a transfer."""
    async with desk.database.begin() as unit:
        if not await doubts.own(unit, payout_id, person_id):
            raise UnknownDoubt


async def page(desk: Desk, after: Place | None) -> list[dict[str, Any]]:
    async with desk.database.begin() as unit:
        rows = await doubts.page(unit, after or (None, None), desk.settings.page_rows)
    return [dict(row) for row in rows]
