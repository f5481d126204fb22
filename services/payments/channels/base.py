"""What payments asks of a bank, whatever the bank speaks; every answer may be "not known"."""

import re
from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from services.common.money import Fen
from services.payments.errors import PayeeUnusable
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee
from services.payments.model.statements import DayStatement, Movements

# What would end a line, and what no name holds: control characters and half a pair.
_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CARD: Final = re.compile(r"[0-9]{6,32}")


def batch_no_of(batch_id: UUID) -> str:
    """Give a batch its number: from the time-ordered id, so that none is ever given again."""
    return str(batch_id.int >> 64)


def check_payee(payee: Payee) -> None:
    """Raise `PayeeUnusable` for what no bank takes; a channel adds what it cannot write."""
    name = payee.name.open()
    written = name + payee.bank
    # Nearly all are printable to the last character, which is told in a tenth of the time.
    if (
        not name.strip()
        or (not written.isprintable() and _UNWRITABLE.search(written))
        or not _CARD.fullmatch(payee.card.open())
    ):
        raise PayeeUnusable


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
    # The bank knows no such batch: it is asked by handing it over once more, byte for byte.
    not_found: bool = False


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


class Payer(NamedTuple):
    """Who pays, as the bank knows it, and what the receiver reads beside the amount."""

    account: str
    holder: str
    unit: str
    remark: str


class BankChannel(Protocol):
    """One way to one bank, for one account of ours.

    Our reasons, whatever the bank's codes: NAME_DIFFERS, ACCOUNT_CLOSED, ACCOUNT_FROZEN,
    INSUFFICIENT_FUNDS, OVER_ACCOUNT_LIMIT, NO_SUCH_ACCOUNT, CURRENCY_NOT_TAKEN, OTHER.
    """

    # How many lines a batch may have at most.
    lines_max: int

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

    async def movements(self, mark: str) -> Movements | None:
        """Give what was booked on the account behind the mark ("" from the beginning).

        None where the bank does not answer; raises `ResultUnusable` as above.
        """
        ...

    async def statement(self, day: date, *, upto_now: bool = False) -> DayStatement | None:
        """Give the statement of a day, or None while there is none.

        `upto_now` asks for the day so far, where the bank gives that. Raises `ResultUnusable`.
        """
        ...
