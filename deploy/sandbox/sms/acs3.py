"""Aliyun's request signature, version 3 (ACS3-HMAC-SHA256), as the provider checks it."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote

from starlette.datastructures import Headers

VERSION = "2017-05-25"
ALGORITHM = "ACS3-HMAC-SHA256"
AUTHORIZATION = re.compile(
    ALGORITHM + r" Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)
ALWAYS_SIGNED = frozenset(
    {
        "host",
        "x-acs-action",
        "x-acs-version",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-content-sha256",
    }
)


class NotAdmitted(Exception):
    """The request does not get as far as the SMS service."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class SignedRequest:
    method: str
    path: str
    query: str
    headers: Headers
    body: bytes


class Gatekeeper:
    """Admits a request once, if its signature holds and its date is near."""

    def __init__(self, secrets: Mapping[str, str], date_window_s: float) -> None:
        self._secrets = secrets
        self._window = timedelta(seconds=date_window_s)
        self._nonces: dict[str, datetime] = {}

    def admit(self, request: SignedRequest, moment: datetime) -> str:
        """Give the nonce of an admitted request, so that it can be kept with what was done."""
        _check_signature(request, self._secrets)
        try:
            date = datetime.strptime(request.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%S%z")
        except ValueError as malformed:
            raise NotAdmitted(400, "InvalidTimeStamp.Format", "x-acs-date") from malformed
        if abs(moment - date) > self._window:
            raise NotAdmitted(400, "InvalidTimeStamp.Expired", "x-acs-date is too far from now")
        nonce = request.headers["x-acs-signature-nonce"]
        if nonce in self._nonces:
            raise NotAdmitted(400, "SignatureNonceUsed", "the nonce was used before")
        self.remember(nonce, moment)
        return nonce

    def remember(self, nonce: str, moment: datetime) -> None:
        """Keep a nonce for as long as a request that carries it could be admitted."""
        kept_from = moment - 2 * self._window
        while self._nonces:
            oldest = next(iter(self._nonces))
            if self._nonces[oldest] >= kept_from:
                break
            del self._nonces[oldest]
        self._nonces[nonce] = moment


def _check_signature(request: SignedRequest, secrets: Mapping[str, str]) -> None:
    headers = request.headers
    if headers.get("x-acs-version") != VERSION:
        raise NotAdmitted(400, "InvalidVersion", f"x-acs-version is not {VERSION}")
    parts = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if parts is None:
        raise NotAdmitted(400, "IncompleteSignature", f"Authorization is not {ALGORITHM}")
    key_id, names, signature = parts.groups()
    signed = names.split(";")
    must = ALWAYS_SIGNED | {name for name in headers if name.startswith("x-acs-")}
    if not must <= set(signed):
        raise NotAdmitted(400, "IncompleteSignature", "a header that must be signed is not")
    if not all(name in headers for name in signed):
        raise NotAdmitted(400, "IncompleteSignature", "a signed header is missing")
    if key_id not in secrets:
        raise NotAdmitted(404, "InvalidAccessKeyId.NotFound", "the access key is not known")
    content = hashlib.sha256(request.body).hexdigest()
    if not hmac.compare_digest(content, headers["x-acs-content-sha256"]):
        raise NotAdmitted(400, "SignatureDoesNotMatch", "x-acs-content-sha256 is not the body's")
    expected = _signature(request, signed, content, secrets[key_id])
    if not hmac.compare_digest(expected, signature):
        raise NotAdmitted(400, "SignatureDoesNotMatch", "the signature is not ours")


def _signature(request: SignedRequest, signed: list[str], content: str, secret: str) -> str:
    pairs = sorted(parse_qsl(request.query, keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    lines = [f"{name}:{_joined(request.headers, name)}\n" for name in sorted(signed)]
    canonical = "\n".join(
        [request.method, request.path, query, "".join(lines), ";".join(signed), content]
    )
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _joined(headers: Headers, name: str) -> str:
    return ",".join(sorted(value.strip() for value in headers.getlist(name)))
