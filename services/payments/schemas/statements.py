"""What the bank shows of our accounts, what we expect of it, and the two side by side."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.common.money import Fen, yuan
from services.payments.model.acts import Word
from services.payments.model.shown import Place
from services.payments.model.statements import (
    Direction,
    Items,
    LineReason,
    LineState,
    MovementKind,
    ReceiptKind,
    ReconciledDay,
    ShownLine,
    ShownReceipt,
)

Name = Annotated[Word, StringConstraints(min_length=1)]


class ReceiptIn(BaseModel):
    """What is expected on a fund's account; `reference` is what the other side will name."""

    model_config = ConfigDict(extra="forbid")

    fund_id: Name
    kind: ReceiptKind
    amount: Annotated[str, Field(max_length=20)]
    reference: Annotated[str, Field(max_length=64)]
    scheme_id: Name = "*"
    unit_code: Word = ""


class ReceiptsIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    receipts: Annotated[list[ReceiptIn], Field(min_length=1, max_length=1_000)]


class ReceiptsEntered(BaseModel):
    receipt_ids: list[UUID]


class ReceiptOut(BaseModel):
    receipt_id: UUID
    fund_id: str
    kind: ReceiptKind
    direction: Direction
    amount: str
    reference: str
    scheme_id: str
    unit_code: str
    entered_by: UUID
    entered_at: datetime
    matched: bool

    @classmethod
    def of(cls, shown: ShownReceipt) -> "ReceiptOut":
        receipt = shown.receipt
        return cls(
            receipt_id=receipt.receipt_id,
            fund_id=receipt.fund_id,
            kind=receipt.kind,
            direction=receipt.direction,
            amount=yuan(receipt.amount_fen),
            reference=receipt.reference,
            scheme_id=receipt.scheme_id,
            unit_code=receipt.unit_code,
            entered_by=shown.entered_by,
            entered_at=shown.entered_at,
            matched=shown.matched,
        )


class ReceiptsOut(BaseModel):
    receipts: list[ReceiptOut]
    next_cursor: str | None

    @classmethod
    def of(cls, shown: Sequence[ShownReceipt], page_rows: int) -> "ReceiptsOut":
        last = shown[-1] if len(shown) == page_rows else None
        return cls(
            receipts=[ReceiptOut.of(one) for one in shown],
            next_cursor=Place(last.entered_at, last.receipt.receipt_id).text() if last else None,
        )


class LineOut(BaseModel):
    """A line of the bank's; `party` is masked, `reason` says why it has no counterpart."""

    line_id: UUID
    fund_id: str
    bank_ref: str
    booked_on: date
    direction: Direction
    amount: str
    kind: MovementKind
    batch_no: str
    instruction_id: str
    remark: str
    party: str
    party_account_tail: str
    status: LineState
    reason: LineReason | None
    seen_at: datetime

    @classmethod
    def of(cls, shown: ShownLine) -> "LineOut":
        told = {**shown._asdict(), "amount": yuan(shown.amount_fen), "status": shown.state}
        return cls.model_validate(told)


class LinesOut(BaseModel):
    lines: list[LineOut]
    next_cursor: str | None

    @classmethod
    def of(cls, shown: Sequence[ShownLine], page_rows: int) -> "LinesOut":
        last = shown[-1] if len(shown) == page_rows else None
        return cls(
            lines=[LineOut.of(one) for one in shown],
            next_cursor=Place(last.seen_at, last.line_id).text() if last else None,
        )


class ItemsOut(BaseModel):
    """What one side has and the other lacks: money in and money out."""

    number: int
    money_in: str
    money_out: str

    @classmethod
    def of(cls, items: Items) -> "ItemsOut":
        money_in, money_out = yuan(Fen(items.credit_fen)), yuan(Fen(items.debit_fen))
        return cls(number=items.number, money_in=money_in, money_out=money_out)


class ReconciledDayOut(BaseModel):
    """A line of the 余额调节表; `bank` and `agrees` are null while the bank has stated no day."""

    day: date
    bank: str | None
    book: str
    bank_only: ItemsOut
    book_only: ItemsOut
    agrees: bool | None

    @classmethod
    def of(cls, day: ReconciledDay) -> "ReconciledDayOut":
        return cls(
            day=day.day,
            bank=None if day.bank_fen is None else yuan(day.bank_fen),
            book=yuan(day.book_fen),
            bank_only=ItemsOut.of(day.bank_only),
            book_only=ItemsOut.of(day.book_only),
            agrees=day.agrees,
        )


class ReconciliationOut(BaseModel):
    fund_id: str
    days: list[ReconciledDayOut]

    @classmethod
    def of(cls, fund_id: str, days: Sequence[ReconciledDay]) -> "ReconciliationOut":
        return cls(fund_id=fund_id, days=[ReconciledDayOut.of(day) for day in days])
