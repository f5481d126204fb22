"""What is booked for a line of the bank's that is no payout; a mistake is booked back."""

from collections.abc import Mapping
from typing import Final

from services.payments.model.ledger import ALL_SCHEMES, Account, Posting
from services.payments.model.statements import BankLine, Receipt, ReceiptKind

# What money in stands for, and what money out does.
_FROM: Final[Mapping[ReceiptKind, Account]] = {
    "member_contributions": Account.MEMBER_CONTRIBUTIONS,
    "union_subsidy": Account.UNION_SUBSIDY,
    "membership_fees": Account.MEMBERSHIP_FEES,
    "allotted": Account.DUE_FROM_ASSOCIATION,
}


def received(receipt: Receipt) -> Posting:
    """Book what was expected and has come, or has gone to the association."""
    debit, credit = Account.DUE_TO_ASSOCIATION, Account.BANK
    if receipt.kind in _FROM:
        debit, credit = Account.BANK, _FROM[receipt.kind]
    leg = f"received.{receipt.round}"
    fund_id, scheme_id = receipt.fund_id, receipt.scheme_id
    return Posting(receipt.receipt_id, leg, fund_id, scheme_id, debit, credit, receipt.amount_fen)


def charged(line: BankLine) -> Posting:
    """Book what the bank took for its work."""
    accounts = Account.BANK_CHARGES, Account.BANK
    leg = f"charged.{line.round}"
    return Posting(line.line_id, leg, line.fund_id, ALL_SCHEMES, *accounts, line.amount_fen)


def opposite(entry: Posting) -> Posting:
    """Take an entry back by another."""
    return entry._replace(leg=f"{entry.leg}.undone", debit=entry.credit, credit=entry.debit)
