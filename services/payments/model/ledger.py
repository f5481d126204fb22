"""The ledger's words: accounts, and an entry that moves an amount between two of them."""

from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from services.common.money import Fen

# Entries that concern a fund and no scheme of it.
ALL_SCHEMES: Final = "*"


class Account(StrEnum):
    """The accounts; each is kept per fund and scheme."""

    # What is there.
    BANK = "bank"
    DUE_FROM_ASSOCIATION = "due_from_association"
    # What is owed to others.
    BENEFITS_PAYABLE = "benefits_payable"
    PAYOUTS_IN_TRANSIT = "payouts_in_transit"
    RETURNED = "returned"
    DUE_TO_ASSOCIATION = "due_to_association"
    # Where it came from.
    FUND = "fund"
    MEMBER_CONTRIBUTIONS = "member_contributions"
    UNION_SUBSIDY = "union_subsidy"
    MEMBERSHIP_FEES = "membership_fees"
    RECOVERIES = "recoveries"
    ALLOTTED = "allotted"
    # What it was spent on.
    BENEFIT_EXPENSE = "benefit_expense"
    HANDED_UP = "handed_up"
    BANK_CHARGES = "bank_charges"


class Posting(NamedTuple):
    """One entry of the ledger: an amount from the credited to the debited account.

    (source_id, leg) is said once for ever, so a fact that comes twice is booked once.
    """

    source_id: UUID
    leg: str
    fund_id: str
    scheme_id: str
    debit: Account
    credit: Account
    amount_fen: Fen

    @property
    def key(self) -> tuple[UUID, str]:
        """What it is known by."""
        return self.source_id, self.leg


class PairSum(NamedTuple):
    """What was booked on one account against another, in one day or in more."""

    fund_id: str
    scheme_id: str
    account: str
    contra: str
    entries: int
    debit_fen: Fen
    credit_fen: Fen

    @property
    def net_fen(self) -> int:
        """Debit less credit."""
        return self.debit_fen - self.credit_fen


class TrialRow(NamedTuple):
    """An account in a span of days; what it opens and closes with is debit less credit."""

    fund_id: str
    scheme_id: str
    account: str
    opening_fen: int
    debit_fen: Fen
    credit_fen: Fen

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.debit_fen - self.credit_fen


class ClosedDay(NamedTuple):
    """A day of the ledger that takes no more entries; its root vouches for them and their order."""

    day: date
    entries: int
    root: bytes
