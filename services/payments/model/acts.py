"""What takes two people: one proposes it, another confirms it, and then it is done."""

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from services.payments.model.payouts import ExceptionKind
from services.payments.model.statements import ReceiptKind

# A word of somebody else's; NUL is what no database keeps.
Word = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]


class _Act(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Letter(_Act):
    """A signed letter of the bank says what became of one transfer.

    `paid` and `refused` of one that is in doubt, `returned` of one that was taken for paid; `day`
    is the bank's, `reason` one of our reasons where it was not paid.
    """

    kind: Literal["letter"]
    payout_id: UUID
    attempt_no: Annotated[int, Field(ge=1, le=999)]
    outcome: Literal["paid", "refused", "returned"]
    day: date
    bank_serial: Word = ""
    reason: Annotated[str, Field(pattern=r"^[A-Z_]{0,40}$")] = ""

    @model_validator(mode="after")
    def _a_failure_has_a_reason(self) -> "Letter":
        if (self.outcome == "paid") != (self.reason == ""):
            raise ValueError("a reason belongs to what was not paid, and only there")
        return self


class BatchLetter(_Act):
    """A signed letter of the bank says that it has booked nothing of a batch, and never will.

    What was in doubt is refused by it, what was taken for paid is given back on `day`.
    """

    kind: Literal["batch_letter"]
    batch_id: UUID
    day: date


class Retry(_Act):
    """Payouts that were refused or returned for certain go out again, to the same card."""

    kind: Literal["retry"]
    payout_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1_000)]


class AskAgain(_Act):
    """The bank's statement lacks what a closed batch paid: the bank is asked by the same bytes."""

    kind: Literal["ask_again"]
    batch_id: UUID


class SettleException(_Act):
    """Something that the bank said and that was not applied has been looked into."""

    kind: Literal["settle_exception"]
    batch_id: UUID
    exception: ExceptionKind
    instruction_id: Word


class CloseMonth(_Act):
    """All days of a month are closed, and what its funds hand up and are allotted is booked.

    `early`: the month is not over yet, and what still comes in it belongs to the next one.
    """

    kind: Literal["close_month"]
    month: Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
    early: bool = False


class ToReceipts(_Act):
    """Lines are what was expected; their sums agree."""

    to: Literal["receipts"]
    receipt_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)]


class ToAccount(_Act):
    """Lines are money that nobody had announced."""

    to: Literal["account"]
    account: ReceiptKind
    scheme_id: Annotated[Word, Field(min_length=1)] = "*"
    unit_code: Word = ""


class ToRecovery(_Act):
    """Lines are what a member repays of what was paid too much."""

    to: Literal["recovery"]
    member_id: UUID
    scheme_id: Word


class ToAttempt(_Act):
    """A line speaks of this transfer, as if the bank had named it."""

    to: Literal["attempt"]
    payout_id: UUID
    attempt_no: Annotated[int, Field(ge=1, le=999)]


class Attach(_Act):
    """Open lines of the bank's stand for this; the bank did not say so clearly."""

    kind: Literal["attach"]
    line_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)]
    target: Annotated[ToReceipts | ToAccount | ToRecovery | ToAttempt, Field(discriminator="to")]


class Detach(_Act):
    """A line, and what was matched with it, was matched by mistake: it is booked back."""

    kind: Literal["detach"]
    line_id: UUID


class VoidLine(_Act):
    """The bank has withdrawn a line: it stands for nothing."""

    kind: Literal["void_line"]
    line_id: UUID


ActContent = Annotated[
    Letter
    | BatchLetter
    | Retry
    | AskAgain
    | SettleException
    | Attach
    | Detach
    | VoidLine
    | CloseMonth,
    Field(discriminator="kind"),
]
act_content: Final[TypeAdapter[ActContent]] = TypeAdapter(ActContent)
