"""What the gateway lets in: how many requests, from whom, and at what pace."""

import math
from asyncio import timeout
from collections import OrderedDict
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import BodyBroken, Throttled, TooSlow
from gateway.settings import Settings
from services.common.kit import clock

PREFIX: Final = "/api/v1"
_LOGIN_PATHS: Final = (f"{PREFIX}/staff/login", f"{PREFIX}/auth/", f"{PREFIX}/mend")
_PLUMBING: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Buckets:
    """Token buckets by key, in memory: each gateway process counts what it sees itself."""

    def __init__(self, keys_max: int) -> None:
        self._keys_max = keys_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, *, per_s: float, burst: float) -> None:
        """Take one token, or say when the next will be there."""
        now = clock.monotonic()
        left, at = self._buckets.pop(key, (burst, now))
        left = min(burst, left + (now - at) * per_s)
        taken = left >= 1
        self._buckets[key] = (left - 1 if taken else left, now)
        if len(self._buckets) > self._keys_max:
            self._buckets.popitem(last=False)
        if not taken:
            raise Throttled(math.ceil((1 - left) / per_s))


class AddressLimit:
    """Bounds what one address may ask, before anything else is looked at; proofs more tightly."""

    def __init__(self, app: ASGIApp, *, settings: Settings, buckets: Buckets) -> None:
        self._app = app
        self._settings = settings
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _PLUMBING:
            self._judge(scope)
        await self._app(scope, receive, send)

    def _judge(self, scope: Scope) -> None:
        told = self._settings
        address = self._address(scope)
        per_s = told.address_requests_per_s
        self._buckets.take(f"address {address}", per_s=per_s, burst=per_s * told.limit_burst_s)
        if scope["method"] == "POST" and str(scope["path"]).startswith(_LOGIN_PATHS):
            per_min = told.address_logins_per_min
            self._buckets.take(f"login {address}", per_s=per_min / 60, burst=per_min)

    def _address(self, scope: Scope) -> str:
        told = self._settings.address_header
        # With several lines of it, the proxy wrote the last; the others came from outside.
        lines = Headers(scope=scope).getlist(told) if told else []
        client = scope.get("client")
        return lines[-1].rpartition(",")[2].strip() if lines else str(client[0] if client else "")


class Pace:
    """Refuses a body that stops coming or breaks off; how large it may be, the kit watches."""

    def __init__(self, app: ASGIApp, *, idle_timeout_s: float) -> None:
        self._app = app
        self._idle_timeout_s = idle_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = scope["type"] != "http"

        async def paced() -> Message:
            nonlocal whole
            if whole:
                return await receive()  # waits for the caller to hang up, however long
            try:
                async with timeout(self._idle_timeout_s):
                    message = await receive()
            except TimeoutError as error:
                raise TooSlow from error
            if message["type"] == "http.disconnect":
                raise BodyBroken
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, paced, send)


class Manners:
    """Says with every answer that it is private, is what it says, and comes over TLS alone."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self._app = app
        self._headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
        if tls:
            self._headers.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def mannered(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        await self._app(scope, receive, mannered)
