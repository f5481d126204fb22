"""The nouns of payments: what a member is owed, the payout of a grant, a batch, the ledger."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from services.common.contracts.payments import Actor
from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.errors import UnknownCursor


class PayoutState(StrEnum):
    AWAITING_PAYEE = "awaiting_payee"
    READY = "ready"
    BATCHED = "batched"
    PAID = "paid"
    REFUSED = "refused"
    # Was to be paid, and is owed no longer.
    CANCELLED = "cancelled"
    # Set off at once: a correction downwards, or a grant that only makes good an earlier one.
    NETTED = "netted"


# What is still to be paid and not on its way: these amounts add up to what is owed.
OPEN_STATES = (PayoutState.AWAITING_PAYEE, PayoutState.READY, PayoutState.REFUSED)


class AttemptState(StrEnum):
    IN_FLIGHT = "in_flight"
    PAID = "paid"
    REFUSED = "refused"


class BatchState(StrEnum):
    FIXED = "fixed"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class AccountKey(NamedTuple):
    """What a member is owed is kept per scheme."""

    member_id: UUID
    scheme_id: str


class Balance(msgspec.Struct, frozen=True, gc=False):
    """What a member was granted under a scheme, what was paid, what is on its way."""

    granted_fen: Fen = Fen(0)
    paid_fen: Fen = Fen(0)
    in_flight_fen: Fen = Fen(0)

    @property
    def owed_fen(self) -> Fen:
        return Fen(self.granted_fen - self.paid_fen - self.in_flight_fen)

    @property
    def open_fen(self) -> Fen:
        """What open payouts must add up to: all that is owed, and nothing where too much went."""
        return Fen(max(0, self.owed_fen))

    def moved(self, *, granted: int = 0, paid: int = 0, in_flight: int = 0) -> "Balance":
        return Balance(
            Fen(self.granted_fen + granted),
            Fen(self.paid_fen + paid),
            Fen(self.in_flight_fen + in_flight),
        )


NOTHING = Balance()


class Move(NamedTuple):
    """By how much a balance moves, and by how much its open payouts did."""

    granted_fen: int
    paid_fen: int
    in_flight_fen: int
    open_fen: int

    def plus(self, granted: int, paid: int, in_flight: int, opened: int) -> "Move":
        return Move(
            self.granted_fen + granted,
            self.paid_fen + paid,
            self.in_flight_fen + in_flight,
            self.open_fen + opened,
        )


NO_MOVE = Move(0, 0, 0, 0)


class Payout(msgspec.Struct, gc=False):
    """One grant's payout; `amount_fen` is what is still to pay, on its way, or paid."""

    payout_id: UUID
    account: AccountKey
    claim_id: UUID
    period: int
    grant_fen: Fen
    amount_fen: Fen
    state: PayoutState
    version: int
    created_at: datetime

    @property
    def member_id(self) -> UUID:
        return self.account.member_id

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class SealedPayee(NamedTuple):
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


class Instruction(NamedTuple):
    """One line of a batch: who gets how much, under which id for ever."""

    line: int
    instruction_id: str
    payee: Payee
    amount_fen: Fen


class BatchFile(NamedTuple):
    """A batch as it goes out; its bytes never change once they are fixed."""

    batch_no: str
    name: str
    content: bytes


class Attempt(NamedTuple):
    """One transfer of a payout, as a batch holds it."""

    payout: Payout
    attempt_no: int
    payee_version: int
    line: int
    state: AttemptState

    @property
    def instruction_id(self) -> str:
        return instruction_id(self.payout.payout_id, self.attempt_no)


class Refusal(NamedTuple):
    """Why a transfer was refused, and who has to act before it is tried again."""

    reason: str
    actor: Actor


class Posting(NamedTuple):
    """One entry of the ledger: an amount from the credited to the debited account."""

    source_id: UUID
    leg: str
    scheme_id: str
    debit: str
    credit: str
    amount_fen: Fen


class Batch(NamedTuple):
    """A batch as it was fixed, and how far it is."""

    batch_id: UUID
    batch_no: str
    file_name: str
    sha256: bytes
    sealed_file: bytes | None
    state: BatchState


class Paid(NamedTuple):
    """The bank has booked a transfer."""

    attempt: Attempt
    bank_serial: str
    paid_on: date


class Refused(NamedTuple):
    """The bank has definitely refused a transfer."""

    attempt: Attempt
    bank_code: str
    refusal: Refusal


ExceptionKind = Literal[
    "unknown_instruction", "amount_differs", "contradicts", "moved_before", "number_taken"
]


class BankException(NamedTuple):
    """Something the bank said that was not applied and that a person has to look at."""

    kind: ExceptionKind
    instruction_id: str


PLACE = "%Y%m%dT%H%M%S%f"


class Place(NamedTuple):
    """Where a page ended: the next one goes on behind it, whatever has left the list meanwhile."""

    at: datetime
    id: UUID

    @classmethod
    def parse(cls, text: str) -> "Place":
        try:
            at, _, row_id = text.partition("-")
            return cls(datetime.strptime(at, PLACE).replace(tzinfo=UTC), UUID(row_id))
        except ValueError as unreadable:
            raise UnknownCursor from unreadable

    def text(self) -> str:
        return f"{self.at.astimezone(UTC):{PLACE}}-{self.id.hex}"


class Moment(NamedTuple):
    """One step in a payout's life."""

    at: datetime
    what: str


class ShownPayout(NamedTuple):
    """A payout with its story."""

    payout_id: UUID
    claim_id: UUID
    scheme_id: str
    amount_fen: Fen
    state: PayoutState
    created_at: datetime
    timeline: Sequence[Moment]
    card_tail: str | None = None
    reason: str | None = None
    actor: Actor | None = None
    batched_at: datetime | None = None
    paid_on: date | None = None


class ShownRefusal(NamedTuple):
    """A refused payout, as whoever must act sees it."""

    payout_id: UUID
    member_id: UUID
    name: str
    card_tail: str | None
    unit_code: str
    amount_fen: Fen
    reason: str
    actor: Actor
    since: datetime


class Benefits(NamedTuple):
    """What a member was granted net of reversals, what was paid, what is to be got back."""

    granted_fen: Fen
    paid_fen: Fen
    to_recover_fen: Fen


def instruction_id(payout_id: UUID, attempt_no: int) -> str:
    """Name a transfer at the bank; derived, so that a restored database names it the same."""
    return f"{payout_id.hex}{attempt_no}"
