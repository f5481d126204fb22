"""The HTTP edge of claims: parse, authorise, call, present."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.claims import feedfile
from services.claims.errors import UnknownClaim
from services.claims.model import Refusal, RefusalCode, Settlement
from services.claims.rows import texts_of
from services.claims.schemas import (
    ClaimOut,
    ClaimPage,
    FeedOut,
    FeedReceived,
    Granted,
    Posted,
    Result,
    Results,
    SettlementOut,
)
from services.claims.settings import Settings
from services.claims.usecases import feeds, posts, views
from services.claims.usecases.desk import Incoming, Reader
from services.claims.usecases.posts import Counter
from services.common.ids import new_id
from services.common.kit.auth import (
    Caller,
    CallerDep,
    NotAllowed,
    require_hospital,
    require_role,
    require_staff_or_service,
)
from services.common.kit.sealed_file import SealedFileWriter
from services.common.kit.uploads import UploadBounds, receive

PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes work with."""

    settings: Settings
    counter: Counter


def routes(door: Door) -> APIRouter:
    """Give the routes of claims."""
    router = APIRouter()
    _hospital_routes(router, door)
    _feed_routes(router, door)
    _member_routes(router, door)
    return router


def _hospital_routes(router: APIRouter, door: Door) -> None:
    counter = door.counter

    def incoming(posted: Posted, caller: Caller) -> list[Incoming]:
        code = require_hospital(caller)
        return [_own_row(texts_of(row), counter.read, code) for row in posted.settlements]

    @router.post("/settlements")
    async def post(posted: Posted, caller: CallerDep) -> Results:
        outcomes = await posts.post(counter, incoming(posted, caller))
        return Results(results=[Result.of(outcome) for outcome in outcomes])

    @router.post("/settlements/check")
    async def check(posted: Posted, caller: CallerDep) -> Results:
        outcomes = await posts.check(counter, incoming(posted, caller))
        return Results(
            results=[Result.of(o).model_copy(update={"claim_id": None}) for o in outcomes]
        )

    @router.get("/settlements/{setl_id}")
    async def find(setl_id: str, caller: CallerDep) -> SettlementOut:
        return SettlementOut.of(await posts.find(counter, require_hospital(caller), setl_id))

    @router.post("/settlements/{setl_id}/cancel")
    async def cancel(setl_id: str, caller: CallerDep) -> Result:
        return Result.of(await posts.cancel(counter, require_hospital(caller), setl_id))


def _feed_routes(router: APIRouter, door: Door) -> None:
    database, desk, settings = door.counter.database, door.counter.desk, door.settings

    @router.post("/feeds", status_code=202)
    async def upload(request: Request, caller: CallerDep) -> FeedReceived:
        require_role(caller, "admin", "reviewer")
        feed_id = new_id()
        path = feedfile.path_of(settings.var_dir, feed_id)
        writer = SealedFileWriter(
            path, desk.sealer, recipient="claims", label=feedfile.label_of(feed_id)
        )
        async with writer as file:
            await receive(request, file.write, UploadBounds(file_bytes_max=settings.feed_bytes_max))
            await file.finish()
        await feeds.receive(database, feed_id)
        return FeedReceived(feed_id=feed_id)

    @router.get("/feeds/{feed_id}")
    async def progress(feed_id: UUID, caller: CallerDep) -> FeedOut:
        require_role(caller, "admin", "reviewer", "auditor")
        return FeedOut.of(await feeds.progress(database, feed_id))

    @router.get("/feeds/{feed_id}/refusals.csv")
    async def refusals(feed_id: UUID, caller: CallerDep) -> Response:
        require_role(caller, "admin", "reviewer", "auditor")
        refused = await feeds.refusals(database, feed_id, settings.refusals_shown_max)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("line", "setl_id", "code"))
        writer.writerows(refused)
        return Response(text.getvalue(), media_type="text/csv; charset=utf-8")


def _member_routes(router: APIRouter, door: Door) -> None:
    database, desk = door.counter.database, door.counter.desk

    @router.get("/members/{member_id}/claims")
    async def claims(
        member_id: UUID,
        caller: CallerDep,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 20,
    ) -> ClaimPage:
        _own(caller, member_id)
        page = await views.claims_of(database, desk, member_id, before=cursor, limit=limit)
        return ClaimPage.of(page, limit)

    @router.get("/members/{member_id}/claims/{claim_id}")
    async def claim(member_id: UUID, claim_id: UUID, caller: CallerDep) -> ClaimOut:
        _own(caller, member_id)
        found = await views.explain(database, desk, member_id, claim_id)
        return ClaimOut.explained(found.claim, found.hospital, found.why, found.grants)

    @router.get("/members/{member_id}/granted")
    async def granted(
        member_id: UUID, caller: CallerDep, scheme: str | None = None, year: int | None = None
    ) -> Granted:
        _own(caller, member_id)
        return Granted.of(await views.granted(database, member_id, scheme, year))

    @router.get("/books")
    async def books(caller: CallerDep) -> dict[str, int]:
        require_staff_or_service(caller)
        return await views.books(database)


def _own(caller: Caller, member_id: UUID) -> None:
    """Let a member see only what is theirs; for anybody else's id there is nothing."""
    if caller.kind == "member" and caller.uuid != member_id:
        raise UnknownClaim
    if caller.kind == "hospital":
        raise NotAllowed


def _own_row(texts: Sequence[str], read: Reader, fixmedins_code: str) -> Incoming:
    """Read a hospital's row; one under another hospital's code is refused."""
    settlement = read(texts)
    if isinstance(settlement, Settlement) and settlement.fixmedins_code != fixmedins_code:
        return Incoming(texts, Refusal(RefusalCode.FOREIGN_HOSPITAL))
    return Incoming(texts, settlement)
