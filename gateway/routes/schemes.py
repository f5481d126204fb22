"""What union staff do with schemes: read, draft, try out on settled claims, publish."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from gateway.auth import GuardedRoute, opened_to, staff
from gateway.once import KeyHeader, post_once
from gateway.parts import DeskDep, PartsDep
from gateway.schemas import schemes as schemas
from gateway.schemas.words import Segment
from services.common.kit import problems

router = APIRouter(prefix="/staff", tags=["schemes"], route_class=GuardedRoute)

_READERS = staff("admin", "reviewer", "finance_checker", "auditor")
_DRAFTERS = staff("admin", "reviewer")
_PUBLISHERS = staff("admin", "finance_checker", "reviewer")
_YAML, _TEXT, _SVG = "application/yaml", "text/plain; charset=utf-8", "image/svg+xml"

_Shown = dict[int | str, dict[str, Any]]


def _shown(media_type: str, what: str) -> _Shown:
    return {200: {"content": {media_type: {}}, "description": what}}


_FILE: Final = _shown(_YAML, "the scheme file in force")
_TABLE: Final = _shown("text/plain", "the report as a table, in Chinese and English")
_PICTURE: Final = _shown(_SVG, "who gets more and who gets less")


@router.get("/schemes")
@opened_to(_READERS)
async def get_schemes(desk: DeskDep) -> schemas.Schemes:
    return await desk.get(desk.claims, "/schemes", schemas.Schemes)


@router.get("/schemes/{scheme_id}")
@opened_to(_READERS)
async def get_scheme(scheme_id: Segment, desk: DeskDep) -> schemas.SchemeOut:
    return await desk.get(desk.claims, f"/schemes/{scheme_id}", schemas.SchemeOut)


@router.get("/schemes/{scheme_id}/file", response_class=Response, responses=_FILE)
@opened_to(_READERS)
async def get_scheme_file(scheme_id: Segment, desk: DeskDep) -> Response:
    return desk.relayed(desk.claims, f"/schemes/{scheme_id}/file", _YAML)


@router.post(
    "/schemes/{scheme_id}/drafts", status_code=201, openapi_extra=schemas.body_of(schemas.DraftIn)
)
@opened_to(_DRAFTERS)
async def post_draft(
    scheme_id: Segment, request: Request, parts: PartsDep, desk: DeskDep, key: KeyHeader = None
) -> schemas.DraftOut:
    problems.allow_body(request, parts.settings.draft_bytes_max)
    path, body = f"/schemes/{scheme_id}/drafts", await request.body()
    claims, answer = desk.claims, schemas.DraftOut
    return await post_once(parts, desk, claims, path, answer, body=body, key=key)


@router.get("/schemes/{scheme_id}/drafts/{draft_id}")
@opened_to(_READERS)
async def get_draft(scheme_id: Segment, draft_id: UUID, desk: DeskDep) -> schemas.DraftSeen:
    path = f"/schemes/{scheme_id}/drafts/{draft_id}"
    return await desk.get(desk.claims, path, schemas.DraftSeen)


@router.post("/schemes/{scheme_id}/drafts/{draft_id}/publish")
@opened_to(_PUBLISHERS)
async def publish_draft(
    scheme_id: Segment, draft_id: UUID, parts: PartsDep, desk: DeskDep, key: KeyHeader = None
) -> schemas.EditionOut:
    path = f"/schemes/{scheme_id}/drafts/{draft_id}/publish"
    claims, answer = desk.claims, schemas.EditionOut
    return await post_once(parts, desk, claims, path, answer, body=b"", key=key)


@router.post(
    "/schemes/{scheme_id}/backtest",
    status_code=202,
    openapi_extra=schemas.body_of(schemas.BacktestIn),
)
@opened_to(_DRAFTERS)
async def post_backtest(
    scheme_id: Segment, request: Request, parts: PartsDep, desk: DeskDep, key: KeyHeader = None
) -> schemas.BacktestAsked:
    path, body = f"/schemes/{scheme_id}/backtest", await request.body()
    return await post_once(
        parts, desk, desk.claims, path, schemas.BacktestAsked, body=body, key=key
    )


@router.get("/backtests/{backtest_id}")
@opened_to(_READERS)
async def get_backtest(backtest_id: UUID, desk: DeskDep) -> schemas.BacktestOut:
    return await desk.get(desk.claims, f"/backtests/{backtest_id}", schemas.BacktestOut)


@router.get("/backtests/{backtest_id}/table.txt", response_class=Response, responses=_TABLE)
@opened_to(_READERS)
async def get_backtest_table(backtest_id: UUID, desk: DeskDep) -> Response:
    return desk.relayed(desk.claims, f"/backtests/{backtest_id}/table.txt", _TEXT)


@router.get("/backtests/{backtest_id}/picture.svg", response_class=Response, responses=_PICTURE)
@opened_to(_READERS)
async def get_backtest_picture(backtest_id: UUID, desk: DeskDep) -> Response:
    return desk.relayed(desk.claims, f"/backtests/{backtest_id}/picture.svg", _SVG)
