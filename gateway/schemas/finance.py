"""What finance is shown and sends: batches to approve, doubts, exceptions, funds, acts of two."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from gateway.schemas.words import Asked, Yuan


class PayoutBatch(BaseModel):
    """A batch: what was in it, and how much of it the bank has paid and refused."""

    batch_id: UUID
    fund_id: str
    tier: int
    batch_no: str
    business_day: date
    status: str
    bank_code: str | None
    lines: int
    total: Yuan
    cut_at: AwareDatetime
    submitted_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    paid_lines: int
    paid: Yuan
    refused_lines: int
    refused: Yuan


class PayoutBatches(BaseModel):
    batches: list[PayoutBatch]
    next_cursor: str | None = None


class ApprovalIn(Asked):
    """As what one approves; by one's role where it is not said."""

    part: Literal["maker", "checker"] | None = None


class BatchState(BaseModel):
    batch_id: UUID
    status: str


class Doubt(BaseModel):
    """A transfer of which nobody knows what became, and who is finding out."""

    payout_id: UUID
    attempt_no: int
    batch_id: UUID
    batch_no: str
    fund_id: str
    batch_status: str
    amount: Yuan
    since: AwareDatetime
    owner: UUID | None


class Doubts(BaseModel):
    payouts: list[Doubt]
    next_cursor: str | None = None


class BankException(BaseModel):
    """Something that a bank said and that was not applied."""

    batch_id: UUID
    kind: str
    instruction_id: str
    seen_at: AwareDatetime
    settled_at: AwareDatetime | None


class BankExceptions(BaseModel):
    exceptions: list[BankException]


class Fund(BaseModel):
    """What lies on a fund's account; `low_since` while payouts wait for more."""

    fund_id: str
    name: str
    channel: str
    account_tail: str
    window: str
    bank: Yuan
    in_transit: Yuan
    reserve: Yuan
    free: Yuan
    low_since: AwareDatetime | None


class Funds(BaseModel):
    funds: list[Fund]


class ActIn(Asked):
    """What is to be done, and why.

    `act` names its `kind`: letter, retry, ask_again, settle_exception, attach, void_line, detach,
    close_month; payments says what belongs to each.
    """

    act: Annotated[dict[str, Any], Field(min_length=1, max_length=20)]
    reason: Annotated[str, StringConstraints(min_length=3, max_length=500)]


class ActProposed(BaseModel):
    act_id: UUID


class Act(BaseModel):
    act_id: UUID
    act: dict[str, Any]
    reason: str
    status: Literal["proposed", "confirmed", "refused"]
    proposed_by: UUID
    proposed_at: AwareDatetime
    decided_by: UUID | None
    decided_at: AwareDatetime | None


class Acts(BaseModel):
    acts: list[Act]
    next_cursor: str | None = None
