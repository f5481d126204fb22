"""What payments answers."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.common.contracts.payments import Actor
from services.common.money import Fen, yuan
from services.payments.model.batches import BatchState
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


class BatchOut(BaseModel):
    """A batch: what was in it, and how much of it the bank has paid and refused."""

    batch_id: UUID
    fund_id: str
    tier: int
    batch_no: str
    business_day: date
    status: BatchState
    bank_code: str | None
    lines: int
    total: str
    cut_at: datetime
    submitted_at: datetime | None
    closed_at: datetime | None
    paid_lines: int
    paid: str
    refused_lines: int
    refused: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "BatchOut":
        sums = {
            shown: yuan(Fen(row[column]))
            for shown, column in (
                ("total", "total_fen"),
                ("paid", "paid_fen"),
                ("refused", "refused_fen"),
            )
        }
        return cls.model_validate({**row, **sums, "status": row["state"]})


class BatchesOut(BaseModel):
    batches: list[BatchOut]
    next_cursor: UUID | None

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], page_rows: int) -> "BatchesOut":
        batches = [BatchOut.of(row) for row in rows]
        return cls(
            batches=batches,
            next_cursor=batches[-1].batch_id if len(batches) == page_rows else None,
        )


class BooksOut(BaseModel):
    """Sums over all rows, and what is not finished."""

    granted_fen: int
    paid_fen: int
    in_flight_fen: int
    open_fen: int
    to_recover_fen: int
    ledger: dict[str, int]
    payouts_by_state: dict[str, int]
    payouts_queued: int
    batches_open: int
    bank_exceptions: int
    payouts_in_doubt: int
    payouts_held: int
    funds_low: int
    events_pending: int
    dead_letters: int
