"""Which event wakes which use case."""

from collections.abc import Sequence
from typing import Final

from services.common.contracts.claims import BenefitGranted
from services.common.contracts.enrollment import MemberRegistered, PayeeChanged
from services.common.contracts.event import Event
from services.common.kit.consumer import Handler
from services.common.kit.db import Unit
from services.payments.usecases.desk import Desk
from services.payments.usecases.intake import take_events

GROUP: Final = "payments"
CONSUMED: Final = (MemberRegistered, PayeeChanged, BenefitGranted)


def handler(desk: Desk) -> Handler:
    async def handle(unit: Unit, events: Sequence[Event]) -> None:
        await take_events(desk, unit, events)

    return handle
