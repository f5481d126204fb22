"""The HTTP edge of enrollment: parse, authorise, call, present."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.common.ids import new_id
from services.common.kit.auth import (
    Caller,
    CallerDep,
    require_role,
    require_service,
    require_staff_or_service,
)
from services.common.kit.sealed_file import SealedFileWriter
from services.common.kit.uploads import receive
from services.enrollment.errors import UnknownUnit
from services.enrollment.model import Roster
from services.enrollment.schemas import (
    UNIT_CODE,
    Books,
    CoveragesOut,
    MemberFound,
    MemberOut,
    MemberSearch,
    MembersFound,
    PayeeIn,
    PayeeOut,
    PhoneSearch,
    ProofIn,
    RosterForm,
    RosterOut,
    RosterReceived,
    UnitIn,
    UnitOut,
)
from services.enrollment.settings import Settings
from services.enrollment.usecases import members, rosters, units
from services.enrollment.usecases.desk import Desk

UnitCode = Annotated[str, Path(pattern=UNIT_CODE)]


def routes(settings: Settings, desk: Desk) -> APIRouter:
    router = APIRouter()
    _unit_routes(router, desk)
    _roster_routes(router, settings, desk)
    _member_routes(router, desk)

    @router.get("/books")
    async def books(caller: CallerDep) -> Books:
        require_staff_or_service(caller)
        return Books.model_validate(await members.count_books(desk))

    return router


def _unit_routes(router: APIRouter, desk: Desk) -> None:
    @router.put("/units/{code}", responses={201: {"model": UnitOut}})
    async def put(code: UnitCode, stated: UnitIn, caller: CallerDep, answer: Response) -> UnitOut:
        require_role(caller, "admin", "filing_officer")
        _require_unit(caller, code)
        [union], made = await units.put_units(desk, [stated.entry(code)])
        answer.status_code = 201 if code in made else 200
        return UnitOut.of(union)

    @router.get("/units/{code}")
    async def show(code: UnitCode, caller: CallerDep) -> UnitOut:
        require_staff_or_service(caller)
        _require_unit(caller, code)
        return UnitOut.of(await units.the_unit(desk, code))


def _roster_routes(router: APIRouter, settings: Settings, desk: Desk) -> None:
    @router.post("/rosters", status_code=202)
    async def upload(request: Request, caller: CallerDep) -> RosterReceived:
        require_role(caller, "filing_officer")
        roster_id = new_id()
        path, label = rosters.sealed_file(desk, roster_id)
        writer = SealedFileWriter(path, desk.vault.sealer, recipient="enrollment", label=label)
        async with writer as file:
            received = await receive(request, file.write, settings.roster_bounds)
            form = RosterForm.read(received.fields)
            _require_unit(caller, form.unit)
            await units.the_unit(desk, form.unit)
            await file.finish()
        await rosters.accept_rosters(desk, [Roster(roster_id, form.unit, form.starts_on)])
        return RosterReceived(roster_id=roster_id)

    @router.get("/rosters/{roster_id}", response_model_exclude_none=True)
    async def progress(roster_id: UUID, caller: CallerDep) -> RosterOut:
        require_staff_or_service(caller)
        shown_max = settings.roster_errors_shown_max
        return RosterOut.of(*await rosters.show_roster(desk, roster_id, caller, shown_max))


def _member_routes(router: APIRouter, desk: Desk) -> None:
    @router.post("/members/search")
    async def search(asked: MemberSearch, caller: CallerDep) -> MemberFound:
        require_staff_or_service(caller)
        return MemberFound(member_id=await members.find_member(desk, asked.normal(), caller))

    @router.post("/members/by-phone")
    async def by_phone(asked: PhoneSearch, caller: CallerDep) -> MembersFound:
        require_service(caller, "gateway")
        found = await members.find_members_by_phone(desk, [asked.normal()])
        return MembersFound(member_ids=found)

    @router.get("/members/{member_id}")
    async def show(member_id: UUID, caller: CallerDep) -> MemberOut:
        return MemberOut.of(*await members.show_member(desk, member_id, caller))

    @router.post("/members/{member_id}/proof")
    async def prove(member_id: UUID, asked: ProofIn, caller: CallerDep) -> MemberOut:
        require_service(caller, "gateway")
        proved = await members.prove_member(desk, member_id, asked.normal(), caller)
        return MemberOut.of(*proved)

    @router.get("/members/{member_id}/coverages")
    async def coverages(member_id: UUID, caller: CallerDep) -> CoveragesOut:
        member, _ = await members.show_member(desk, member_id, caller)
        return CoveragesOut.of(member)

    @router.put("/members/{member_id}/payee")
    async def correct(member_id: UUID, asked: PayeeIn, caller: CallerDep) -> PayeeOut:
        if caller.kind != "member":
            require_role(caller, "filing_officer")
        [member] = await members.correct_payees(desk, [asked.correction(member_id)], caller)
        return PayeeOut.of(member)


def _require_unit(caller: Caller, code: str) -> None:
    """Show an officer no other unit than their own."""
    if not caller.sees_unit(code):
        raise UnknownUnit
