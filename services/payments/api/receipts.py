"""What is expected on the accounts: entered, looked at, and dropped again."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.common.kit.auth import CallerDep, require_role
from services.common.money import parse_yuan
from services.payments.api.door import MAKERS, MONEY_SEEN, Cursor, place
from services.payments.model.statements import Receipt
from services.payments.schemas.statements import (
    ReceiptIn,
    ReceiptsEntered,
    ReceiptsIn,
    ReceiptsOut,
)
from services.payments.usecases import receipts
from services.payments.usecases.desk import Desk


def receipt_routes(router: APIRouter, desk: Desk) -> None:
    page_rows = desk.settings.page_rows

    @router.post("/receipts", status_code=201)
    async def expect(asked: ReceiptsIn, caller: CallerDep) -> ReceiptsEntered:
        person_id = require_role(caller, *MAKERS)
        announced = [_receipt(one) for one in asked.receipts]
        await receipts.expect(desk, person_id, announced)
        return ReceiptsEntered(receipt_ids=[receipt.receipt_id for receipt in announced])

    @router.get("/receipts")
    async def listed(
        caller: CallerDep, fund: str | None = None, *, waiting: bool = False, cursor: Cursor = None
    ) -> ReceiptsOut:
        require_role(caller, *MONEY_SEEN)
        shown = await receipts.page(desk, fund, place(cursor), open_only=waiting)
        return ReceiptsOut.of(shown, page_rows)

    @router.delete("/receipts/{receipt_id}", status_code=204)
    async def drop(receipt_id: UUID, caller: CallerDep) -> Response:
        require_role(caller, *MAKERS)
        await receipts.drop(desk, receipt_id)
        return Response(status_code=204)


def _receipt(told: ReceiptIn) -> Receipt:
    return receipts.expected(
        told.fund_id,
        told.kind,
        parse_yuan(told.amount),
        told.reference,
        scheme_id=told.scheme_id,
        unit_code=told.unit_code,
    )
