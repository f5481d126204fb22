"""The one way to call a peer: bounded in time, in connections and in what is read back.

A failed call is one of two things: `Unreachable`, surely nothing was done there; `AnswerLost`, it
may have been done, and only asking again under the same id can tell.
"""

import asyncio
import json as json_text
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Self, TypedDict, Unpack

import httpx

from services.common.errors import Unavailable
from services.common.kit import metrics
from services.common.kit.auth import CALLER_HEADER, Caller
from services.common.kit.logs import get_logger

if find_spec("sniffio") is None:
    # httpcore looks for it several times a call, and each time through all of sys.path: a quarter
    # of what a call costs. So it is told at once that there is none, which means asyncio.
    sys.modules["sniffio"] = None  # pyright: ignore[reportArgumentType] - Python's own sign for this


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


# What is raised before a byte of the request has left.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


@dataclass(eq=False, slots=True)
class _Pool:
    client: httpx.AsyncClient
    in_use: int = 0
    broken_off: int = 0
    retired: bool = False


@dataclass(eq=False)
class Client:
    """Calls one peer. `token` is the internal bearer, for our own services only."""

    peer: str
    base_url: str
    bounds: ClientBounds = ClientBounds()
    token: str | None = field(default=None, repr=False)
    transport: httpx.AsyncBaseTransport | None = None

    def __post_init__(self) -> None:
        # Reading the authorities takes long: once, and only where there is something to verify.
        secure = self.base_url.startswith("https:")
        self._trust = httpx.create_ssl_context() if secure else _trusting_nobody()
        self._pool = self._new_pool()
        # We queue here, so that httpcore's pool is never asked for more than it may give.
        self._slots = asyncio.Semaphore(self.bounds.connections_max)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._pool.client.aclose()

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
        """Call and give the answer while it comes; the deadline covers the whole block."""
        timeout_s = parts.get("timeout_s", self.bounds.timeout_s)
        async with self._slot() as pool:
            request = self._request_of(pool, method, path, parts, timeout_s)
            try:
                async with asyncio.timeout(timeout_s):
                    response = await pool.client.send(request, stream=True)
                    try:
                        self._count("answered")
                        yield Streamed(
                            response.status_code, response.headers, response.aiter_bytes()
                        )
                    finally:
                        await response.aclose()
            except _NEVER_SENT as error:
                self._count("unreachable")
                raise Unreachable from error
            except (httpx.RequestError, httpx.StreamError, TimeoutError) as error:
                self._count("answer_lost")
                raise AnswerLost from error

    @asynccontextmanager
    async def _slot(self) -> AsyncGenerator[_Pool]:
        try:
            async with asyncio.timeout(self.bounds.connect_timeout_s):
                await self._slots.acquire()
        except TimeoutError as error:
            self._count("no_slot")
            raise Unreachable from error
        pool = self._pool
        pool.in_use += 1
        whole = False
        try:
            yield pool
            whole = True
        finally:
            self._slots.release()
            pool.in_use -= 1
            pool.broken_off += not whole
            if pool.broken_off >= self.bounds.connections_max:
                self._replace(pool)
            if pool.retired and pool.in_use == 0:
                await pool.client.aclose()

    def _request_of(
        self, pool: _Pool, method: str, path: str, parts: Parts, timeout_s: float
    ) -> httpx.Request:
        headers = dict(parts.get("headers", {}))
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        if "caller" in parts:
            headers[CALLER_HEADER] = parts["caller"].header()
        brief = min(self.bounds.connect_timeout_s, timeout_s)
        return pool.client.build_request(
            method,
            path,
            json=parts.get("json"),
            content=parts.get("content"),
            params=parts.get("params"),
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=brief, pool=brief),
        )

    def _count(self, outcome: str) -> None:
        metrics.http_calls.labels(self.peer, outcome).inc()

    def _new_pool(self) -> _Pool:
        # A call that is broken off can lose its slot in httpcore's pool for ever (httpx #1093), so
        # the pool has as many to spare as may be lost before it is replaced.
        limits = httpx.Limits(
            max_connections=2 * self.bounds.connections_max,
            max_keepalive_connections=self.bounds.connections_max,
            keepalive_expiry=self.bounds.keep_alive_s,
        )
        return _Pool(
            httpx.AsyncClient(
                base_url=self.base_url,
                limits=limits,
                follow_redirects=False,
                trust_env=False,
                verify=self._trust,
                transport=self.transport,
            )
        )

    def _replace(self, pool: _Pool) -> None:
        """Take a new pool; the old one is closed behind its last call."""
        if pool is self._pool:
            get_logger().warning("http.pool_rebuilt", peer=self.peer)
            pool.retired = True
            self._pool = self._new_pool()


def _trusting_nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
