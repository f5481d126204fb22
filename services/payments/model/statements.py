"""What the bank shows of an account of ours: its movements, and the statement of a day."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, NamedTuple
from uuid import UUID

from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.model.payouts import Named

# From our side of the account: `credit` is money in, `debit` is money out.
Direction = Literal["credit", "debit"]


class MovementKind(StrEnum):
    PAYOUT = "payout"
    # Given back after success (退票), and booked off again on the same day (冲账).
    RETURN = "return"
    REVERSAL = "reversal"
    DEPOSIT = "deposit"
    TRANSFER = "transfer"
    FEE = "fee"


class Movement(NamedTuple):
    """One line on an account; `bank_ref` is the bank's own number for it, for ever.

    `amount_fen` is above 0. Empty where the bank does not say: `batch_no`, `instruction_id`,
    `bank_code` (its own), `reason` (ours), `remark`.
    """

    bank_ref: str
    booked_on: date
    direction: Direction
    amount_fen: Fen
    kind: MovementKind
    batch_no: str = ""
    instruction_id: str = ""
    bank_code: str = ""
    reason: str = ""
    party: PersonName = PersonName("")
    party_account: CardNumber = CardNumber("")
    remark: str = ""

    @property
    def signed_fen(self) -> int:
        return self.amount_fen if self.direction == "credit" else -self.amount_fen


class Movements(NamedTuple):
    """A page of movements, oldest first, and the mark from which the next page goes on."""

    lines: Sequence[Movement]
    mark: str


class DayStatement(NamedTuple):
    """An account's day: what it opened and closed with, and every movement between."""

    day: date
    opening_fen: Fen
    closing_fen: Fen
    lines: Sequence[Movement]


class LineState(StrEnum):
    """How far a line of the bank's is: every one ends matched, or void because the bank says so."""

    NEW = "new"
    MATCHED = "matched"
    EXCEPTION = "exception"
    VOID = "void"


class LineReason(StrEnum):
    """Why a line has no counterpart."""

    # It names what we have never sent.
    UNKNOWN_BATCH = "UNKNOWN_BATCH"
    UNKNOWN_INSTRUCTION = "UNKNOWN_INSTRUCTION"
    # It speaks of a transfer that we know to have ended otherwise, or for another amount.
    CONTRADICTS = "CONTRADICTS"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    PAID_TWICE = "PAID_TWICE"
    RETURNED_TWICE = "RETURNED_TWICE"
    UNEXPECTED_DEPOSIT = "UNEXPECTED_DEPOSIT"
    UNEXPECTED_TRANSFER = "UNEXPECTED_TRANSFER"
    # Its counterpart has not come for a while.
    NOT_MATCHED = "NOT_MATCHED"
    # The bank has told of it in two ways.
    CHANGED_LINE = "CHANGED_LINE"
    # Two people have taken its match back.
    DETACHED = "DETACHED"


# The counterpart may still come by itself; all the others wait for people.
MAY_STILL_MATCH: Final = (
    LineReason.NOT_MATCHED,
    LineReason.UNEXPECTED_DEPOSIT,
    LineReason.UNEXPECTED_TRANSFER,
)


class BankLine(NamedTuple):
    """A movement as it is kept. `named` is the transfer whose id it carries, where it is ours.

    `round` counts how often its match was taken back.
    """

    line_id: UUID
    fund_id: str
    bank_ref: str
    booked_on: date
    direction: Direction
    amount_fen: Fen
    kind: MovementKind
    bank_code: str
    return_reason: str
    remark: str
    batch_id: UUID | None
    named: Named | None
    state: LineState
    match_id: UUID | None
    round: int

    @property
    def signed_fen(self) -> int:
        return self.amount_fen if self.direction == "credit" else -self.amount_fen


ReceiptKind = Literal[
    "member_contributions", "union_subsidy", "membership_fees", "allotted", "handed_up"
]


class Receipt(NamedTuple):
    """Money that is expected: in, or out where it is `handed_up`.

    `reference` is what the other side names in its remark, upper case, once per fund; `unit_code`
    and `scheme_id` ("*" for none) say whose it is.
    """

    receipt_id: UUID
    fund_id: str
    kind: ReceiptKind
    scheme_id: str
    unit_code: str
    amount_fen: Fen
    reference: str
    round: int = 0

    @property
    def direction(self) -> Direction:
        return "debit" if self.kind == "handed_up" else "credit"


Side = Literal["bank", "book"]


class Outstanding(NamedTuple):
    """What one side had from a day on, and the other only on another; money in is above 0."""

    side: Side
    from_day: date
    until_day: date
    amount_fen: int
    items: int = 1


class Items(NamedTuple):
    """What one side has and the other lacks at the end of a day, both amounts above 0."""

    number: int = 0
    credit_fen: int = 0
    debit_fen: int = 0

    @property
    def signed_fen(self) -> int:
        return self.credit_fen - self.debit_fen


class ReconciledDay(NamedTuple):
    """A line of the 余额调节表: bank and book at the end of a day, and what explains them.

    `bank_fen` is the statement's closing balance, None while there is no statement.
    """

    day: date
    bank_fen: Fen | None
    book_fen: Fen
    bank_only: Items
    book_only: Items

    @property
    def agrees(self) -> bool | None:
        """Tell whether the items explain the difference to the fen; None without a statement."""
        if self.bank_fen is None:
            return None
        return self.bank_fen == self.by_lines_fen

    @property
    def by_lines_fen(self) -> Fen:
        """What the bank holds by its lines: the book, and what only one of the two has."""
        return Fen(self.book_fen + self.bank_only.signed_fen - self.book_only.signed_fen)

    @property
    def has_begun(self) -> bool:
        """Tell whether there is anything to hold against anything yet."""
        moved = self.bank_only.number or self.book_only.number
        return bool(self.book_fen or moved) or self.bank_fen is not None


class ShownLine(NamedTuple):
    """A line as a person looks at it: the other side is masked."""

    line_id: UUID
    fund_id: str
    bank_ref: str
    booked_on: date
    direction: Direction
    amount_fen: Fen
    kind: MovementKind
    batch_no: str
    instruction_id: str
    remark: str
    party: str
    party_account_tail: str
    state: LineState
    reason: LineReason | None
    seen_at: datetime


class ShownReceipt(NamedTuple):
    """What is expected, and whether it has come."""

    receipt: Receipt
    entered_by: UUID
    entered_at: datetime
    matched: bool
