"""What finance does: looks at batches and approves them, and does by two what one may not."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request

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
    asked = {"fund": fund, "from": first.isoformat(), "to": last.isoformat()}
    return await desk.get(desk.payments, "/reconciliation", schemas.Reconciliation, **asked)
