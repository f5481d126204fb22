"""What the bank shows of an account of ours: its movements, and the statement of a day."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Literal, NamedTuple

from services.common.identity import CardNumber, PersonName
from services.common.money import Fen

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
