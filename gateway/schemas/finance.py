"""What finance is shown and sends: batches to approve, doubts, exceptions, funds, acts of two."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from gateway.schemas.words import Asked, Segment, Yuan


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

    `act` names its `kind`: letter, batch_letter, retry, ask_again, settle_exception, attach,
    void_line, detach, close_month; payments says what belongs to each.
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


class ReceiptIn(Asked):
    """What is expected on a fund's account; `reference` is what the other side will name."""

    fund_id: Segment
    kind: Literal[
        "member_contributions", "union_subsidy", "membership_fees", "allotted", "handed_up"
    ]
    amount: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    reference: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    scheme_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "*"
    unit_code: Annotated[str, StringConstraints(max_length=64)] = ""


class ReceiptsIn(Asked):
    receipts: Annotated[list[ReceiptIn], Field(min_length=1, max_length=1_000)]


class ReceiptsEntered(BaseModel):
    receipt_ids: list[UUID]


class Receipt(BaseModel):
    receipt_id: UUID
    fund_id: str
    kind: str
    direction: Literal["credit", "debit"]
    amount: Yuan
    reference: str
    scheme_id: str
    unit_code: str
    entered_by: UUID
    entered_at: AwareDatetime
    matched: bool


class Receipts(BaseModel):
    receipts: list[Receipt]
    next_cursor: str | None = None


class StatementLine(BaseModel):
    """A line of the bank's; `party` is masked, `reason` says why it has no counterpart."""

    line_id: UUID
    fund_id: str
    bank_ref: str
    booked_on: date
    direction: Literal["credit", "debit"]
    amount: Yuan
    kind: str
    batch_no: str
    instruction_id: str
    remark: str
    party: str
    party_account_tail: str
    status: Literal["new", "matched", "exception", "void"]
    reason: str | None
    seen_at: AwareDatetime


class StatementLines(BaseModel):
    lines: list[StatementLine]
    next_cursor: str | None = None


class Items(BaseModel):
    """What one side has and the other lacks: money in and money out."""

    number: int
    money_in: Yuan
    money_out: Yuan


class ReconciledDay(BaseModel):
    """A line of the 余额调节表; `bank` and `agrees` are null while the bank has stated no day."""

    day: date
    bank: Yuan | None
    book: Yuan
    bank_only: Items
    book_only: Items
    agrees: bool | None


class Reconciliation(BaseModel):
    fund_id: str
    days: list[ReconciledDay]


class TrialRow(BaseModel):
    """An account of a fund's scheme; what it opens and closes with is debit less credit."""

    fund_id: str
    scheme_id: str
    account: str
    opening: Yuan
    debit: Yuan
    credit: Yuan
    closing: Yuan


class TrialBalance(BaseModel):
    rows: list[TrialRow]
    debit: Yuan
    credit: Yuan


class Flow(BaseModel):
    """What moved a fund's account at the bank against one other account; money in is above 0."""

    account: str
    entries: int
    amount: Yuan


class FundStatement(BaseModel):
    """资金收支表: opening and all flows give closing."""

    fund_id: str
    opening: Yuan
    flows: list[Flow]
    closing: Yuan
    in_transit: Yuan
    reserve: Yuan
    free: Yuan
    owed_up: Yuan
    owed_down: Yuan


class LedgerDay(BaseModel):
    """A closed day; its root vouches for its entries, their order, and all days before."""

    day: date
    entries: int
    root: str


class LedgerDays(BaseModel):
    days: list[LedgerDay]
