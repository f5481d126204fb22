"""The services behind the gateway: one way to ask them, and what their answers become here."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.errors import ServiceRefused, ServiceUnavailable
from gateway.settings import Settings
from services.common.kit.auth import Caller, internal_token
from services.common.kit.http import Answer, Client, ClientBounds, Streamed
from services.common.kit.problems import Problem
from services.common.kit.settings import Peers

# What a service may say about a request itself; 401 speaks of our own bearer, 5xx of its state.
_REFUSALS = frozenset({400, 403, 404, 409, 413, 415, 422, 429})
_DONE = range(200, 300)

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Services:
    """Each is asked on behalf of a caller, and never with the caller's own headers."""

    enrollment: Client
    claims: Client
    payments: Client
    notify: Client

    @classmethod
    def of(cls, settings: Settings, peers: Peers) -> Self:
        token = internal_token(settings)
        bounds = ClientBounds(
            timeout_s=settings.http_timeout_s,
            connect_timeout_s=settings.http_connect_timeout_s,
            connections_max=settings.http_connections_max,
            answer_bytes_max=settings.answer_bytes_max,
        )
        return cls(
            Client("enrollment", peers.enrollment_url, bounds, token),
            Client("claims", peers.claims_url, bounds, token),
            Client("payments", peers.payments_url, bounds, token),
            Client("notify", peers.notify_url, bounds, token),
        )

    async def close(self) -> None:
        for service in (self.enrollment, self.claims, self.payments, self.notify):
            await service.close()


@dataclass(frozen=True, slots=True)
class Desk:
    """The services behind the counter, asked on behalf of the one who stands before it."""

    caller: Caller
    services: Services
    upload_timeout_s: float
    report_timeout_s: float

    @property
    def enrollment(self) -> Client:
        return self.services.enrollment

    @property
    def claims(self) -> Client:
        return self.services.claims

    @property
    def payments(self) -> Client:
        return self.services.payments

    @property
    def notify(self) -> Client:
        return self.services.notify

    async def get(
        self, service: Client, path: str, answer: type[Model], **asked: str | int | None
    ) -> Model:
        """Ask, with the query parameters that were told at all."""
        got = await service.request("GET", path, caller=self.caller, params=_told(asked))
        return read(got, answer)

    async def report(
        self, service: Client, path: str, answer: type[Model], **asked: str | int | None
    ) -> Model:
        """Ask for what a service adds up from all that it holds."""
        got = await service.request(
            "GET",
            path,
            caller=self.caller,
            params=_told(asked),
            timeout_s=self.report_timeout_s,
        )
        return read(got, answer)

    async def send(
        self, service: Client, method: str, path: str, answer: type[Model], body: object
    ) -> Model:
        return read(await service.request(method, path, caller=self.caller, json=body), answer)

    async def forward(self, service: Client, path: str, answer: type[Model], body: bytes) -> Model:
        """Post a body as it came."""
        return read(await self.posted(service, path, body), answer)

    async def posted(self, service: Client, path: str, body: bytes) -> Answer:
        headers = {"content-type": "application/json"}
        return await service.request(
            "POST", path, caller=self.caller, content=body, headers=headers
        )

    async def pass_on(
        self, request: Request, service: Client, path: str, answer: type[Model]
    ) -> Model:
        """Let an upload flow through to its service; nothing of it is kept here."""
        got = await service.request(
            "POST",
            path,
            caller=self.caller,
            content=request.stream(),
            headers={"content-type": request.headers.get("content-type", "")},
            timeout_s=self.upload_timeout_s,
        )
        return read(got, answer)

    def relayed(self, service: Client, path: str, media_type: str) -> Response:
        """Hand an answer on while it comes."""
        asked = service.stream("GET", path, caller=self.caller, timeout_s=self.upload_timeout_s)
        return _Relayed(asked, media_type)


def _told(asked: Mapping[str, str | int | None]) -> dict[str, str]:
    return {name: str(value) for name, value in asked.items() if value is not None}


def read(got: Answer, answer: type[Model]) -> Model:
    """Take a good answer, pass a refusal on, and turn all else into "not now"."""
    try:
        if got.status in _REFUSALS:
            problem = Problem.model_validate_json(got.body)
            raise ServiceRefused(got.status, problem.code, problem.detail, problem.errors or [])
        if got.status not in _DONE:
            raise ServiceUnavailable
        return answer.model_validate_json(got.body or b"{}")
    except ValidationError as error:
        # Its words would quote the answer, which may name a person.
        raise ServiceUnavailable from error


class _Relayed(Response):
    """Asks when it is sent, so that the service is let go whatever becomes of the caller."""

    def __init__(self, asked: AbstractAsyncContextManager[Streamed], media_type: str) -> None:
        super().__init__(media_type=media_type)
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._asked as streamed:
            if streamed.status != HTTPStatus.OK:
                body = b"".join([chunk async for chunk in streamed.chunks])
                read(Answer(streamed.status, streamed.headers, body), Problem)
            relayed = StreamingResponse(streamed.chunks, media_type=self.media_type)
            await relayed(scope, receive, send)
