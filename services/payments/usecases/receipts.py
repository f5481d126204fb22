"""What is expected on the accounts is entered, so that the bank's lines find it by themselves."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import Unit
from services.common.kit.logs import get_logger
from services.common.money import Fen
from services.payments.errors import ReceiptUnusable, ReferenceTaken, UnknownReceipt
from services.payments.model.ledger import ALL_SCHEMES
from services.payments.model.shown import Place
from services.payments.model.statements import Receipt, ReceiptKind, ShownReceipt
from services.payments.rules.matching import REFERENCE
from services.payments.store import receipts
from services.payments.usecases.desk import Desk

log = get_logger()

_REFERENCE: Final = re.compile(REFERENCE)


def expected(
    fund_id: str,
    kind: ReceiptKind,
    amount_fen: Fen,
    reference: str,
    *,
    scheme_id: str = ALL_SCHEMES,
    unit_code: str = "",
) -> Receipt:
    """Make what is to be entered.

    What was dropped and is entered anew is another receipt: the old one may stand in the ledger.
    """
    name = unicodedata.normalize("NFKC", reference).strip().upper()
    return Receipt(new_id(), fund_id, kind, scheme_id, unit_code, amount_fen, name)


def check(desk: Desk, receipt: Receipt) -> None:
    """Raise `ReceiptUnusable` where there is no such fund, or it does not pay the scheme."""
    known = receipt.fund_id in desk.funds.by_id
    if receipt.scheme_id != ALL_SCHEMES:
        known = known and desk.fund_of(receipt.scheme_id).fund_id == receipt.fund_id
    if not known or receipt.amount_fen <= 0:
        raise ReceiptUnusable


async def expect(desk: Desk, person_id: UUID, announced: Sequence[Receipt]) -> None:
    """Enter what is expected, all of it or nothing.

    Raises `ReceiptUnusable`, or `ReferenceTaken` where a fund's reference was given before.
    """
    for receipt in announced:
        check(desk, receipt)
        if not _REFERENCE.fullmatch(receipt.reference):
            raise ReceiptUnusable
    async with desk.database.begin() as unit:
        if await enter(unit, person_id, announced) != len(announced):
            raise ReferenceTaken
    log.info("receipt.entered", count=len(announced))


async def enter(unit: Unit, person_id: UUID, announced: Sequence[Receipt]) -> int:
    """Enter what we expect ourselves (a month's close), once each; give how many are new."""
    return len(await receipts.insert(unit, announced, person_id, clock.now()))


async def drop(desk: Desk, receipt_id: UUID) -> None:
    """Expect it no longer; what has come stays. Raises `UnknownReceipt`."""
    async with desk.database.begin() as unit:
        if not await receipts.drop(unit, receipt_id):
            raise UnknownReceipt
    log.info("receipt.dropped", receipt_id=receipt_id)


async def page(
    desk: Desk, fund_id: str | None, after: Place | None, *, open_only: bool
) -> list[ShownReceipt]:
    """Give what is expected, a page at a time; the next goes on after the last one's place."""
    async with desk.database.begin() as unit:
        rows = await receipts.page(
            unit, fund_id, after or (None, None), desk.settings.page_rows, open_only=open_only
        )
    return [
        ShownReceipt(
            Receipt(*row[:8]), row["entered_by"], row["entered_at"], row["match_id"] is not None
        )
        for row in rows
    ]
