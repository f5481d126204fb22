"""A batch: who is in it and every byte of it is fixed before anything is sent."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.common.money import Fen
from services.payments.model.payouts import Payee


class BatchState(StrEnum):
    AWAITING_APPROVAL = "awaiting_approval"
    FIXED = "fixed"
    # To be taken apart: an amount or a card in it has changed, or a checker has refused it.
    RECALLED = "recalled"
    SUBMITTING = "submitting"
    # Accepted by the bank: now it is asked what became of the lines.
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    # Taken apart before a byte had left; its payouts go out in another.
    VOIDED = "voided"


# Nothing has left yet: such a batch can still be taken apart.
UNSENT = (BatchState.AWAITING_APPROVAL, BatchState.FIXED)
# The bank may have these.
SENT = (BatchState.SUBMITTING, BatchState.SUBMITTED, BatchState.UNKNOWN)
# Somebody has to go on with these.
UNDER_WAY = (
    BatchState.FIXED,
    BatchState.RECALLED,
    BatchState.SUBMITTING,
    BatchState.SUBMITTED,
    BatchState.UNKNOWN,
)


class Lane(NamedTuple):
    """What waits for one batch: a fund's payouts of one tier of approval (0: none is needed)."""

    fund_id: str
    tier: int

    @classmethod
    def parse(cls, text: str) -> "Lane":
        fund_id, _, tier = text.rpartition(".")
        return cls(fund_id, int(tier))

    def text(self) -> str:
        return f"{self.fund_id}.{self.tier}"


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


class Batch(NamedTuple):
    """A batch as it was fixed, and how far it is; its bytes only while they may be sent.

    `decided` tells of how many lines it is known what became of them.
    """

    batch_id: UUID
    lane: Lane
    batch_no: str
    file_name: str
    business_day: date
    sha256: bytes
    sealed_file: bytes | None
    state: BatchState
    decided: int = 0
