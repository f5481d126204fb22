"""The one way to call a peer: bounded in time, in connections and in what is read back.

A failed call is one of two things: `Unreachable`, surely nothing was done there; `AnswerLost`, it
may have been done, and only asking again under the same id can tell.
"""

import asyncio
import json as json_text
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from services.common.errors import Unavailable
from services.common.kit import metrics
from services.common.kit.auth import CALLER_HEADER, Caller
from services.common.kit.logs import get_logger

Content = bytes | AsyncIterable[bytes]


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
        self._pool = self._new_pool()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._pool.client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        caller: Caller | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Call and read the whole answer; an answer of any status is an answer."""
        async with self.stream(
            method,
            path,
            json=json,
            content=content,
            headers=headers,
            params=params,
            caller=caller,
            timeout_s=timeout_s,
        ) as streamed:
            body = bytearray()
            async for chunk in streamed.chunks:
                body += chunk
                if len(body) > self.bounds.answer_bytes_max:
                    raise AnswerLost
            return Answer(streamed.status, streamed.headers, bytes(body))

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        caller: Caller | None = None,
        timeout_s: float | None = None,
    ) -> AsyncGenerator[Streamed]:
        """Call and give the answer while it comes; the deadline covers the whole block."""
        pool = self._pool
        request = pool.client.build_request(
            method,
            path,
            json=json,
            content=content,
            params=params,
            headers={**(headers or {}), **self._proof(caller)},
        )
        pool.in_use += 1
        try:
            async with asyncio.timeout(timeout_s or self.bounds.timeout_s):
                response = await pool.client.send(request, stream=True)
                try:
                    self._count("answered")
                    yield Streamed(response.status_code, response.headers, response.aiter_bytes())
                finally:
                    await response.aclose()
        except _NEVER_SENT as error:
            if isinstance(error, httpx.PoolTimeout):
                self._rebuild(pool)
            self._count("unreachable")
            raise Unreachable from error
        except (httpx.TransportError, httpx.StreamError, TimeoutError) as error:
            self._count("answer_lost")
            raise AnswerLost from error
        finally:
            await self._leave(pool)

    def _proof(self, caller: Caller | None) -> dict[str, str]:
        proof: dict[str, str] = {}
        if self.token is not None:
            proof["authorization"] = f"Bearer {self.token}"
        if caller is not None:
            proof[CALLER_HEADER] = caller.header()
        return proof

    def _count(self, outcome: str) -> None:
        metrics.http_calls.labels(self.peer, outcome).inc()

    def _new_pool(self) -> _Pool:
        bounds = self.bounds
        return _Pool(
            httpx.AsyncClient(
                base_url=self.base_url,
                timeout=httpx.Timeout(bounds.timeout_s, connect=bounds.connect_timeout_s),
                limits=httpx.Limits(
                    max_connections=bounds.connections_max,
                    max_keepalive_connections=bounds.connections_max,
                    keepalive_expiry=bounds.keep_alive_s,
                ),
                follow_redirects=False,
                trust_env=False,
                transport=self.transport,
            )
        )

    def _rebuild(self, pool: _Pool) -> None:
        """Take a new pool where the old one has leaked its slots (httpcore: cancelled waits)."""
        if pool is self._pool and pool.in_use <= self.bounds.connections_max:
            get_logger().warning("http.pool_rebuilt", peer=self.peer)
            pool.retired = True
            self._pool = self._new_pool()

    async def _leave(self, pool: _Pool) -> None:
        pool.in_use -= 1
        if pool.retired and pool.in_use == 0:
            await pool.client.aclose()
