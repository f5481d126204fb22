"""Payouts and what is owed: for members themselves, and for whoever looks after them."""

from uuid import UUID

from fastapi import APIRouter

from services.common.kit.auth import (
    WHOLE_UNION,
    Caller,
    CallerDep,
    NotAllowed,
    require_staff_or_service,
)
from services.payments.api.door import Cursor, place, unit_in_reach
from services.payments.errors import UnknownMember
from services.payments.schemas.books import BooksOut
from services.payments.schemas.payouts import BenefitsOut, PayoutsOut, RefusalsOut
from services.payments.usecases import reading
from services.payments.usecases.desk import Desk


def payout_routes(router: APIRouter, desk: Desk) -> None:
    page_rows = desk.settings.page_rows

    @router.get("/payouts")
    async def payouts(
        member_id: UUID, caller: CallerDep, claim_id: UUID | None = None, cursor: Cursor = None
    ) -> PayoutsOut:
        await _may_see(desk, caller, member_id)
        shown = await reading.member_payouts(desk, member_id, claim_id, place(cursor))
        return PayoutsOut.of(shown, page_rows)

    @router.get("/members/{member_id}/benefits")
    async def benefits(
        member_id: UUID, caller: CallerDep, scheme: str | None = None, year: int | None = None
    ) -> BenefitsOut:
        await _may_see(desk, caller, member_id)
        return BenefitsOut.of(await reading.benefits(desk, member_id, scheme, year))

    @router.get("/refused-payouts")
    async def refused(
        caller: CallerDep, unit: str | None = None, cursor: Cursor = None
    ) -> RefusalsOut:
        unit_code = unit_in_reach(caller, unit)
        shown = await reading.refused_payouts(desk, unit_code, place(cursor))
        return RefusalsOut.of(shown, page_rows)

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
