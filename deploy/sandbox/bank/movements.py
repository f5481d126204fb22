"""What moved on a payer's account, and what the account held at any day's begin and end."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """Why money moved.

    A return (退票) is a credit after success, a reversal (冲账) a negative debit of the same day.
    """

    PAYOUT = "payout"
    RETURN = "return"
    REVERSAL = "reversal"
    DEPOSIT = "deposit"
    TRANSFER = "transfer"
    FEE = "fee"


INTO_THE_ACCOUNT = frozenset({Kind.RETURN, Kind.REVERSAL, Kind.DEPOSIT})


class Movement(msgspec.Struct, tag="moved", tag_field="what", gc=False, kw_only=True):
    """One line on a payer's account.

    `ref` is the bank's own number, counted over all accounts, so that it grows on each. Empty where
    it does not apply: `batch` (all but payouts, returns, reversals), `instruction_id` (all but
    single transfers, returns, reversals), `code` and `reason` (returns, reversals: the four digits
    and their words), party and remark.
    """

    at: str
    ref: int
    payer: str
    booked_on: date
    kind: Kind
    amount_fen: int
    batch: str = ""
    instruction_id: str = ""
    code: str = ""
    reason: str = ""
    party: str = ""
    party_account: str = ""
    remark: str = ""

    @property
    def credit(self) -> bool:
        """Whether money came into the payer's account."""
        return self.kind in INTO_THE_ACCOUNT

    @property
    def signed_fen(self) -> int:
        return self.amount_fen if self.credit else -self.amount_fen


@dataclass(frozen=True, slots=True)
class Statement:
    """A day of an account; `lines` reads its movements from the disk, oldest first."""

    day: date
    opening_fen: int
    closing_fen: int
    count: int
    lines: Iterator[Movement]


class PayerBook:
    """A payer's account: its balance, and where the journal holds its movements."""

    def __init__(self, opening_fen: int) -> None:
        self.balance_fen = opening_fen
        # Booked to payees, but not debited yet.
        self.reserved_fen = 0
        self._refs = array("q")
        self._offsets = array("q")
        # The days something moved; beside each the first movement's place and what was there.
        self._days: list[date] = []
        self._starts: list[int] = []
        self._openings_fen: list[int] = []

    @property
    def available_fen(self) -> int:
        return self.balance_fen - self.reserved_fen

    @property
    def count(self) -> int:
        return len(self._refs)

    def booking_day(self, today: date) -> date:
        """Give the day to book under: never one before the last."""
        return max(today, self._days[-1]) if self._days else today

    def post(self, movement: Movement) -> None:
        """Change the balance; where the movement lies is told by `lies_at`, in the same order."""
        if not self._days or movement.booked_on > self._days[-1]:
            self._days.append(movement.booked_on)
            self._starts.append(len(self._refs))
            self._openings_fen.append(self.balance_fen)
        self._refs.append(movement.ref)
        self.balance_fen += movement.signed_fen

    def lies_at(self, offset: int) -> None:
        self._offsets.append(offset)

    def after(self, ref: int, limit: int) -> list[int]:
        """Say where the movements behind a number lie, at most `limit` of them."""
        start = bisect_right(self._refs, ref)
        return self._offsets[start : start + limit].tolist()

    def day(self, day: date) -> tuple[int, int, list[int]]:
        """Give opening and closing balance of a day, and where its movements lie."""
        place = bisect_right(self._days, day)
        next_opening_fen = (
            self._openings_fen[place] if place < len(self._days) else self.balance_fen
        )
        if not place or self._days[place - 1] != day:
            return next_opening_fen, next_opening_fen, []
        end = self._starts[place] if place < len(self._days) else len(self._refs)
        offsets = self._offsets[self._starts[place - 1] : end].tolist()
        return self._openings_fen[place - 1], next_opening_fen, offsets
