"""The bank's reason codes, and what they mean to us."""

from collections.abc import Mapping
from typing import Final

# The same id or number was there before: whatever it is refused for, the first may have moved.
DUPLICATE: Final = "AM05"

_REASONS: Final[Mapping[str, str]] = {
    "AC01": "NO_SUCH_ACCOUNT",
    "AC04": "ACCOUNT_CLOSED",
    "AC06": "ACCOUNT_FROZEN",
    "AM02": "OVER_ACCOUNT_LIMIT",
    "AM03": "CURRENCY_NOT_TAKEN",
    "AM04": "INSUFFICIENT_FUNDS",
    "BE01": "NAME_DIFFERS",
}


def reason(code: str) -> str:
    """Give our reason for the bank's code; one that is not listed is for finance to look at."""
    return _REASONS.get(code, "OTHER")
