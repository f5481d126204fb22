"""What payments answers about payouts and what a member is owed."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from services.common.contracts.payments import Actor
from services.common.money import yuan
from services.payments.model.owed import Benefits
from services.payments.model.shown import Place, ShownPayout, ShownRefusal


class MomentOut(BaseModel):
    at: datetime
    what: str


class PayoutOut(BaseModel):
    """One grant's payout and its story."""

    payout_id: UUID
    claim_id: UUID
    scheme_id: str
    amount: str
    status: str
    card_tail: str | None
    reason: str | None
    actor: Actor | None
    created_at: datetime
    batched_at: datetime | None
    paid_on: date | None
    timeline: list[MomentOut]

    @classmethod
    def of(cls, shown: ShownPayout) -> "PayoutOut":
        return cls(
            payout_id=shown.payout_id,
            claim_id=shown.claim_id,
            scheme_id=shown.scheme_id,
            amount=yuan(shown.amount_fen),
            status=shown.status,
            card_tail=shown.card_tail,
            reason=shown.reason,
            actor=shown.actor,
            created_at=shown.created_at,
            batched_at=shown.batched_at,
            paid_on=shown.paid_on,
            timeline=[MomentOut(at=at, what=what) for at, what in shown.timeline],
        )


class PayoutsOut(BaseModel):
    payouts: list[PayoutOut]
    next_cursor: str | None

    @classmethod
    def of(cls, shown: Sequence[ShownPayout], page_rows: int) -> "PayoutsOut":
        last = shown[-1] if len(shown) == page_rows else None
        return cls(
            payouts=[PayoutOut.of(payout) for payout in shown],
            next_cursor=Place(last.created_at, last.payout_id).text() if last else None,
        )


class RefusalOut(BaseModel):
    """A refused payout, for whoever must act."""

    payout_id: UUID
    member_id: UUID
    name: str
    card_tail: str | None
    unit_code: str
    amount: str
    reason: str
    actor: Actor
    since: datetime

    @classmethod
    def of(cls, shown: ShownRefusal) -> "RefusalOut":
        return cls(
            payout_id=shown.payout_id,
            member_id=shown.member_id,
            name=shown.name,
            card_tail=shown.card_tail,
            unit_code=shown.unit_code,
            amount=yuan(shown.amount_fen),
            reason=shown.reason,
            actor=shown.actor,
            since=shown.since,
        )


class RefusalsOut(BaseModel):
    payouts: list[RefusalOut]
    next_cursor: str | None

    @classmethod
    def of(cls, shown: Sequence[ShownRefusal], page_rows: int) -> "RefusalsOut":
        last = shown[-1] if len(shown) == page_rows else None
        return cls(
            payouts=[RefusalOut.of(refusal) for refusal in shown],
            next_cursor=Place(last.since, last.payout_id).text() if last else None,
        )


class BenefitsOut(BaseModel):
    granted: str
    paid: str
    to_recover: str

    @classmethod
    def of(cls, benefits: Benefits) -> "BenefitsOut":
        granted, paid, to_recover = map(yuan, benefits)
        return cls(granted=granted, paid=paid, to_recover=to_recover)
