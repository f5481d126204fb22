"""Aliyun's request signature, version 3 (ACS3-HMAC-SHA256), for calls with a form and no query."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

ALGORITHM = "ACS3-HMAC-SHA256"
VERSION = "2017-05-25"


def form(params: Mapping[str, str]) -> bytes:
    """Write the parameters as the body: a phone must not stand in a URL."""
    return quoted_form({name: quoted(value) for name, value in params.items()})


def quoted_form(params: Mapping[str, str]) -> bytes:
    """Write as the body parameters whose values are `quoted` already."""
    return "&".join([f"{name}={value}" for name, value in params.items()]).encode("ascii")


def quoted(text: str) -> str:
    """Give the text as it stands in a form."""
    return quote(text, safe="")


def signed_headers(
    *,
    action: str,
    body: bytes,
    host: str,
    key_id: str,
    secret: str,
    nonce: str,
    moment: datetime,
) -> dict[str, str]:
    """Give the headers of a POST to `/`, the signature with them."""
    content = hashlib.sha256(body).hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": content,
        "x-acs-date": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": VERSION,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{content}"
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    proof = f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"
    return headers | {
        "authorization": proof,
        "content-type": "application/x-www-form-urlencoded",
    }
