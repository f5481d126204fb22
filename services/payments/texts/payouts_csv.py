"""A unit's payouts as a CSV file that spreadsheets open as it is meant."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from services.common.money import yuan
from services.payments.model.reports import ListedPayout
from services.payments.texts.words import WORDS, scheme_name

_COLUMNS: Final = ("name", "card", "scheme", "amount", "state", "paid_on", "payout_id")
# What a spreadsheet takes for a formula begins so, also behind a blank it leaves out.
_STARTS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def heading() -> bytes:
    """Give the mark that says UTF-8 and the line of the columns' names."""
    return "\ufeff".encode() + _written([[WORDS.list[column].zh for column in _COLUMNS]])


def rows(payouts: Iterable[ListedPayout]) -> bytes:
    return _written(
        [
            payout.name.mask() if payout.name else "",
            payout.card.mask() if payout.card else "",
            scheme_name(payout.scheme_id),
            yuan(payout.amount_fen),
            WORDS.states[payout.state].zh,
            payout.paid_on.isoformat() if payout.paid_on else "",
            str(payout.payout_id),
        ]
        for payout in payouts
    )


def _written(lines: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([defused(cell) for cell in line] for line in lines)
    return text.getvalue().encode()


def defused(cell: str) -> str:
    """Give a cell that no spreadsheet reckons: in front of a formula an apostrophe says text."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_STARTS_FORMULA) else cell
