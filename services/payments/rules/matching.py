"""What a line of the bank's stands for; whatever is not certain becomes a reason, never a guess."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, NamedTuple
from uuid import UUID

from services.payments.model.payouts import AttemptState
from services.payments.model.statements import (
    BankLine,
    LineReason,
    Movement,
    MovementKind,
    Receipt,
)

REFERENCE: Final = r"[0-9A-Z][0-9A-Z_-]{5,39}"
_WORD: Final = re.compile(r"[0-9A-Z][0-9A-Z_-]*")
_REFERENCE: Final = re.compile(REFERENCE)


# Money goes out by these, and comes in by the others.
_DEBITS: Final = (MovementKind.PAYOUT, MovementKind.TRANSFER, MovementKind.FEE)
OF_OURS: Final = (MovementKind.PAYOUT, MovementKind.RETURN, MovementKind.REVERSAL)


def names_nothing(line: Movement, *, known: bool) -> LineReason | None:
    """Say why a line can have no counterpart; `known` where the batch or transfer it names is."""
    if (line.direction == "debit") != (line.kind in _DEBITS):
        return LineReason.CONTRADICTS
    if line.kind not in OF_OURS or known:
        return None
    of_batch = line.kind is MovementKind.PAYOUT and not line.instruction_id
    return LineReason.UNKNOWN_BATCH if of_batch else LineReason.UNKNOWN_INSTRUCTION


class Match(Enum):
    """The line fits: to what is known already, or it is what makes it known."""

    CONFIRMS = "confirms"
    PROVES = "proves"


# None: wait, the transfer has not come to its end yet.
Verdict = Match | LineReason | None


class BatchSums(NamedTuple):
    """A batch in fen: what it holds, what of it was paid and refused, what its lines have shown."""

    total_fen: int
    paid_fen: int
    refused_fen: int
    shown_fen: int
    closed: bool
    in_doubt: bool


def judge_batch(lines_fen: int, sums: BatchSums) -> Match | None:
    """Hold the debits of a batch that are open against it; None while they must wait.

    Where the debits are all that was not refused for certain, all of it was booked: amounts are
    above 0. A batch that is not in doubt waits for its result, which says more.
    """
    debited = lines_fen + sums.shown_fen
    if sums.closed:
        return Match.CONFIRMS if debited == sums.paid_fen else None
    whole = debited == sums.total_fen - sums.refused_fen
    return Match.PROVES if whole and sums.in_doubt else None


class Transfer(NamedTuple):
    """A transfer that a line names; `shown` and `given_back` where another line is matched to it.

    `sent` tells that its batch has left.
    """

    amount_fen: int
    state: AttemptState
    sent: bool
    shown: bool
    given_back: bool


def judge_debit(amount_fen: int, transfer: Transfer) -> Verdict:
    """Hold the debit of one transfer against it."""
    match transfer.state:
        case AttemptState.REFUSED | AttemptState.WITHDRAWN:
            return LineReason.CONTRADICTS
        case _ if amount_fen != transfer.amount_fen:
            return LineReason.AMOUNT_DIFFERS
        case AttemptState.IN_FLIGHT:
            return Match.PROVES if transfer.sent else None
        case AttemptState.PAID | AttemptState.RETURNED:
            return LineReason.PAID_TWICE if transfer.shown else Match.CONFIRMS


def judge_return(amount_fen: int, transfer: Transfer) -> Verdict:
    """Hold money that comes back against the transfer it names."""
    match transfer.state:
        case AttemptState.REFUSED | AttemptState.WITHDRAWN:
            return LineReason.CONTRADICTS
        case _ if amount_fen != transfer.amount_fen:
            return LineReason.AMOUNT_DIFFERS
        case AttemptState.IN_FLIGHT:
            return None
        case AttemptState.PAID:
            return Match.PROVES
        case AttemptState.RETURNED:
            # A letter may have told of it before.
            return LineReason.RETURNED_TWICE if transfer.given_back else Match.CONFIRMS


def once_shown(transfer: Transfer) -> Transfer:
    """Say what a transfer is to the debits behind one that fitted it."""
    return transfer._replace(state=AttemptState.PAID, shown=True)


def once_given_back(transfer: Transfer) -> Transfer:
    """Say what a transfer is to the returns behind one that fitted it."""
    return transfer._replace(state=AttemptState.RETURNED, given_back=True)


def references(remark: str) -> frozenset[str]:
    """Read what may be references out of a remark, upper case."""
    words = _WORD.findall(unicodedata.normalize("NFKC", remark).upper())
    return frozenset(word for word in words if _REFERENCE.fullmatch(word))


class Group(NamedTuple):
    """Lines and what was expected, which make the same sum."""

    lines: Sequence[BankLine]
    receipts: Sequence[Receipt]

    @property
    def agrees(self) -> bool:
        return sum(line.amount_fen for line in self.lines) == sum(
            receipt.amount_fen for receipt in self.receipts
        )

    @property
    def ids(self) -> set[UUID]:
        return {line.line_id for line in self.lines} | {one.receipt_id for one in self.receipts}


def agreeing(lines: Iterable[BankLine], receipts: Iterable[Receipt]) -> list[Group]:
    """Give the lines and receipts that belong together by their references and whose sums agree.

    A line may name several receipts, and a receipt may be paid by several lines.
    """
    groups: dict[str, Group] = {}
    for receipt in receipts:
        groups[receipt.reference] = Group([], [receipt])
    for line in lines:
        named = [
            groups[reference]
            for reference in sorted(references(line.remark) & groups.keys())
            if groups[reference].receipts[0].direction == line.direction
        ]
        if named:
            _join(groups, named, line)
    once = {id(group): group for group in groups.values()}.values()
    return [group for group in once if group.lines and group.agrees]


def _join(groups: dict[str, Group], named: Sequence[Group], line: BankLine) -> None:
    """Make one group of all that the line names."""
    parts = list({id(group): group for group in named}.values())
    joined = Group(
        [*(one for part in parts for one in part.lines), line],
        [one for part in parts for one in part.receipts],
    )
    groups.update((receipt.reference, joined) for receipt in joined.receipts)
