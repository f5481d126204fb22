"""Batches and their approval, the funds they are paid from, and what is in doubt."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.common.kit.auth import Caller, CallerDep, require_role
from services.payments.api.door import CHECKERS, MAKERS, MONEY_SEEN, Cursor, place
from services.payments.model.batches import BatchState
from services.payments.rules.approvals import Part
from services.payments.schemas.batches import (
    ApprovalIn,
    BatchesOut,
    BatchStateOut,
    DoubtsOut,
    ExceptionsOut,
    FundOut,
    FundsOut,
)
from services.payments.usecases import approvals, doubts, reading
from services.payments.usecases.desk import Desk


def batch_routes(router: APIRouter, desk: Desk) -> None:
    page_rows = desk.settings.page_rows

    @router.get("/batches")
    async def batches(caller: CallerDep, cursor: UUID | None = None) -> BatchesOut:
        require_role(caller, *MONEY_SEEN)
        return BatchesOut.of(await reading.batches(desk, cursor), page_rows)

    @router.post("/batches/{batch_id}/approve")
    async def approve(
        batch_id: UUID, caller: CallerDep, asked: ApprovalIn | None = None
    ) -> BatchStateOut:
        part = _part(caller, asked.part if asked else None)
        person_id = require_role(caller, *(MAKERS if part == "maker" else CHECKERS))
        status = await approvals.approve(desk, batch_id, person_id, part)
        return BatchStateOut(batch_id=batch_id, status=status)

    @router.post("/batches/{batch_id}/reject")
    async def reject(batch_id: UUID, caller: CallerDep) -> BatchStateOut:
        person_id = require_role(caller, *MAKERS, *CHECKERS)
        await approvals.refuse(desk, batch_id, person_id)
        return BatchStateOut(batch_id=batch_id, status=BatchState.RECALLED)

    @router.get("/doubts")
    async def in_doubt(caller: CallerDep, cursor: Cursor = None) -> DoubtsOut:
        require_role(caller, *MONEY_SEEN)
        return DoubtsOut.of(await doubts.page(desk, place(cursor)), page_rows)

    @router.put("/doubts/{payout_id}/owner", status_code=204)
    async def own(payout_id: UUID, caller: CallerDep) -> Response:
        person_id = require_role(caller, *MAKERS, *CHECKERS)
        await doubts.own(desk, payout_id, person_id)
        return Response(status_code=204)

    @router.get("/exceptions")
    async def exceptions(caller: CallerDep, *, settled: bool = False) -> ExceptionsOut:
        require_role(caller, *MONEY_SEEN)
        return ExceptionsOut.of(await reading.exceptions(desk, settled=settled))

    @router.get("/funds")
    async def funds(caller: CallerDep) -> FundsOut:
        require_role(caller, *MONEY_SEEN)
        return FundsOut(funds=[FundOut.of(shown) for shown in await reading.funds(desk)])


def _part(caller: Caller, said: Part | None) -> Part:
    """Say as what somebody approves: as they say, or by their role."""
    return said or ("maker" if caller.role == "finance_maker" else "checker")
