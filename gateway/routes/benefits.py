"""What is left of each plan, what a bill would earn, and why a claim earned what it did."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from gateway.auth import MEMBERS, ROLES, GuardedRoute, opened_to, staff
from gateway.parts import DeskDep, PartsDep
from gateway.schemas import benefits as schemas
from gateway.timeline import told_claim
from gateway.upstream import Desk
from gateway.visible import must_see

router = APIRouter(route_class=GuardedRoute)

_BILL = {"requestBody": schemas.bill_body()}
_TEXT, _PDF = "text/plain; charset=utf-8", "application/pdf"
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {}}, "description": "the working in words"}
}
_SLIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {}}, "description": "the working on one page"}
}


@router.get("/me/benefits", tags=["member"])
@opened_to(MEMBERS)
async def get_own_benefits(desk: DeskDep) -> schemas.LeftOut:
    return await desk.get(desk.claims, f"/members/{desk.caller.id}/left", schemas.LeftOut)


@router.post("/me/benefits/expected", tags=["member"], openapi_extra=_BILL)
@opened_to(MEMBERS)
async def try_own_bill(request: Request, desk: DeskDep) -> schemas.ExpectedOut:
    path, body = f"/members/{desk.caller.id}/expected", await request.body()
    return await desk.forward(desk.claims, path, schemas.ExpectedOut, body)


@router.get(
    "/me/claims/{claim_id}/why.txt", tags=["member"], response_class=Response, responses=_PAGE
)
@opened_to(MEMBERS)
async def get_own_page(claim_id: UUID, desk: DeskDep) -> Response:
    path = f"/members/{desk.caller.id}/claims/{claim_id}/why.txt"
    return desk.relayed(desk.claims, path, _TEXT)


@router.get(
    "/me/claims/{claim_id}/slip.pdf", tags=["member"], response_class=Response, responses=_SLIP
)
@opened_to(MEMBERS)
async def get_own_slip(claim_id: UUID, desk: DeskDep) -> Response:
    path = f"/members/{desk.caller.id}/claims/{claim_id}/slip.pdf"
    return desk.relayed(desk.claims, path, _PDF)


@router.get("/staff/members/{member_id}/benefits/left", tags=["staff"])
@opened_to(staff(*ROLES))
async def get_left(member_id: UUID, desk: DeskDep) -> schemas.LeftOut:
    await must_see(desk, member_id)
    return await desk.get(desk.claims, f"/members/{member_id}/left", schemas.LeftOut)


@router.post("/staff/members/{member_id}/benefits/expected", tags=["staff"], openapi_extra=_BILL)
@opened_to(staff(*ROLES))
async def try_bill(member_id: UUID, request: Request, desk: DeskDep) -> schemas.ExpectedOut:
    await must_see(desk, member_id)
    path, body = f"/members/{member_id}/expected", await request.body()
    return await desk.forward(desk.claims, path, schemas.ExpectedOut, body)


@router.get("/staff/claims/{claim_id}", tags=["staff"])
@opened_to(staff(*ROLES))
async def get_claim(claim_id: UUID, parts: PartsDep, desk: DeskDep) -> schemas.StaffClaimOut:
    member_id = await _member_of(desk, claim_id)
    claim = await told_claim(desk, member_id, claim_id, parts.settings.timeline_pages_max)
    return schemas.StaffClaimOut(**claim.model_dump(), member_id=member_id)


@router.get(
    "/staff/claims/{claim_id}/why.txt", tags=["staff"], response_class=Response, responses=_PAGE
)
@opened_to(staff(*ROLES))
async def get_page(claim_id: UUID, desk: DeskDep) -> Response:
    path = f"/members/{await _member_of(desk, claim_id)}/claims/{claim_id}/why.txt"
    return desk.relayed(desk.claims, path, _TEXT)


@router.get(
    "/staff/claims/{claim_id}/slip.pdf", tags=["staff"], response_class=Response, responses=_SLIP
)
@opened_to(staff(*ROLES))
async def get_slip(claim_id: UUID, desk: DeskDep) -> Response:
    path = f"/members/{await _member_of(desk, claim_id)}/claims/{claim_id}/slip.pdf"
    return desk.relayed(desk.claims, path, _PDF)


async def _member_of(desk: Desk, claim_id: UUID) -> UUID:
    """Give whose claim it is, if the caller may see that member."""
    found = await desk.get(desk.claims, f"/claims/{claim_id}/owner", schemas.Owner)
    await must_see(desk, found.member_id)
    return found.member_id
