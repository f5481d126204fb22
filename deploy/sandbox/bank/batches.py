"""What a door hands to the bank and the bank tells it back, whatever is spoken at the door."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from deploy.sandbox.bank.reasons import FileReason

# Code and words of a line that is not decided yet.
IN_PROCESS = ("9999", "处理中")


def fen(yuan: str) -> int:
    return int(yuan.replace(".", "", 1))


def yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """One line of a batch; the account is as it came, the bank judges it when it books."""

    account: str
    name: str
    amount_fen: int
    instruction_id: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that a door has read and found well-formed.

    `name` is what the door calls it, once among all doors (a file's name; CMB: the number);
    `number` names a file of the bank's own, so the door lets only letters, digits, - and _ through.
    `digest` tells the same content from other content. `count` and `total_fen` are of its
    transfers. `debits` says how the payer is debited: how many lines each debit covers, in order
    (a whole batch: its count alone; parts: one each); empty: every transfer is a debit of its own.
    """

    name: str
    digest: str
    number: str
    payer: str
    currency: str
    count: int
    total_fen: int
    debits: Sequence[int]


@dataclass(slots=True)
class Received:
    """What the bank has taken in, and how far it got with it; only the bank changes it.

    `status` is received, processing, closed (every line decided), or refused (whole; `code` and
    `reason` say why, `batch` is None where the number could not be read). Amounts and counts of
    what is booked are final once it is closed.
    """

    order: int
    name: str
    digest: str
    batch: str | None
    status: str
    payer: str = ""
    currency: str = ""
    code: str | None = None
    reason: str | None = None
    held: bool = False
    count: int = 0
    total_fen: int = 0
    debits: Sequence[int] = ()
    booked: int = 0
    booked_fen: int = 0
    refused_lines: int = 0
    # Where its lines lie in the journal.
    lines_from: int = 0
    lines_to: int = 0
    # How much of the kept transfers is decided, in bytes, and what the open debit has come to.
    spool_at: int = 0
    # The kept transfers, as long as they are few and not decided.
    in_hand: Sequence[Transfer] = ()
    undebited_fen: int = 0

    @property
    def number(self) -> str:
        """Its batch number; a batch that is refused whole may have none."""
        assert self.batch is not None
        return self.batch

    @property
    def decided(self) -> int:
        return self.booked + self.refused_lines


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a transfer: booked with a serial on a day (yyyymmdd), or refused.

    `code` and `words` are a `LineReason`'s, empty where it is booked; `line` counts from 1. Only a
    result that was spoilt on order says in process.
    """

    amount_fen: int
    code: str = ""
    words: str = ""
    serial: str = ""
    day: str = ""
    line: int = 0
    account: str = ""
    name: str = ""
    instruction_id: str = ""

    @property
    def booked(self) -> bool:
        return not self.code

    @property
    def status(self) -> int:
        """How the files say it: 0 booked, 1 refused, 2 in process."""
        if self.code == IN_PROCESS[0]:
            return 2
        return 0 if self.booked else 1


@dataclass(slots=True)
class Tally:
    """What a result's lines come to; one in process counts nowhere."""

    paid: int = 0
    paid_fen: int = 0
    failed: int = 0
    failed_fen: int = 0

    def add(self, outcome: Outcome) -> None:
        match outcome.status:
            case 0:
                self.paid += 1
                self.paid_fen += outcome.amount_fen
            case 1:
                self.failed += 1
                self.failed_fen += outcome.amount_fen
            case _:
                pass


class AlreadyTaken(Exception):
    """The name or the batch number belongs to other content."""

    def __init__(self, reason: FileReason) -> None:
        super().__init__(reason.words)
        self.reason = reason
