"""How a hospital signs its requests: HTTP Message Signatures (RFC 9421) with hmac-sha256."""

import secrets
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from http_message_signatures.algorithms import (
    HMAC_SHA256,  # pyright: ignore[reportPrivateImportUsage] - public there, though not by __all__
)
from http_message_signatures.resolvers import HTTPSignatureKeyResolver
from http_message_signatures.signatures import HTTPMessageSigner

COVERED = ("@method", "@target-uri", "content-digest")


@dataclass(frozen=True, slots=True)
class _Key(HTTPSignatureKeyResolver):
    secret: bytes

    def resolve_private_key(self, key_id: str) -> bytes:
        del key_id
        return self.secret

    def resolve_public_key(self, key_id: str) -> bytes:
        del key_id
        return self.secret


@dataclass
class HospitalAuth(httpx.Auth):
    """Signs every request of an httpx client: `httpx.AsyncClient(auth=HospitalAuth(…))`.

    The key is the secret's characters in UTF-8. Method, address and body are covered; `created`
    is now, and the nonce is fresh, so a request that is sent again must be signed again.
    """

    keyid: str
    secret: str = field(repr=False)
    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self.sign(request)
        yield request

    def sign(self, request: httpx.Request, created: datetime | None = None) -> None:
        signer = HTTPMessageSigner(
            signature_algorithm=HMAC_SHA256, key_resolver=_Key(self.secret.encode())
        )
        signer.sign(  # pyright: ignore[reportUnknownMemberType] - the message's type is left open there
            request,
            key_id=self.keyid,
            created=created,
            nonce=secrets.token_urlsafe(16),
            covered_component_ids=COVERED,
            body=request.content,
        )
