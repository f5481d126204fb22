"""The doors that settlements come in by: hospitals' posts and the bureau's feed."""

import csv
import io
from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.claims import feedfile
from services.claims.api.door import Door
from services.claims.model import Refusal, RefusalCode, Settlement
from services.claims.rows import texts_of
from services.claims.schemas.claims import (
    FeedOut,
    FeedReceived,
    Posted,
    Result,
    Results,
    SettlementOut,
)
from services.claims.usecases import feeds, posts
from services.claims.usecases.desk import Incoming, Reader
from services.common.ids import new_id
from services.common.kit.auth import (
    Caller,
    CallerDep,
    require_hospital,
    require_role,
)
from services.common.kit.sealed_file import SealedFileWriter
from services.common.kit.uploads import UploadBounds, receive


def hospital_routes(router: APIRouter, door: Door) -> None:
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


def feed_routes(router: APIRouter, door: Door) -> None:
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


def _own_row(texts: Sequence[str], read: Reader, fixmedins_code: str) -> Incoming:
    """Read a hospital's row; one under another hospital's code is refused."""
    settlement = read(texts)
    if isinstance(settlement, Settlement) and settlement.key.fixmedins_code != fixmedins_code:
        return Incoming.of(texts, Refusal(RefusalCode.FOREIGN_HOSPITAL))
    return Incoming.of(texts, settlement)
