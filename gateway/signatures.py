"""Who a hospital's request comes from: HTTP Message Signatures (RFC 9421) with hmac-sha256.

A request is taken when one signature covers @method, @target-uri and content-digest, the digest
is the body's, `created` is within the window, `keyid` is a live key of a partner, and `nonce` has
not been used with that key before. @target-uri is the setting `public_url` with the path and query
as received; without the setting it is the Host header as received. Nothing is kept of a request
that fails.
"""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from http_message_signatures.algorithms import (
    HMAC_SHA256,  # pyright: ignore[reportPrivateImportUsage] - public there, though not by __all__
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException, InvalidSignature
from http_message_signatures.resolvers import HTTPSignatureKeyResolver
from http_message_signatures.signatures import HTTPMessageVerifier
from starlette.datastructures import Headers
from starlette.requests import Request

from gateway import store
from gateway.errors import SignatureRefused
from services.common.kit import clock
from services.common.kit.db import Database
from services.common.kit.gathering import Gathering
from services.common.kit.sealing import Opener, Sealer

COVERED: Final = ("@method", "@target-uri", "content-digest")
SECRET_FIELD: Final = "partner.secret"  # noqa: S105 - names the field, is no secret
NONCE_CHARACTERS_MAX: Final = 128
SETS_AT_ONCE: Final = 1
SET_MAX: Final = 1_000
_KEYID: Final = re.compile(r';\s*keyid="([A-Za-z0-9._:-]{1,64})"')


@dataclass(frozen=True, slots=True)
class Message:
    """A request in the shape in which the library reads it."""

    method: str
    url: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class _OneKey(HTTPSignatureKeyResolver):
    """Knows the one key that was looked up; a signature under any other does not verify."""

    keyid: str
    secret: bytes

    def resolve_public_key(self, key_id: str) -> bytes:
        if key_id != self.keyid:
            raise InvalidSignature
        return self.secret

    def resolve_private_key(self, key_id: str) -> bytes:
        raise NotImplementedError  # this side signs nothing


class _Verifier(HTTPMessageVerifier):
    """Asks our clock, and lets `created` lie ahead as far as behind: partners' clocks differ."""

    window: timedelta

    def validate_created_and_expires(
        self,
        sig_input: Any,  # noqa: ANN401 - the library leaves it open
        max_age: timedelta | None = None,  # noqa: ARG002 - the library's default; ours is `window`
    ) -> None:
        told = cast("Mapping[str, object]", sig_input.params)
        created, expires = told.get("created"), told.get("expires")
        now = clock.now().timestamp()
        if not isinstance(created, int) or abs(now - created) > self.window.total_seconds():
            raise InvalidSignature
        if expires is not None and not (isinstance(expires, int) and expires >= now):
            raise InvalidSignature


def verify(message: Message, body: bytes, key: _OneKey, window: timedelta) -> tuple[str, datetime]:
    """Give nonce and time of a signature that holds; every other request is refused.

    The library checks neither body nor coverage unless it is told to: tell it here, always.
    """
    verifier = _Verifier(signature_algorithm=HMAC_SHA256, key_resolver=key)
    verifier.window = window
    try:
        results = verifier.verify(message, require_components=COVERED, body=body)  # pyright: ignore[reportUnknownMemberType] - the message's type is left open there
    except HTTPMessageSignaturesException as error:
        raise SignatureRefused from error
    [result] = results
    nonce = result.nonce
    if not nonce or len(nonce) > NONCE_CHARACTERS_MAX:
        raise SignatureRefused
    return nonce, datetime.fromtimestamp(int(result.parameters["created"]), UTC)


class Signers:
    """Knows the partners' keys and the nonces that were used.

    A key that was found is remembered: whether it is still good is asked where its nonce is used,
    in the same statement. What requests ask at the same time is asked together: alone, each would
    be a transaction that waits for the disk.
    """

    def __init__(self, database: Database, opener: Opener) -> None:
        self._database = database
        self._opener = opener
        self._remembered: dict[str, store.PartnerKey] = {}
        self._nonces = Gathering[store.Nonce, bool](
            self._use, rows_of=lambda _: 1, rows_max=SET_MAX, sets_at_once=SETS_AT_ONCE
        )

    def remembered(self, keyid: str) -> store.PartnerKey | None:
        return self._remembered.get(keyid)

    async def looked_up(self, keyid: str) -> store.PartnerKey | None:
        """Give the key as it stands in the table, if it is good."""
        async with self._database.begin(single=True) as unit:
            known = await store.partner_key(unit, keyid)
        if known is None:
            self._remembered.pop(keyid, None)
        else:
            self._remembered[keyid] = known
        return known

    def secret(self, key: store.PartnerKey) -> bytes:
        return self._opener.open(SECRET_FIELD, key.key_id, b"", key.secret_sealed)

    async def is_fresh(self, nonce: store.Nonce) -> bool:
        """Use the nonce; false where it has been used before, or its key is good no more."""
        return await self._nonces.done(nonce)

    async def _use(self, nonces: Sequence[store.Nonce]) -> list[bool]:
        async with self._database.begin(single=True) as unit:
            return await store.use_nonces(unit, nonces)


async def partner_of(
    request: Request, signers: Signers, *, public_url: str, window: timedelta
) -> str:
    """Give the fixmedins_code of the hospital that signed the request."""
    found = _KEYID.search(request.headers.get("signature-input", ""))
    if found is None:
        raise SignatureRefused
    remembered = signers.remembered(found[1])
    if remembered is not None:
        with contextlib.suppress(SignatureRefused):
            return await _admitted(request, signers, remembered, public_url, window)
    # Nobody has asked for the key yet, or another stands in its place by now.
    key = await signers.looked_up(found[1])
    if key is None or key == remembered:
        raise SignatureRefused
    return await _admitted(request, signers, key, public_url, window)


async def _admitted(
    request: Request, signers: Signers, key: store.PartnerKey, public_url: str, window: timedelta
) -> str:
    message = Message(request.method, target_uri(request, public_url), request.headers)
    secret = _OneKey(key.keyid, signers.secret(key))
    nonce, created = verify(message, await request.body(), secret, window)
    if not await signers.is_fresh(store.Nonce(key.keyid, key.key_id, nonce, created + window)):
        raise SignatureRefused
    return key.fixmedins_code


def target_uri(request: Request, public_url: str) -> str:
    scope = request.scope
    origin = public_url.rstrip("/") or f"{scope['scheme']}://{request.headers.get('host', '')}"
    path = cast("bytes", scope["raw_path"]).decode("latin-1")
    query = cast("bytes", scope["query_string"]).decode("latin-1")
    return f"{origin}{path}?{query}" if query else f"{origin}{path}"


def sealed_key(sealer: Sealer, key: store.PartnerKey, secret: str) -> store.PartnerKey:
    """Give the key with its secret sealed, as it is stored."""
    sealed = sealer.seal("gateway", SECRET_FIELD, key.key_id, b"", secret.encode())
    return store.PartnerKey(key.keyid, key.key_id, key.fixmedins_code, sealed)
