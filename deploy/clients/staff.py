"""How staff sign in: password and one-time code, then a bearer token with every request."""

import base64
import hmac
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx


def totp(secret_base32: str, unix_time: float) -> str:
    """RFC 6238 as authenticator apps have it: HMAC-SHA1, six digits, thirty seconds."""
    step = int(unix_time) // 30
    digest = hmac.digest(base64.b32decode(secret_base32), step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFF_FFFF) % 1_000_000:06d}"


@dataclass
class StaffAuth(httpx.Auth):
    """Signs in before the first request, and again when the session has ended."""

    gateway: str
    username: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    requires_response_body = True
    _token: str = field(default="", init=False, repr=False)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        fresh = not self._token
        if fresh:
            self._token = await _token_of((yield self._login()))
        request.headers["authorization"] = f"Bearer {self._token}"
        answer = yield request
        # A stream that has flowed once cannot be sent again.
        if answer.status_code == HTTPStatus.UNAUTHORIZED and not fresh and _has_bytes(request):
            self._token = await _token_of((yield self._login()))
            request.headers["authorization"] = f"Bearer {self._token}"
            yield request

    def _login(self) -> httpx.Request:
        told = {
            "username": self.username,
            "password": self.password,
            "totp": totp(self.totp_secret, time.time()),
        }
        return httpx.Request("POST", f"{self.gateway}/api/v1/staff/login", json=told)


async def _token_of(answer: httpx.Response) -> str:
    answer.raise_for_status()
    await answer.aread()
    return str(answer.json()["access_token"])


def _has_bytes(request: httpx.Request) -> bool:
    return isinstance(request.stream, httpx.ByteStream)
