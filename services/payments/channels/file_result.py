"""What the banks of P1 and P2 say of a line, and how a file of theirs is read: whole or not."""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from services.common.money import Fen
from services.payments.channels.base import LineAnswer, Outcome, Result
from services.payments.errors import ResultUnusable

LINE_END: Final = b"\r\n"

BOOKED: Final = "0"
REFUSED: Final = "1"
IN_PROCESS: Final = "2"

# The bank's codes for a line and what they mean to us; any other is for finance to look at.
REASONS: Final[Mapping[str, str]] = {
    "0001": "NAME_DIFFERS",
    "0002": "ACCOUNT_CLOSED",
    "0003": "ACCOUNT_FROZEN",
    "0004": "INSUFFICIENT_FUNDS",
    "0005": "OVER_ACCOUNT_LIMIT",
    "0006": "NO_SUCH_ACCOUNT",
    "0007": "CURRENCY_NOT_TAKEN",
}
OTHER: Final = "OTHER"
# The instruction id has been booked already, in another batch: refused, and yet the money moved.
BOOKED_BEFORE: Final = "0008"

_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,12})\.[0-9]{2}")
_COUNT: Final = re.compile(r"0|[1-9][0-9]{0,8}")
# Ours have at most 35; what is longer than that by far is noise and fits no index.
_ID: Final = re.compile(r"[!-~]{1,64}")
_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")


def require_whole(content: bytes) -> None:
    """Refuse a text whose last line is not ended, or that holds what no database keeps."""
    if not content.endswith(LINE_END) or b"\0" in content:
        raise ResultUnusable


def read_amount(text: str) -> Fen:
    """Read yuan with exactly two decimals; raises `ResultUnusable`, as all of these do."""
    if not _AMOUNT.fullmatch(text):
        raise ResultUnusable
    return Fen(int(text.replace(".", "")))


def read_count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise ResultUnusable
    return int(text)


def read_id(text: str) -> str:
    """Read an instruction id or a batch number, ours or not."""
    if not _ID.fullmatch(text):
        raise ResultUnusable
    return text


@lru_cache(64)
def read_day(text: str) -> date:
    found = _DAY.fullmatch(text)
    if not found:
        raise ResultUnusable
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise ResultUnusable from None


class Totals(NamedTuple):
    """What stands in a trailer: how many lines were booked and refused, and their sums."""

    booked: int
    booked_fen: int
    refused: int
    refused_fen: int


class ResultLines:
    """The lines of a result file as they are read, and what they add up to."""

    def __init__(self) -> None:
        self._answers: list[LineAnswer] = []
        self._ids: set[str] = set()
        self._booked_fen = self._refused_fen = 0
        self._booked = self._refused = 0

    def take(
        self,
        instruction_id: str,
        amount_fen: Fen,
        *,
        status: str,
        code: str,
        day: str,
        serial: str = "",
    ) -> None:
        """Take a line in; one that has been there already spoils the file."""
        if read_id(instruction_id) in self._ids:
            raise ResultUnusable
        self._ids.add(instruction_id)
        if status == BOOKED:
            self._booked += 1
            self._booked_fen += amount_fen
            answer = LineAnswer(
                instruction_id, amount_fen, Outcome.DONE, "", "", serial, read_day(day)
            )
        elif status == REFUSED:
            self._refused += 1
            self._refused_fen += amount_fen
            answer = LineAnswer(instruction_id, amount_fen, Outcome.UNKNOWN, bank_code=code)
            if code == BOOKED_BEFORE:
                answer = answer._replace(moved_before=True)
            else:
                answer = answer._replace(outcome=Outcome.REFUSED, reason=REASONS.get(code, OTHER))
        elif status == IN_PROCESS:
            answer = LineAnswer(instruction_id, amount_fen, Outcome.UNKNOWN, bank_code=code)
        else:
            raise ResultUnusable
        self._answers.append(answer)

    @property
    def totals(self) -> Totals:
        return Totals(self._booked, self._booked_fen, self._refused, self._refused_fen)

    def result(self, *, announced: int) -> Result:
        """Give the result; it is final where no line that the header announces is missing."""
        return Result(self._answers, final=len(self._answers) >= announced)
