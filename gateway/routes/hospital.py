"""What partner hospitals may ask: settlements in, checked, looked at, cancelled.

A body goes on byte for byte as it was signed: what this side does not read it cannot misread, and
no amount passes through a float.
"""

from fastapi import APIRouter, Request

from gateway.auth import HOSPITALS, GuardedRoute, opened_to
from gateway.once import KeyHeader, post_once
from gateway.parts import DeskDep, PartsDep
from gateway.schemas import hospital as schemas
from gateway.schemas.words import Segment

router = APIRouter(prefix="/hospital", tags=["hospital"], route_class=GuardedRoute)
_BODY = {"requestBody": schemas.settlements_body()}


@router.post("/settlements", openapi_extra=_BODY, response_model_exclude_none=True)
@opened_to(HOSPITALS)
async def post_settlements(
    request: Request, parts: PartsDep, desk: DeskDep, key: KeyHeader = None
) -> schemas.SettlementResults:
    path, body = "/settlements", await request.body()
    return await post_once(
        parts, desk, desk.claims, path, schemas.SettlementResults, body=body, key=key
    )


@router.post("/settlements:check", openapi_extra=_BODY, response_model_exclude_none=True)
@opened_to(HOSPITALS)
async def check_settlements(request: Request, desk: DeskDep) -> schemas.SettlementResults:
    path, body = "/settlements/check", await request.body()
    return await desk.forward(desk.claims, path, schemas.SettlementResults, body)


@router.get("/settlements/{setl_id}", response_model_exclude_none=True)
@opened_to(HOSPITALS)
async def get_settlement(setl_id: Segment, desk: DeskDep) -> schemas.SettlementResult:
    return await desk.get(desk.claims, f"/settlements/{setl_id}", schemas.SettlementResult)


@router.post("/settlements/{setl_id}/cancel", response_model_exclude_none=True)
@opened_to(HOSPITALS)
async def cancel_settlement(
    setl_id: Segment,
    request: Request,
    parts: PartsDep,
    desk: DeskDep,
    key: KeyHeader = None,
) -> schemas.SettlementResult:
    path, body = f"/settlements/{setl_id}/cancel", await request.body()
    return await post_once(
        parts, desk, desk.claims, path, schemas.SettlementResult, body=body, key=key
    )
