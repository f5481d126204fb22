"""A payout is one grant's; its attempts are its children, each one transfer at the bank."""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from services.common.contracts.payments import Actor
from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.model.owed import AccountKey


class PayoutState(StrEnum):
    AWAITING_PAYEE = "awaiting_payee"
    READY = "ready"
    # On its way: how far it is, its batch knows (awaiting approval, submitting, accepted, unknown).
    BATCHED = "batched"
    PAID = "paid"
    REFUSED = "refused"
    # Was paid, and the bank has given it back (退票): owed again.
    RETURNED = "returned"
    # Was to be paid, and is owed no longer.
    CANCELLED = "cancelled"
    # Set off at once: a correction downwards, or a grant that only makes good an earlier one.
    NETTED = "netted"


# What is still to be paid and not on its way: these amounts add up to what is owed.
OPEN_STATES: Final = (
    PayoutState.AWAITING_PAYEE,
    PayoutState.READY,
    PayoutState.REFUSED,
    PayoutState.RETURNED,
)


class AttemptState(StrEnum):
    IN_FLIGHT = "in_flight"
    PAID = "paid"
    REFUSED = "refused"
    RETURNED = "returned"
    # Taken back before a byte of it had left.
    WITHDRAWN = "withdrawn"


class Payout(msgspec.Struct, gc=False):
    """One grant's payout; `amount_fen` is what is still to pay, on its way, or paid.

    `round` is raised by every act that lets the same card be tried again.
    """

    payout_id: UUID
    member_id: UUID
    scheme_id: str
    claim_id: UUID
    period: int
    grant_fen: Fen
    amount_fen: Fen
    state: PayoutState
    version: int
    created_at: datetime
    round: int = 0

    @property
    def account(self) -> AccountKey:
        return AccountKey(self.member_id, self.scheme_id)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class SealedPayee(msgspec.Struct, gc=False):
    """Where a member's benefits go to, still sealed; `version` counts the member's cards."""

    version: int
    unit_code: str
    salt_wrapped: bytes
    sealed: bytes


class Payee(NamedTuple):
    """Where a member's benefits go to, as the bank must know it."""

    name: PersonName
    card: CardNumber
    bank: str


# A transfer of a payout: the payout and the number of the attempt.
Named = tuple[UUID, int]


class Attempt(msgspec.Struct, gc=False):
    """One transfer of a payout, as a batch holds it."""

    payout: Payout
    attempt_no: int
    payee_version: int
    line: int
    state: AttemptState

    @property
    def named(self) -> Named:
        return self.payout.payout_id, self.attempt_no

    @property
    def instruction_id(self) -> str:
        return instruction_id(self.payout.payout_id, self.attempt_no)


class Refusal(NamedTuple):
    """Why a transfer was refused or returned, and who has to act before it is tried again."""

    reason: str
    actor: Actor


class Paid(msgspec.Struct, gc=False):
    """The bank has booked a transfer."""

    attempt: Attempt
    bank_serial: str
    paid_on: date


class Refused(msgspec.Struct, gc=False):
    """The bank has definitely refused a transfer."""

    attempt: Attempt
    bank_code: str
    refusal: Refusal


class Returned(msgspec.Struct, gc=False):
    """The bank has given back a transfer that it had booked."""

    attempt: Attempt
    bank_code: str
    refusal: Refusal
    returned_on: date


ExceptionKind = Literal[
    "unknown_instruction",
    "amount_differs",
    "contradicts",
    "moved_before",
    "number_taken",
    "missing_in_statement",
    "changed_line",
    "balance_breaks",
]


class BankException(NamedTuple):
    """Something the bank said that was not applied and that a person has to look at.

    `instruction_id` is empty where it is about a whole batch; of a line that the bank tells in two
    ways it is the bank's number (and the line's id in the place of the batch's), of a statement
    that does not go on where the last one ended its day.
    """

    kind: ExceptionKind
    instruction_id: str


_INSTRUCTION: Final = re.compile(r"([0-9a-f]{32})([1-9][0-9]{0,2})")


def instruction_id(payout_id: UUID, attempt_no: int) -> str:
    """Name a transfer at the bank; derived, so that a restored database names it the same."""
    return f"{payout_id.hex}{attempt_no}"


def named_by(instruction: str) -> Named | None:
    """Read payout and attempt from an instruction id; None where it is not one of ours."""
    found = _INSTRUCTION.fullmatch(instruction)
    return (UUID(found[1]), int(found[2])) if found else None
