"""What union staff may ask: units, rosters, feeds, refused payouts, cards, the books."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from gateway import logins
from gateway.auth import ANYONE, ROLES, GuardedRoute, opened_to, staff
from gateway.parts import DeskDep, PartsDep
from gateway.schemas import staff as schemas
from gateway.schemas.words import Cursor, Segment
from gateway.upstream import read
from gateway.visible import must_see
from services.common.kit import problems
from services.common.kit.auth import WHOLE_UNION

router = APIRouter(prefix="/staff", tags=["staff"], route_class=GuardedRoute)

_Scheme = Annotated[Segment | None, Query()]
_Year = Annotated[int | None, Query(ge=2000, le=2100)]
_Unit = Annotated[Segment | None, Query()]
_Cursor = Annotated[Cursor | None, Query()]

_FEEDS_SEEN = staff("admin", "auditor")
_MONEY_SEEN = staff("admin", "finance_maker", "finance_checker", "auditor")


@router.post("/login")
@opened_to(ANYONE)
async def login(asked: schemas.StaffLoginIn, parts: PartsDep) -> schemas.StaffLoginOut:
    token = await logins.sign_in_staff(parts, asked.username, asked.password, asked.totp)
    return schemas.StaffLoginOut(access_token=token, expires_in=parts.settings.staff_session_s)


@router.put("/units/{code}", responses={201: {"model": schemas.UnitOut}})
@opened_to(staff("admin", "filing_officer"))
async def put_unit(
    code: Segment, asked: schemas.UnitIn, response: Response, desk: DeskDep
) -> schemas.UnitOut:
    told = asked.model_dump(exclude_unset=True)
    got = await desk.enrollment.request("PUT", f"/units/{code}", caller=desk.caller, json=told)
    response.status_code = got.status
    return read(got, schemas.UnitOut)


@router.post(
    "/rosters", status_code=202, openapi_extra={"requestBody": schemas.file_form("unit", "from")}
)
@opened_to(staff("filing_officer"))
async def post_roster(request: Request, parts: PartsDep, desk: DeskDep) -> schemas.RosterAccepted:
    problems.allow_body(request, parts.settings.roster_bytes_max)
    return await desk.pass_on(request, desk.enrollment, "/rosters", schemas.RosterAccepted)


@router.get("/rosters/{roster_id}")
@opened_to(staff("admin", "filing_officer", "auditor"))
async def get_roster(roster_id: UUID, desk: DeskDep) -> schemas.RosterOut:
    return await desk.get(desk.enrollment, f"/rosters/{roster_id}", schemas.RosterOut)


@router.post("/feeds", status_code=202, openapi_extra={"requestBody": schemas.file_form()})
@opened_to(staff("admin"))
async def post_feed(request: Request, parts: PartsDep, desk: DeskDep) -> schemas.FeedAccepted:
    problems.allow_body(request, parts.settings.feed_bytes_max)
    return await desk.pass_on(request, desk.claims, "/feeds", schemas.FeedAccepted)


@router.get("/feeds/{feed_id}")
@opened_to(_FEEDS_SEEN)
async def get_feed(feed_id: UUID, desk: DeskDep) -> schemas.FeedOut:
    return await desk.get(desk.claims, f"/feeds/{feed_id}", schemas.FeedOut)


@router.get(
    "/feeds/{feed_id}/refusals.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "line,setl_id,code"}},
)
@opened_to(_FEEDS_SEEN)
async def get_refusals(feed_id: UUID, desk: DeskDep) -> Response:
    return desk.relayed(desk.claims, f"/feeds/{feed_id}/refusals.csv", "text/csv; charset=utf-8")


@router.get("/refused-payouts")
@opened_to(staff("admin", "filing_officer", "finance_maker", "finance_checker", "auditor"))
async def get_refused_payouts(
    desk: DeskDep, unit: _Unit = None, cursor: _Cursor = None
) -> schemas.RefusedPayouts:
    # Whoever has a unit of their own is shown that one, whatever they ask for.
    seen = unit if desk.caller.unit == WHOLE_UNION else desk.caller.unit
    payments, answer = desk.payments, schemas.RefusedPayouts
    return await desk.get(payments, "/refused-payouts", answer, unit=seen, cursor=cursor)


@router.put("/members/{member_id}/payee")
@opened_to(staff("filing_officer"))
async def put_payee(member_id: UUID, asked: schemas.PayeeIn, desk: DeskDep) -> schemas.PayeeOut:
    path, told = f"/members/{member_id}/payee", asked.model_dump(exclude_none=True)
    return await desk.send(desk.enrollment, "PUT", path, schemas.PayeeOut, told)


@router.post("/members/search")
@opened_to(staff(*ROLES))
async def search_member(asked: schemas.MemberSearchIn, desk: DeskDep) -> schemas.MemberFound:
    path, told = "/members/search", asked.model_dump()
    return await desk.send(desk.enrollment, "POST", path, schemas.MemberFound, told)


@router.get("/members/{member_id}/benefits")
@opened_to(staff(*ROLES))
async def get_benefits(
    member_id: UUID, desk: DeskDep, scheme: _Scheme = None, year: _Year = None
) -> schemas.BenefitsOut:
    await must_see(desk, member_id)
    path, asked = f"/members/{member_id}", {"scheme": scheme, "year": year}
    granted, paid = await asyncio.gather(
        desk.get(desk.claims, f"{path}/granted", schemas.Granted, **asked),
        desk.get(desk.payments, f"{path}/benefits", schemas.Paid, **asked),
    )
    return schemas.BenefitsOut(granted=granted.granted, paid=paid.paid, to_recover=paid.to_recover)


@router.get("/reports/books")
@opened_to(_MONEY_SEEN)
async def get_books(desk: DeskDep) -> schemas.BooksOut:
    services = (desk.enrollment, desk.claims, desk.payments, desk.notify)
    asked = (desk.report(service, "/books", schemas.Books) for service in services)
    enrollment, claims, payments, notify = await asyncio.gather(*asked)
    return schemas.BooksOut(enrollment=enrollment, claims=claims, payments=payments, notify=notify)
