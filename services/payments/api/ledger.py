"""The books by spans, days and months, and the papers about payouts."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from services.common.kit.auth import CallerDep, require_member, require_role
from services.payments.api.door import MONEY_SEEN, unit_in_reach
from services.payments.api.spans import SpanDep
from services.payments.errors import UnknownFund, UnknownMember
from services.payments.model.months import Month
from services.payments.schemas.ledger import (
    FundStatementOut,
    LedgerDayOut,
    LedgerDaysOut,
    TrialBalanceOut,
)
from services.payments.usecases import ledger, papers, reports
from services.payments.usecases.desk import Desk

PDF: Final = "application/pdf"
MonthName = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


def ledger_routes(router: APIRouter, desk: Desk) -> None:
    @router.get("/reports/trial-balance")
    async def trial_balance(
        caller: CallerDep, span: SpanDep, fund: str | None = None
    ) -> TrialBalanceOut:
        require_role(caller, *MONEY_SEEN)
        rows = await reports.trial_balance(desk, *span)
        return TrialBalanceOut.of([row for row in rows if fund in (None, row.fund_id)])

    @router.get("/reports/funds/{fund_id}")
    async def fund_statement(fund_id: str, caller: CallerDep, span: SpanDep) -> FundStatementOut:
        require_role(caller, *MONEY_SEEN)
        for said in await reports.fund_statements(desk, *span):
            if said.fund_id == fund_id:
                return FundStatementOut.of(said)
        raise UnknownFund

    @router.get("/reports/months/{month}.txt")
    async def month_page(month: MonthName, caller: CallerDep) -> PlainTextResponse:
        require_role(caller, *MONEY_SEEN)
        return PlainTextResponse(await reports.month_page(desk, Month.parse(month)))

    @router.get("/reports/months/{month}.pdf")
    async def month_sheet(month: MonthName, caller: CallerDep) -> Response:
        require_role(caller, *MONEY_SEEN)
        return Response(await reports.month_sheet(desk, Month.parse(month)), media_type=PDF)

    @router.get("/ledger/days")
    async def days(caller: CallerDep, span: SpanDep) -> LedgerDaysOut:
        require_role(caller, *MONEY_SEEN)
        closed = await ledger.closed_days(desk, *span)
        return LedgerDaysOut(days=[LedgerDayOut.of(day) for day in closed])


def paper_routes(router: APIRouter, desk: Desk) -> None:
    @router.get("/units/{code}/payouts.csv")
    async def unit_payouts(code: str, caller: CallerDep, span: SpanDep) -> StreamingResponse:
        """Write a unit's payouts: for its own officers, and for whoever sees the whole union."""
        unit_in_reach(caller, code)
        written = papers.unit_payouts(desk, code, *span)
        return StreamingResponse(written, media_type="text/csv; charset=utf-8")

    @router.get("/members/{member_id}/payouts/{payout_id}/slip.pdf")
    async def slip(member_id: UUID, payout_id: UUID, caller: CallerDep) -> Response:
        if require_member(caller) != member_id:
            raise UnknownMember
        return Response(await papers.payout_receipt(desk, member_id, payout_id), media_type=PDF)
