"""How a refusal looks over HTTP: the one table of statuses, and problem+json for every error."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
)
from services.common.kit.db import is_transient
from services.common.kit.logs import get_logger
from services.common.kit.metrics import HttpMetrics, route_template

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
ERRORS_MAX: Final = 100
BODY_BYTES_MAX: Final = 4 * 1024 * 1024


class TooLarge(Invalid):
    """More bytes than this door lets in."""

    code = "TOO_LARGE"


class TooMany(Unavailable):
    """More requests than this caller may make now."""

    code = "TOO_MANY_REQUESTS"


class UnsupportedType(Invalid):
    """A kind of content that this door does not read."""

    code = "UNSUPPORTED_TYPE"


# The nearest class of a refusal decides.
STATUS: Final[Mapping[type[DomainError], HTTPStatus]] = {
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    UnsupportedType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DomainError: HTTPStatus.BAD_REQUEST,
}
_CODE_OF_STATUS: Final[Mapping[int, str]] = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NO_SUCH_ROUTE",
    405: "METHOD_NOT_ALLOWED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_TYPE",
}
_BOUND: Final = "body_bound"
_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class FieldError(BaseModel):
    """Which field was refused and by which rule; never its value."""

    path: str
    code: str


class Problem(BaseModel):
    """The body of every refusal."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: list[FieldError] | None = None


def status_of(error: DomainError) -> HTTPStatus:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def respond(
    status: int,
    code: str,
    *,
    detail: str | None = None,
    errors: Sequence[FieldError] = (),
    retry_after_s: int | None = None,
) -> Response:
    """Write a problem."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        errors=list(errors[:ERRORS_MAX]) or None,
    )
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    return JSONResponse(
        problem.model_dump(exclude_none=True), status, headers, media_type=MEDIA_TYPE
    )


def respond_to(error: DomainError) -> Response:
    status = status_of(error)
    wait = RETRY_AFTER_S if isinstance(error, Unavailable) else None
    return respond(
        status,
        error.code,
        detail=(type(error).__doc__ or "").strip().split("\n")[0] or None,
        retry_after_s=getattr(error, "retry_after_s", wait),
    )


def install(app: FastAPI, *, body_bytes_max: int = BODY_BYTES_MAX) -> None:
    """Answer every error as a problem and bound every body. Call it before routes are added."""
    shown: dict[str, Any] = {"model": Problem, "content": {MEDIA_TYPE: {}}}
    answers: dict[int | str, dict[str, Any]] = {
        422: {**shown, "description": "Refused, by field"},
        "4XX": {**shown, "description": "Refused"},
        "5XX": {**shown, "description": "Not now"},
    }
    app.router.responses = {**answers, **app.router.responses}
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _protocol)
    app.add_middleware(_Net, body_bytes_max=body_bytes_max)


def allow_body(request: Request, bytes_max: int) -> None:
    """Let this one request bring more than the app's bound, or less."""
    request.scope[_BOUND][0] = bytes_max


async def _unreadable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    refused = [
        FieldError(path=_path(item["loc"]), code=str(item["type"]))
        for item in error.errors()[:ERRORS_MAX]
    ]
    return respond(422, "INVALID_REQUEST", errors=refused)


def _path(location: Sequence[str | int]) -> str:
    """Name a field; a name that the caller made up is not repeated."""
    return ".".join(
        str(step) if isinstance(step, int) or _FIELD_NAME.fullmatch(step) else "?"
        for step in location
    )


async def _protocol(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # FastAPI calls whatever stops it from reading a body a bad request.
    if isinstance(error.__cause__, DomainError):
        return respond_to(error.__cause__)
    return respond(error.status_code, _CODE_OF_STATUS.get(error.status_code, "REFUSED"))


class _Net:
    """Catches whatever a route or another wall raised, so that nothing leaves as a stack trace."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int) -> None:
        self._app = HttpMetrics(_Caught(app, body_bytes_max))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class _Caught:
    def __init__(self, app: ASGIApp, body_bytes_max: int) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        # A list, because routers copy the scope and all copies must see what a route allows.
        scope[_BOUND] = [self._body_bytes_max]
        try:
            await self._app(scope, _bounded(scope, receive), watch)
        except Exception as error:
            answer = _answer_to(error, scope)
            if begun:
                raise  # half an answer is out; the broken connection tells the rest
            await answer(scope, receive, send)


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Refuse a body when more has come than may, or at once when more is announced."""
    announced = Headers(scope=scope).get("content-length", "0")
    came = 0

    async def bounded() -> Message:
        nonlocal came
        bytes_max = scope[_BOUND][0]
        if announced.isdecimal() and int(announced) > bytes_max:
            raise TooLarge
        message = await receive()
        came += len(message.get("body", b""))
        if came > bytes_max:
            raise TooLarge
        return message

    return bounded


def _answer_to(error: Exception, scope: Scope) -> Response:
    if isinstance(error, DomainError):
        return respond_to(error)
    route, method = route_template(scope), str(scope["method"])
    get_logger().error("http.failed", route=route, method=method, error=error)
    if is_transient(error):
        return respond(503, "UNAVAILABLE", retry_after_s=RETRY_AFTER_S)
    return respond(500, "INTERNAL_ERROR")
