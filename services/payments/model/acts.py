"""What takes two people: one proposes it, another confirms it, and then it is done."""

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from services.payments.model.payouts import ExceptionKind


class _Act(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Letter(_Act):
    """A signed letter of the bank says what became of one transfer.

    `paid` and `refused` of one that is in doubt, `returned` of one that was taken for paid; `day`
    is the bank's, `reason` one of our reasons where it was not paid.
    """

    kind: Literal["letter"]
    payout_id: UUID
    attempt_no: int
    outcome: Literal["paid", "refused", "returned"]
    day: date
    bank_serial: Annotated[str, Field(max_length=64)] = ""
    reason: Annotated[str, Field(pattern=r"^[A-Z_]{0,40}$")] = ""

    @model_validator(mode="after")
    def _a_failure_has_a_reason(self) -> "Letter":
        if (self.outcome == "paid") != (self.reason == ""):
            raise ValueError("a reason belongs to what was not paid, and only there")
        return self


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
    instruction_id: Annotated[str, Field(max_length=64)]


ActContent = Annotated[Letter | Retry | AskAgain | SettleException, Field(discriminator="kind")]
act_content: Final[TypeAdapter[ActContent]] = TypeAdapter(ActContent)
