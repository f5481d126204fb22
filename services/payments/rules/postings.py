"""What is booked when something happens to money; each fact has its leg, so it is booked once."""

from typing import Final
from uuid import UUID

from services.common.ids import derived_id
from services.common.money import Fen
from services.payments.model.ledger import ALL_SCHEMES, Account, Posting
from services.payments.model.owed import AccountKey
from services.payments.model.payouts import Payout

# What is debited and credited by a grant, as an expense owed to the member (a correction downwards
# is the reverse), and by its payment.
GRANTED: Final = (Account.BENEFIT_EXPENSE, Account.BENEFITS_PAYABLE)
PAID: Final = (Account.PAYOUTS_IN_TRANSIT, Account.BANK)


def opened(fund_id: str, fund_fen: Fen) -> Posting:
    source = derived_id("fund opened", fund_id)
    return Posting(source, "opened", fund_id, ALL_SCHEMES, Account.BANK, Account.FUND, fund_fen)


def reserved(batch_id: UUID, fund_id: str, scheme_id: str, total_fen: Fen) -> Posting:
    return Posting(
        batch_id,
        f"reserved.{scheme_id}",
        fund_id,
        scheme_id,
        Account.BENEFITS_PAYABLE,
        Account.PAYOUTS_IN_TRANSIT,
        total_fen,
    )


def withdrawn(batch_id: UUID, fund_id: str, scheme_id: str, total_fen: Fen) -> Posting:
    """Release what was reserved for a batch that is taken apart before it was sent."""
    return Posting(
        batch_id,
        f"withdrawn.{scheme_id}",
        fund_id,
        scheme_id,
        Account.PAYOUTS_IN_TRANSIT,
        Account.BENEFITS_PAYABLE,
        total_fen,
    )


def paid_in_all(batch_id: UUID, fund_id: str, total_fen: Fen) -> Posting:
    """Say what the payments of a batch that were booked now, each by an entry, come to together."""
    return Posting(batch_id, "paid", fund_id, ALL_SCHEMES, *PAID, total_fen)


def released(fund_id: str, payout: Payout, attempt_no: int) -> Posting:
    accounts = (Account.PAYOUTS_IN_TRANSIT, Account.BENEFITS_PAYABLE)
    return _of_attempt(fund_id, payout, f"released.{attempt_no}", accounts)


def returned(fund_id: str, payout: Payout, attempt_no: int) -> list[Posting]:
    """Book the money back in, and that it is owed again; by way of an account of its own."""
    came, reopened = (
        (Account.BANK, Account.RETURNED),
        (Account.RETURNED, Account.BENEFITS_PAYABLE),
    )
    return [
        _of_attempt(fund_id, payout, f"returned.{attempt_no}", came),
        _of_attempt(fund_id, payout, f"reopened.{attempt_no}", reopened),
    ]


def _of_attempt(
    fund_id: str, payout: Payout, leg: str, accounts: tuple[Account, Account]
) -> Posting:
    return Posting(payout.payout_id, leg, fund_id, payout.scheme_id, *accounts, payout.amount_fen)


def recovered(source: UUID, fund_id: str, account: AccountKey, amount_fen: Fen) -> list[Posting]:
    """Book what a member repays of an overpayment."""
    scheme_id = account.scheme_id
    return [
        Posting(
            source, "recovered", fund_id, scheme_id, Account.BANK, Account.RECOVERIES, amount_fen
        ),
        Posting(
            source,
            "set_off",
            fund_id,
            scheme_id,
            Account.RECOVERIES,
            Account.BENEFITS_PAYABLE,
            amount_fen,
        ),
    ]
