"""The four services as the gateway sees them: they check the bearer, answer, and remember."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from starlette.responses import JSONResponse

from services.common.kit import auth, problems
from services.common.kit.auth import Caller
from services.common.kit.http import Client, ClientBounds

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    caller: Caller
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeService:
    """Answers what it was told to, on any path; what it was not told about is not there."""

    name: str
    settings: auth.AuthSettings
    calls: list[Call] = field(default_factory=list[Call])
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict[tuple[str, str], Answer])
    streamed: dict[tuple[str, str], Answer] = field(default_factory=dict[tuple[str, str], Answer])
    down: bool = False

    def __post_init__(self) -> None:
        self.app = FastAPI()
        auth.install(self.app, self.settings)
        problems.install(self.app, body_bytes_max=2**33)
        methods = ["GET", "POST", "PUT"]
        self.app.add_api_route("/{path:path}", self._any, methods=methods, response_model=None)

    def says(self, method: str, path: str, body: Any, status: int = 200) -> None:  # noqa: ANN401 - any JSON
        """Answer with this JSON."""

        async def answer(_request: Request) -> Response:
            return JSONResponse(body, status)

        self.answers[method, path] = answer

    def refuses(self, method: str, path: str, status: int, code: str) -> None:
        async def answer(_request: Request) -> Response:
            return problems.respond(status, code)

        self.answers[method, path] = answer

    def streams(self, method: str, path: str, answer: Answer) -> None:
        """Let the test read the body as it comes, and answer."""
        self.streamed[method, path] = answer

    async def _any(self, request: Request) -> Response:
        asked = request.method, request.url.path
        streamed = self.streamed.get(asked)
        body = b"" if streamed else await request.body()
        caller: Caller = request.state.caller
        headers = dict(request.headers)
        self.calls.append(Call(*asked, dict(request.query_params), caller, headers, body))
        answer = streamed or self.answers.get(asked)
        return problems.respond(404, "NOT_FOUND") if answer is None else await answer(request)

    def client(self, token: str, bounds: ClientBounds) -> Client:
        return Client(self.name, f"http://{self.name}", bounds, token, _Reached(self))


class _Reached(httpx.AsyncBaseTransport):
    """Reaches the service while it is up."""

    def __init__(self, service: FakeService) -> None:
        self._service = service
        self._inner = httpx.ASGITransport(service.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._service.down:
            raise httpx.ConnectError("down")
        return await self._inner.handle_async_request(request)
