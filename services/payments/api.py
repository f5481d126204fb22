"""The HTTP edge of payments: parse, authorise, call, present."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.common.kit.auth import (
    WHOLE_UNION,
    Caller,
    CallerDep,
    NotAllowed,
    require_role,
    require_staff_or_service,
)
from services.payments.errors import UnknownMember
from services.payments.model.shown import Place
from services.payments.schemas import BatchesOut, BenefitsOut, BooksOut, PayoutsOut, RefusalsOut
from services.payments.usecases import reading
from services.payments.usecases.desk import Desk

Cursor = Annotated[str | None, Query(max_length=64)]


def routes(desk: Desk) -> APIRouter:
    """Give the routes of payments."""
    router = APIRouter()
    _member_routes(router, desk)
    _staff_routes(router, desk)
    return router


def _member_routes(router: APIRouter, desk: Desk) -> None:
    page_rows = desk.settings.page_rows

    @router.get("/payouts")
    async def payouts(
        member_id: UUID, caller: CallerDep, claim_id: UUID | None = None, cursor: Cursor = None
    ) -> PayoutsOut:
        await _may_see(desk, caller, member_id)
        shown = await reading.member_payouts(desk, member_id, claim_id, _place(cursor))
        return PayoutsOut.of(shown, page_rows)

    @router.get("/members/{member_id}/benefits")
    async def benefits(
        member_id: UUID, caller: CallerDep, scheme: str | None = None, year: int | None = None
    ) -> BenefitsOut:
        await _may_see(desk, caller, member_id)
        return BenefitsOut.of(await reading.benefits(desk, member_id, scheme, year))


def _staff_routes(router: APIRouter, desk: Desk) -> None:
    page_rows = desk.settings.page_rows

    @router.get("/refused-payouts")
    async def refused(
        caller: CallerDep, unit: str | None = None, cursor: Cursor = None
    ) -> RefusalsOut:
        unit_code = _unit_in_reach(caller, unit)
        shown = await reading.refused_payouts(desk, unit_code, _place(cursor))
        return RefusalsOut.of(shown, page_rows)

    @router.get("/batches")
    async def batches(caller: CallerDep, cursor: UUID | None = None) -> BatchesOut:
        require_role(caller, "admin", "finance_maker", "finance_checker", "auditor")
        return BatchesOut.of(await reading.batches(desk, cursor), page_rows)

    @router.get("/books")
    async def books(caller: CallerDep) -> BooksOut:
        require_staff_or_service(caller)
        return BooksOut.model_validate(await reading.books(desk))


async def _may_see(desk: Desk, caller: Caller, member_id: UUID) -> None:
    """Let members see themselves, staff the members of their unit, our own services everybody."""
    match caller.kind:
        case "member":
            if caller.uuid != member_id:
                raise UnknownMember
        case "staff":
            if caller.unit != WHOLE_UNION:
                await reading.check_unit(desk, member_id, caller.unit)
        case "service":
            return
        case "hospital":
            raise NotAllowed


def _unit_in_reach(caller: Caller, unit: str | None) -> str | None:
    """Give the unit whose payouts are shown: an officer sees no other than their own."""
    if caller.kind != "staff":
        raise NotAllowed
    if caller.unit == WHOLE_UNION:
        return unit
    if unit not in (None, caller.unit):
        raise NotAllowed
    return caller.unit


def _place(cursor: str | None) -> Place | None:
    return None if cursor is None else Place.parse(cursor)
