"""Which event wakes which use case."""

from typing import Final

from services.common.contracts.enrollment import (
    ContactChanged,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.payments import (
    PayoutOverdue,
    PayoutPaid,
    PayoutRefused,
    PayoutReturned,
)
from services.common.kit.consumer import Handler
from services.notify.usecases.telling import Teller

GROUP: Final = "notify"
CONSUMED: Final = (
    MemberRegistered,
    ContactChanged,
    PayeeChanged,
    OfficersChanged,
    PayoutPaid,
    PayoutRefused,
    PayoutReturned,
    PayoutOverdue,
)


def handler(teller: Teller) -> Handler:
    return teller.tell
