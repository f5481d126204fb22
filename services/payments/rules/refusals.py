"""Who must act when a transfer is refused or returned, by the reason that a channel gives."""

from collections.abc import Mapping
from typing import Final

from services.payments.model.payouts import Refusal

# What is not listed is for finance to look at.
_REFUSALS: Final[Mapping[str, Refusal]] = {
    refusal.reason: refusal
    for refusal in (
        Refusal("NAME_DIFFERS", "unit"),
        Refusal("ACCOUNT_CLOSED", "member"),
        Refusal("ACCOUNT_FROZEN", "member"),
        Refusal("NO_SUCH_ACCOUNT", "unit"),
        Refusal("OVER_ACCOUNT_LIMIT", "member"),
        Refusal("PAYEE_UNUSABLE", "unit"),
        Refusal("INSUFFICIENT_FUNDS", "finance"),
        Refusal("CURRENCY_NOT_TAKEN", "finance"),
        # The whole file; a line that a final result does not hold; nothing could be cut with it.
        Refusal("FILE_REFUSED", "finance"),
        Refusal("NOT_IN_RESULT", "finance"),
        Refusal("BOOKS_DIFFER", "finance"),
        # The bank's letter says that it has nothing of the batch.
        Refusal("NOT_BOOKED", "finance"),
        # A checker has refused the batch.
        Refusal("NOT_APPROVED", "finance"),
    )
}


def refusal_for(reason: str) -> Refusal:
    return _REFUSALS.get(reason, Refusal(reason, "finance"))
