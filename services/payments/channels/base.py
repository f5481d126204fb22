"""What payments asks of a bank, whatever the bank speaks; every answer may be "not known"."""

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import NamedTuple, Protocol
from uuid import UUID

from services.common.money import Fen
from services.payments.model import BatchFile, Instruction, Payee


class Outcome(Enum):
    """Done, refused for certain, or not known: then it is asked again under the same id."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Answer(NamedTuple):
    """What became of a whole batch at the bank; `code` is the bank's word for it."""

    outcome: Outcome
    code: str = ""
    # Other bytes lie there under our number: what became of their ids is not known.
    number_taken: bool = False


class LineAnswer(NamedTuple):
    """What became of one transfer; `reason` is ours, `bank_code` the bank's."""

    instruction_id: str
    amount_fen: Fen
    outcome: Outcome
    bank_code: str = ""
    reason: str = ""
    bank_serial: str = ""
    paid_on: date | None = None
    # Refused because the same id was booked in another batch: the money has moved.
    moved_before: bool = False


class Result(NamedTuple):
    """The bank's result of a batch; once it is final, a line that is not in it was not taken."""

    lines: Sequence[LineAnswer]
    final: bool


class BankChannel(Protocol):
    """One way to one bank."""

    def check(self, payee: Payee) -> None:
        """Raise `PayeeUnusable` where no line can be written for the payee."""
        ...

    def fix(self, batch_id: UUID, day: date, instructions: Sequence[Instruction]) -> BatchFile:
        """Write a batch; the same input gives the same bytes."""
        ...

    async def submit(self, file: BatchFile) -> Answer:
        """Hand the batch over; the same bytes again only ask what became of them."""
        ...

    async def result(self, batch_no: str, file_name: str) -> Result | Answer:
        """Ask for the result; an answer in its place says that there is none (yet).

        Raises `ResultUnusable` where what came must not be believed.
        """
        ...
