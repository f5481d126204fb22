"""What payments publishes: a payout was paid, refused, given back, or is overdue."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from services.common.contracts.event import MemberEvent

Actor = Literal["member", "unit", "finance"]


class PayoutPaid(MemberEvent, frozen=True, kw_only=True, tag="payments.payout_paid.v1"):
    """The bank confirmed one transfer; `payee_version` names the card it went to."""

    topic: ClassVar[str] = "payments.payout.v1"
    payout_id: UUID
    claim_id: UUID
    attempt_no: int
    payee_version: int
    amount_fen: int
    paid_on: date


class PayoutRefused(MemberEvent, frozen=True, kw_only=True, tag="payments.payout_refused.v1"):
    """The bank definitely refused one transfer; `actor` must act before it is tried again."""

    topic: ClassVar[str] = "payments.payout.v1"
    payout_id: UUID
    claim_id: UUID
    attempt_no: int
    payee_version: int
    amount_fen: int
    reason: str
    actor: Actor


class PayoutReturned(MemberEvent, frozen=True, kw_only=True, tag="payments.payout_returned.v1"):
    """The bank gave back what it had booked (退票); it is owed again, and `actor` must act."""

    topic: ClassVar[str] = "payments.payout.v1"
    payout_id: UUID
    claim_id: UUID
    attempt_no: int
    payee_version: int
    amount_fen: int
    reason: str
    actor: Actor
    returned_on: date


class PayoutOverdue(MemberEvent, frozen=True, kw_only=True, tag="payments.payout_overdue.v1"):
    """A refused or returned payout still waits for its actor after so many days."""

    topic: ClassVar[str] = "payments.payout.v1"
    payout_id: UUID
    claim_id: UUID
    attempt_no: int
    payee_version: int
    amount_fen: int
    reason: str
    actor: Actor
    days: int
