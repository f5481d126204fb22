"""What staff do with schemes: read, draft, try out on settled claims, publish."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response

from services.claims.api.door import Door
from services.claims.backtest import picture, table
from services.claims.backtest import report as reports
from services.claims.errors import CasesDisagree, EditionChangesThePast
from services.claims.schemas.backtest import BacktestAsked, BacktestIn, BacktestOut
from services.claims.schemas.editions import (
    DraftIn,
    DraftOut,
    DraftSeen,
    EditionOut,
    SchemeListed,
    SchemeOut,
    Schemes,
)
from services.claims.usecases import backtest, editions
from services.common.errors import DomainError
from services.common.kit.auth import CallerDep, require_role
from services.common.kit.problems import FieldError, TooLarge, respond, status_of
from services.common.schemes.load import SchemeFileRefused

READERS = ("admin", "reviewer", "finance_checker", "auditor")
DRAFTERS = ("admin", "reviewer")
PUBLISHERS = ("admin", "finance_checker", "reviewer")
YAML = "application/yaml"
TEXT = "text/plain; charset=utf-8"
SVG = "image/svg+xml"


def edition_routes(router: APIRouter, door: Door) -> None:
    _scheme_routes(router, door)
    _draft_routes(router, door)
    _backtest_routes(router, door)


def say_where(app: FastAPI) -> None:
    """Have refusals of scheme files say where; such a file names nobody."""
    app.add_exception_handler(SchemeFileRefused, _file_refused)
    app.add_exception_handler(EditionChangesThePast, _places_refused)
    app.add_exception_handler(CasesDisagree, _places_refused)


def _scheme_routes(router: APIRouter, door: Door) -> None:
    database, shelf = door.counter.database, door.counter.desk.shelf

    @router.get("/schemes")
    async def schemes(caller: CallerDep) -> Schemes:
        require_role(caller, *READERS)
        return Schemes(schemes=[SchemeListed.of(*each) for each in editions.all_standing(shelf)])

    @router.get("/schemes/{scheme_id}")
    async def scheme(scheme_id: str, caller: CallerDep) -> SchemeOut:
        require_role(caller, *READERS)
        standing = editions.standing(shelf, scheme_id)
        shown_max = door.settings.drafts_shown_max
        published, drafted = await editions.history(database, scheme_id, shown_max)
        listed = SchemeListed.of(*standing)
        return SchemeOut.whole(listed, standing.scheme, published, drafted)

    @router.get("/schemes/{scheme_id}/file")
    async def file(scheme_id: str, caller: CallerDep) -> Response:
        require_role(caller, *READERS)
        standing = editions.standing(shelf, scheme_id)
        return Response(shelf.files[standing.scheme.scheme_id], media_type=YAML)


def _draft_routes(router: APIRouter, door: Door) -> None:
    database, shelf = door.counter.database, door.counter.desk.shelf

    @router.post("/schemes/{scheme_id}/drafts", status_code=201)
    async def draft(scheme_id: str, asked: DraftIn, caller: CallerDep) -> DraftOut:
        author = require_role(caller, *DRAFTERS)
        if len(asked.content.encode()) > door.settings.draft_bytes_max:
            raise TooLarge
        made = await editions.draft(database, shelf, scheme_id, asked.content, author)
        return DraftOut.compared(*made)

    @router.get("/schemes/{scheme_id}/drafts/{draft_id}")
    async def seen(scheme_id: str, draft_id: UUID, caller: CallerDep) -> DraftSeen:
        require_role(caller, *READERS)
        return DraftSeen.whole(*await editions.seen(database, shelf, scheme_id, draft_id))

    @router.post("/schemes/{scheme_id}/drafts/{draft_id}/publish")
    async def publish(scheme_id: str, draft_id: UUID, caller: CallerDep) -> EditionOut:
        publisher = require_role(caller, *PUBLISHERS)
        published = await editions.publish(database, shelf, scheme_id, draft_id, publisher)
        return EditionOut.of(published)


def _backtest_routes(router: APIRouter, door: Door) -> None:
    database, shelf = door.counter.database, door.counter.desk.shelf

    @router.post("/schemes/{scheme_id}/backtest", status_code=202)
    async def ask(scheme_id: str, asked: BacktestIn, caller: CallerDep) -> BacktestAsked:
        author = require_role(caller, *DRAFTERS)
        what = asked.asked(scheme_id)
        queued = await backtest.ask(database, shelf.rulebook, asked.draft_id, what, author)
        return BacktestAsked(backtest_id=queued.backtest_id)

    @router.get("/backtests/{backtest_id}")
    async def progress(backtest_id: UUID, caller: CallerDep) -> BacktestOut:
        require_role(caller, *READERS)
        found = await backtest.get(database, backtest_id)
        return BacktestOut.of(found, None if found.report is None else reports.read(found.report))

    @router.get("/backtests/{backtest_id}/table.txt")
    async def as_table(backtest_id: UUID, caller: CallerDep) -> Response:
        require_role(caller, *READERS)
        found = await backtest.report_of(database, backtest_id)
        return Response(table.text(found), media_type=TEXT)

    @router.get("/backtests/{backtest_id}/picture.svg")
    async def as_picture(backtest_id: UUID, caller: CallerDep) -> Response:
        require_role(caller, *READERS)
        found = await backtest.report_of(database, backtest_id)
        return Response(picture.svg(found), media_type=SVG)


async def _file_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SchemeFileRefused)
    place = FieldError(path=f"{error.file}:{error.line}", code=error.code)
    return respond(status_of(error), error.code, detail=str(error), errors=[place])


async def _places_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, EditionChangesThePast | CasesDisagree)
    return _refused_at(error, error.places)


def _refused_at(error: DomainError, places: Sequence[str]) -> Response:
    said = (error.__doc__ or "").strip()
    fields = [FieldError(path=place, code=error.code) for place in places]
    return respond(status_of(error), error.code, detail=said, errors=fields)
