"""Which event wakes which use case."""

from collections.abc import Sequence
from typing import Final

from services.claims.usecases.desk import Desk, Reader
from services.claims.usecases.members import keep_members
from services.common.contracts.enrollment import CoverageActivated, MemberRegistered
from services.common.contracts.event import Event
from services.common.kit.consumer import Handler
from services.common.kit.db import Unit

GROUP: Final = "claims"
CONSUMED: Final = (MemberRegistered, CoverageActivated)


def handler(desk: Desk, read: Reader) -> Handler:
    async def handle(unit: Unit, events: Sequence[Event]) -> None:
        await keep_members(unit, desk, read, events)

    return handle
