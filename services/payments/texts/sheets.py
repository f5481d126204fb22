"""What is printed: a month's sheet and a member's receipt, each one page, as a PDF."""

from pathlib import Path
from typing import Final

from services.common.kit.typeset import typeset
from services.common.money import yuan
from services.payments.model.reports import BankReceipt
from services.payments.texts.capitals import capitals
from services.payments.texts.month import MonthPage
from services.payments.texts.words import WORDS, scheme_name

_FOLDER: Final = Path(__file__).parent


async def month_sheet(page: MonthPage) -> bytes:
    """Set a month's page on one sheet; the same page gives the same bytes."""
    return await typeset(_FOLDER / "month.typ", page)


async def receipt_sheet(receipt: BankReceipt) -> bytes:
    """Set a member's receipt; the same receipt gives the same bytes."""
    return await typeset(_FOLDER / "receipt.typ", _said(receipt))


def _said(receipt: BankReceipt) -> dict[str, object]:
    facts = {
        "payer": receipt.payer,
        "name": receipt.name.mask() if receipt.name else "",
        "card": receipt.card.mask() if receipt.card else "",
        "scheme": scheme_name(receipt.scheme_id),
        "amount": f"¥{yuan(receipt.amount_fen)}",
        "capitals": capitals(receipt.amount_fen),
        "paid_on": receipt.paid_on.isoformat(),
        "payout_id": str(receipt.payout_id),
        "bank_serial": receipt.bank_serial,
    }
    words = WORDS.receipt
    return {
        "title": words["title"],
        "facts": [(words[name], value) for name, value in facts.items() if value],
        "note": words["note"],
    }
