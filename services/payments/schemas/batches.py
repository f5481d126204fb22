"""What payments answers about batches, and about transfers of which nobody knows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.common.money import Fen, yuan
from services.payments.model.batches import BatchState
from services.payments.model.shown import Place, ShownFund
from services.payments.rules.approvals import Part


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


class ApprovalIn(BaseModel):
    """As what one approves; by one's role where it is not said."""

    model_config = ConfigDict(extra="forbid")

    part: Part | None = None


class BatchStateOut(BaseModel):
    batch_id: UUID
    status: BatchState


class DoubtOut(BaseModel):
    """A transfer of which nobody knows what became; `owner` is finding out."""

    payout_id: UUID
    attempt_no: int
    batch_id: UUID
    batch_no: str
    fund_id: str
    batch_status: BatchState
    amount: str
    since: datetime
    owner: UUID | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "DoubtOut":
        told = {"amount": yuan(Fen(row["amount_fen"])), "batch_status": row["batch_state"]}
        return cls.model_validate({**row, **told})


class DoubtsOut(BaseModel):
    payouts: list[DoubtOut]
    next_cursor: str | None

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], page_rows: int) -> "DoubtsOut":
        last = rows[-1] if len(rows) == page_rows else None
        return cls(
            payouts=[DoubtOut.of(row) for row in rows],
            next_cursor=Place(last["since"], last["payout_id"]).text() if last else None,
        )


class ExceptionOut(BaseModel):
    """Something that a bank said and that was not applied."""

    batch_id: UUID
    kind: str
    instruction_id: str
    seen_at: datetime
    settled_at: datetime | None


class ExceptionsOut(BaseModel):
    exceptions: list[ExceptionOut]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> "ExceptionsOut":
        return cls(exceptions=[ExceptionOut.model_validate(dict(row)) for row in rows])


class FundOut(BaseModel):
    """A fund: what lies on its account, what is promised, and since when payouts wait for more."""

    fund_id: str
    name: str
    channel: str
    account_tail: str
    window: Literal["at_once", "daily", "monthly"]
    bank: str
    in_transit: str
    reserve: str
    free: str
    low_since: datetime | None

    @classmethod
    def of(cls, shown: ShownFund) -> "FundOut":
        fund = shown.fund
        return cls(
            fund_id=fund.fund_id,
            name=fund.name,
            channel=fund.channel,
            account_tail=fund.account[-4:],
            window=fund.window.kind,
            bank=yuan(shown.bank_fen),
            in_transit=yuan(shown.in_transit_fen),
            reserve=yuan(fund.reserve_fen),
            free=yuan(shown.free_fen),
            low_since=shown.low_since,
        )


class FundsOut(BaseModel):
    funds: list[FundOut]
