"""The lines of the bank's that wait for a person, and bank and book side by side."""

from datetime import date

from fastapi import APIRouter

from services.common.kit.auth import CallerDep, require_role
from services.payments.api.door import MONEY_SEEN, Cursor, place
from services.payments.api.spans import SpanDep
from services.payments.errors import UnknownFund
from services.payments.schemas.statements import LinesOut, ReconciliationOut
from services.payments.usecases import reconciled
from services.payments.usecases.desk import Desk


def statement_routes(router: APIRouter, desk: Desk) -> None:
    page_rows = desk.settings.page_rows

    @router.get("/statement-lines")
    async def lines(
        caller: CallerDep, fund: str | None = None, day: date | None = None, cursor: Cursor = None
    ) -> LinesOut:
        """Give the lines of a day; without a day all that are open."""
        require_role(caller, *MONEY_SEEN)
        shown = await reconciled.bank_lines(desk, fund, day, place(cursor))
        return LinesOut.of(shown, page_rows)

    @router.get("/reconciliation")
    async def reconciliation(caller: CallerDep, fund: str, span: SpanDep) -> ReconciliationOut:
        require_role(caller, *MONEY_SEEN)
        if fund not in desk.funds.by_id:
            raise UnknownFund
        days = await reconciled.reconciled_days(desk, fund, *span)
        return ReconciliationOut.of(fund, days)
