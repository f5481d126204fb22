"""The one way to call a peer: bounded in time, in connections and in what is read back.

A failed call is one of two things: `Unreachable`, surely nothing was done there; `AnswerLost`, it
may have been done, and only asking again under the same id can tell.
"""

import asyncio
import io
import json as json_text
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self, TypedDict, Unpack

import aiohttp
import httpx

from services.common.errors import Unavailable
from services.common.kit import metrics
from services.common.kit.auth import CALLER_HEADER, Caller

# aiohttp warns of more in one piece, and writes a file piece by piece.
ONE_PIECE_BYTES_MAX: Final = 512 * 1024


class Unreachable(Unavailable):
    """The peer was not reached, so nothing was done there."""

    code = "PEER_UNREACHABLE"


class AnswerLost(Unavailable):
    """The call went out and no whole answer came back: it may have been done."""

    code = "PEER_ANSWER_LOST"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever the peer sent; the caller parses it
        return json_text.loads(self.body)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is read as it comes."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientBounds:
    timeout_s: float = 10.0
    connect_timeout_s: float = 1.0
    connections_max: int = 100
    keep_alive_s: float = 20.0
    answer_bytes_max: int = 32 * 1024 * 1024


class Parts(TypedDict, total=False):
    """What a call may carry beside its method and path."""

    json: object
    content: bytes | AsyncIterable[bytes]
    headers: Mapping[str, str]
    params: Mapping[str, str]
    caller: Caller
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it goes out; `url` is whole, but for the parameters."""

    method: str
    url: str
    params: Mapping[str, str] | None
    headers: Mapping[str, str]
    body: bytes | AsyncIterable[bytes] | None
    connect_timeout_s: float


class Line(Protocol):
    """What carries calls to the peer; raises what `NEVER_SENT` and `LOST` name."""

    def carry(self, request: Request) -> AbstractAsyncContextManager[Streamed]: ...
    async def close(self) -> None: ...


# What is raised before a byte of the request has left.
NEVER_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.UnsupportedProtocol,
)
LOST: Final = (
    aiohttp.ClientError,
    httpx.RequestError,
    httpx.StreamError,
    ConnectionError,
    TimeoutError,
)


@dataclass(eq=False)
class Client:
    """Calls one peer. `token` is the internal bearer, for our own services only.

    A `transport` carries the calls in place of the network.
    """

    peer: str
    base_url: str
    bounds: ClientBounds = ClientBounds()
    token: str | None = field(default=None, repr=False)
    transport: httpx.AsyncBaseTransport | None = None

    def __post_init__(self) -> None:
        self._base = self.base_url.rstrip("/")
        self._line: Line = (
            _Network(self.bounds, secure=self._base.startswith("https:"))
            if self.transport is None
            else _Stand(self.transport)
        )
        self._slots = asyncio.Semaphore(self.bounds.connections_max)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._line.close()

    async def request(self, method: str, path: str, **parts: Unpack[Parts]) -> Answer:
        """Call and read the whole answer; an answer of any status is an answer."""
        async with self.stream(method, path, **parts) as streamed:
            body = bytearray()
            async for chunk in streamed.chunks:
                body += chunk
                if len(body) > self.bounds.answer_bytes_max:
                    raise AnswerLost
            return Answer(streamed.status, streamed.headers, bytes(body))

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, **parts: Unpack[Parts]
    ) -> AsyncGenerator[Streamed]:
        """Call and give the answer while it comes; the deadline covers the whole block.

        What the caller's own body raises while it is sent is raised as it is.
        """
        timeout_s = parts.get("timeout_s", self.bounds.timeout_s)
        request = self._request_of(method, path, parts, timeout_s)
        async with self._slot():
            try:
                async with asyncio.timeout(timeout_s), self._line.carry(request) as streamed:
                    self._count("answered")
                    yield streamed
            except NEVER_SENT as error:
                self._count("unreachable")
                raise Unreachable from error
            except LOST as error:
                self._count("answer_lost")
                if isinstance(request.body, _Upload) and request.body.failure is not None:
                    raise request.body.failure from None
                raise AnswerLost from error

    @asynccontextmanager
    async def _slot(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(self.bounds.connect_timeout_s):
                await self._slots.acquire()
        except TimeoutError as error:
            self._count("no_slot")
            raise Unreachable from error
        try:
            yield
        finally:
            self._slots.release()

    def _request_of(self, method: str, path: str, parts: Parts, timeout_s: float) -> Request:
        headers = dict(parts.get("headers", {}))
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        if "caller" in parts:
            headers[CALLER_HEADER] = parts["caller"].header()
        body = parts.get("content")
        told = parts.get("json")
        if told is not None:
            headers["content-type"] = "application/json"
            body = json_text.dumps(
                told, ensure_ascii=False, separators=(",", ":"), allow_nan=False
            ).encode()
        elif body is not None and not isinstance(body, bytes):
            body = _Upload(body)
        brief = min(self.bounds.connect_timeout_s, timeout_s)
        return Request(method, self._base + path, parts.get("params"), headers, body, brief)

    def _count(self, outcome: str) -> None:
        metrics.http_calls.labels(self.peer, outcome).inc()


class _Upload:
    """A body that is sent as it comes, and what went wrong on its own side."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks
        self.failure: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                yield chunk
        except Exception as failure:
            self.failure = failure
            raise


class _Network:
    """Connections that are kept for the next call. A call costs a seventh of what httpx takes."""

    def __init__(self, bounds: ClientBounds, *, secure: bool) -> None:
        # Reading the authorities takes long: once, and only where there is something to verify.
        self._trust = httpx.create_ssl_context() if secure else True
        self._bounds = bounds
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def carry(self, request: Request) -> AsyncGenerator[Streamed]:
        body = request.body
        if isinstance(body, bytes) and len(body) > ONE_PIECE_BYTES_MAX:
            body = io.BytesIO(body)
        async with self._open().request(
            request.method,
            request.url,
            params=request.params,
            headers=request.headers,
            data=body,
            allow_redirects=False,
            skip_auto_headers=("content-type", "user-agent"),
            timeout=aiohttp.ClientTimeout(connect=request.connect_timeout_s),
        ) as response:
            yield Streamed(response.status, response.headers, response.content.iter_any())

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Give the session, which can only be made where a loop runs."""
        if self._session is None:
            # No limit of its own: calls queue for a slot before they come here.
            connector = aiohttp.TCPConnector(
                limit=0, ssl=self._trust, keepalive_timeout=self._bounds.keep_alive_s
            )
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
            # It would send again, on its own, what it takes to be harmless twice (PUT, DELETE).
            self._session._retry_connection = False  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - there is no other way
        return self._session


class _Stand:
    """Somebody in the peer's place, in the shape of an httpx transport."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._client = httpx.AsyncClient(transport=transport, trust_env=False)

    @asynccontextmanager
    async def carry(self, request: Request) -> AsyncGenerator[Streamed]:
        async with self._client.stream(
            request.method,
            request.url,
            params=request.params,
            headers=request.headers,
            content=request.body,
            timeout=None,
        ) as response:
            yield Streamed(response.status_code, response.headers, response.aiter_bytes())

    async def close(self) -> None:
        await self._client.aclose()
