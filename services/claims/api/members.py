"""What members and staff are shown: claims and why, what is left, what a bill would earn."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.claims.api.door import Door, own
from services.claims.schemas.benefits import BillIn, ExpectedOut, LeftOut
from services.claims.schemas.claims import ClaimOut, ClaimPage, Granted, Owner
from services.claims.texts.page import as_text
from services.claims.texts.slip import slip
from services.claims.usecases import benefits, views
from services.common.kit import clock
from services.common.kit.auth import CallerDep, require_staff_or_service

PAGE_MAX = 100
PDF = "application/pdf"


def member_routes(router: APIRouter, door: Door) -> None:
    database, desk = door.counter.database, door.counter.desk

    @router.get("/members/{member_id}/claims")
    async def claims(
        member_id: UUID,
        caller: CallerDep,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 20,
    ) -> ClaimPage:
        own(caller, member_id)
        page = await views.claims_of(database, desk, member_id, before=cursor, limit=limit)
        return ClaimPage.of(page, limit)

    @router.get("/members/{member_id}/claims/{claim_id}")
    async def claim(member_id: UUID, claim_id: UUID, caller: CallerDep) -> ClaimOut:
        own(caller, member_id)
        found = await views.explain(database, desk, member_id, claim_id)
        return ClaimOut.explained(found.claim, found.told, found.grants)

    @router.get("/members/{member_id}/claims/{claim_id}/why.txt")
    async def why(member_id: UUID, claim_id: UUID, caller: CallerDep) -> Response:
        own(caller, member_id)
        explained = await views.explain(database, desk, member_id, claim_id)
        return Response(as_text(explained.told), media_type="text/plain; charset=utf-8")

    @router.get("/members/{member_id}/claims/{claim_id}/slip.pdf")
    async def pdf(member_id: UUID, claim_id: UUID, caller: CallerDep) -> Response:
        own(caller, member_id)
        explained = await views.explain(database, desk, member_id, claim_id)
        return Response(await slip(explained.told), media_type=PDF)

    @router.get("/members/{member_id}/granted")
    async def granted(
        member_id: UUID, caller: CallerDep, scheme: str | None = None, year: int | None = None
    ) -> Granted:
        own(caller, member_id)
        return Granted.of(await views.granted(database, member_id, scheme, year))


def benefit_routes(router: APIRouter, door: Door) -> None:
    database, desk = door.counter.database, door.counter.desk

    @router.get("/members/{member_id}/left")
    async def left(member_id: UUID, caller: CallerDep) -> LeftOut:
        own(caller, member_id)
        today = clock.today()
        found = await benefits.left_of(database, desk, member_id, today)
        return LeftOut.of(today, found, desk.rulebook)

    @router.post("/members/{member_id}/expected")
    async def expected(member_id: UUID, bill: BillIn, caller: CallerDep) -> ExpectedOut:
        own(caller, member_id)
        found = await benefits.expected(database, desk, member_id, bill.facts())
        return ExpectedOut.of(found, desk.rulebook)


def staff_routes(router: APIRouter, door: Door) -> None:
    database = door.counter.database

    @router.get("/claims/{claim_id}/owner")
    async def owner(claim_id: UUID, caller: CallerDep) -> Owner:
        require_staff_or_service(caller)
        return Owner(member_id=await views.owner(database, claim_id))

    @router.get("/books")
    async def books(caller: CallerDep) -> dict[str, int]:
        require_staff_or_service(caller)
        return await views.books(database)
