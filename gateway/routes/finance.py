"""What finance does: looks at batches and approves them, and does by two what one may not."""

from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from gateway.auth import GuardedRoute, opened_to, staff
from gateway.once import KeyHeader, post_once
from gateway.parts import DeskDep, PartsDep
from gateway.schemas import finance as schemas
from gateway.schemas.schemes import body_of
from gateway.schemas.words import Cursor, Nothing, Segment

router = APIRouter(prefix="/staff", tags=["finance"], route_class=GuardedRoute)

_Cursor = Annotated[Cursor | None, Query()]
_Fund = Annotated[Segment | None, Query()]
_First = Annotated[date, Query(alias="from")]
_Last = Annotated[date, Query(alias="to")]
_Month = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
_TEXT, _CSV, _PDF = "text/plain; charset=utf-8", "text/csv; charset=utf-8", "application/pdf"
_SEEN = staff("admin", "finance_maker", "finance_checker", "auditor")
_MAKERS = staff("admin", "finance_maker")
_CHECKERS = staff("admin", "finance_checker")
_BOTH = staff("admin", "finance_maker", "finance_checker")


@router.get("/payout-batches")
@opened_to(_SEEN)
async def get_batches(desk: DeskDep, cursor: _Cursor = None) -> schemas.PayoutBatches:
    return await desk.get(desk.payments, "/batches", schemas.PayoutBatches, cursor=cursor)


@router.post("/payout-batches/{batch_id}/approve")
@opened_to(_BOTH)
async def approve_batch(
    batch_id: UUID, desk: DeskDep, asked: schemas.ApprovalIn | None = None
) -> schemas.BatchState:
    path = f"/batches/{batch_id}/approve"
    told = asked.model_dump() if asked else {}
    return await desk.send(desk.payments, "POST", path, schemas.BatchState, told)


@router.post("/payout-batches/{batch_id}/reject")
@opened_to(_BOTH)
async def reject_batch(batch_id: UUID, desk: DeskDep) -> schemas.BatchState:
    path = f"/batches/{batch_id}/reject"
    return await desk.send(desk.payments, "POST", path, schemas.BatchState, {})


@router.get("/unknown-payouts")
@opened_to(_SEEN)
async def get_doubts(desk: DeskDep, cursor: _Cursor = None) -> schemas.Doubts:
    return await desk.get(desk.payments, "/doubts", schemas.Doubts, cursor=cursor)


@router.put("/unknown-payouts/{payout_id}/owner", status_code=204)
@opened_to(_BOTH)
async def own_doubt(payout_id: UUID, desk: DeskDep) -> None:
    await desk.send(desk.payments, "PUT", f"/doubts/{payout_id}/owner", Nothing, {})


@router.get("/bank-exceptions")
@opened_to(_SEEN)
async def get_exceptions(desk: DeskDep, *, settled: bool = False) -> schemas.BankExceptions:
    told = "true" if settled else "false"
    return await desk.get(desk.payments, "/exceptions", schemas.BankExceptions, settled=told)


@router.get("/funds")
@opened_to(_SEEN)
async def get_funds(desk: DeskDep) -> schemas.Funds:
    return await desk.get(desk.payments, "/funds", schemas.Funds)


@router.post("/acts", status_code=201, openapi_extra=body_of(schemas.ActIn))
@opened_to(_MAKERS)
async def propose_act(
    request: Request, parts: PartsDep, desk: DeskDep, key: KeyHeader = None
) -> schemas.ActProposed:
    body = await request.body()
    return await post_once(
        parts, desk, desk.payments, "/acts", schemas.ActProposed, body=body, key=key
    )


@router.get("/acts")
@opened_to(_SEEN)
async def get_acts(
    desk: DeskDep,
    status: Literal["proposed", "confirmed", "refused"] | None = None,
    cursor: _Cursor = None,
) -> schemas.Acts:
    return await desk.get(desk.payments, "/acts", schemas.Acts, status=status, cursor=cursor)


@router.post("/acts/{act_id}/confirm", status_code=204)
@opened_to(_CHECKERS)
async def confirm_act(act_id: UUID, desk: DeskDep) -> None:
    await desk.send(desk.payments, "POST", f"/acts/{act_id}/confirm", Nothing, {})


@router.post("/acts/{act_id}/refuse", status_code=204)
@opened_to(_BOTH)
async def refuse_act(act_id: UUID, desk: DeskDep) -> None:
    await desk.send(desk.payments, "POST", f"/acts/{act_id}/refuse", Nothing, {})


@router.post("/receipts", status_code=201)
@opened_to(_MAKERS)
async def expect_receipts(asked: schemas.ReceiptsIn, desk: DeskDep) -> schemas.ReceiptsEntered:
    told = asked.model_dump()
    return await desk.send(desk.payments, "POST", "/receipts", schemas.ReceiptsEntered, told)


@router.get("/receipts")
@opened_to(_SEEN)
async def get_receipts(
    desk: DeskDep, fund: _Fund = None, cursor: _Cursor = None, *, waiting: bool = False
) -> schemas.Receipts:
    told = "true" if waiting else "false"
    answer = schemas.Receipts
    return await desk.get(
        desk.payments, "/receipts", answer, fund=fund, cursor=cursor, waiting=told
    )


@router.delete("/receipts/{receipt_id}", status_code=204)
@opened_to(_MAKERS)
async def drop_receipt(receipt_id: UUID, desk: DeskDep) -> None:
    await desk.send(desk.payments, "DELETE", f"/receipts/{receipt_id}", Nothing, None)


@router.get("/statement-lines")
@opened_to(_SEEN)
async def get_statement_lines(
    desk: DeskDep, fund: _Fund = None, day: date | None = None, cursor: _Cursor = None
) -> schemas.StatementLines:
    """Give the lines of a day; without a day all that wait for a counterpart or for a person."""
    asked = {"fund": fund, "day": day.isoformat() if day else None, "cursor": cursor}
    return await desk.get(desk.payments, "/statement-lines", schemas.StatementLines, **asked)


@router.get("/reconciliation")
@opened_to(_SEEN)
async def get_reconciliation(
    fund: Segment, first: _First, last: _Last, desk: DeskDep
) -> schemas.Reconciliation:
    asked = _span(first, last, fund=fund)
    return await desk.report(desk.payments, "/reconciliation", schemas.Reconciliation, **asked)


@router.get("/reports/trial-balance")
@opened_to(_SEEN)
async def get_trial_balance(
    first: _First, last: _Last, desk: DeskDep, fund: _Fund = None
) -> schemas.TrialBalance:
    asked = _span(first, last, fund=fund)
    path, answer = "/reports/trial-balance", schemas.TrialBalance
    return await desk.report(desk.payments, path, answer, **asked)


@router.get("/reports/funds/{fund_id}")
@opened_to(_SEEN)
async def get_fund_statement(
    fund_id: Segment, first: _First, last: _Last, desk: DeskDep
) -> schemas.FundStatement:
    path, answer = f"/reports/funds/{fund_id}", schemas.FundStatement
    return await desk.report(desk.payments, path, answer, **_span(first, last))


@router.get(
    "/reports/months/{month}.txt",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "the month's page"}},
)
@opened_to(_SEEN)
async def get_month_page(month: _Month, desk: DeskDep) -> Response:
    return desk.relayed(desk.payments, f"/reports/months/{month}.txt", _TEXT)


@router.get(
    "/reports/months/{month}.pdf",
    response_class=Response,
    responses={200: {"content": {_PDF: {}}, "description": "the month's page"}},
)
@opened_to(_SEEN)
async def get_month_sheet(month: _Month, desk: DeskDep) -> Response:
    return desk.relayed(desk.payments, f"/reports/months/{month}.pdf", _PDF)


@router.get("/ledger/days")
@opened_to(_SEEN)
async def get_ledger_days(first: _First, last: _Last, desk: DeskDep) -> schemas.LedgerDays:
    asked = _span(first, last)
    return await desk.get(desk.payments, "/ledger/days", schemas.LedgerDays, **asked)


@router.get(
    "/units/{code}/payouts.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "a unit's payouts, masked"}},
)
@opened_to(staff("admin", "filing_officer", "finance_maker", "finance_checker", "auditor"))
async def get_unit_payouts(code: Segment, first: _First, last: _Last, desk: DeskDep) -> Response:
    asked = urlencode(_span(first, last))
    return desk.relayed(desk.payments, f"/units/{code}/payouts.csv?{asked}", _CSV)


def _span(first: date, last: date, **more: str | None) -> dict[str, str]:
    told = {"from": first.isoformat(), "to": last.isoformat(), **more}
    return {name: value for name, value in told.items() if value is not None}
