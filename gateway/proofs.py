"""How somebody proves who they are: passwords, one-time codes, tokens. Pure but for randomness."""

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

TOTP_STEP_S: Final = 30
TOTP_DIGITS: Final = 6
TOTP_SECRET_BYTES: Final = 20
CODE_DIGITS: Final = 6
_TOKEN_BYTES: Final = 32
_SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What one guess at a password costs."""

    memory_kib: int
    iterations: int

    def hashed(self, password: str) -> str:
        """Give the password's Argon2id hash in its usual text form, parameters included."""
        kdf = Argon2id(
            salt=os.urandom(_SALT_BYTES),
            length=32,
            iterations=self.iterations,
            lanes=1,
            memory_cost=self.memory_kib,
        )
        return kdf.derive_phc_encoded(password.encode())


def password_fits(password: str, password_hash: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password.encode(), password_hash)
    except InvalidKey:
        return False
    return True


def totp(secret_base32: str, step: int) -> str:
    """RFC 6238 with its defaults: HMAC-SHA1, six digits, steps of thirty seconds."""
    key = base64.b32decode(secret_base32)
    digest = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**TOTP_DIGITS:0{TOTP_DIGITS}d}"


def totp_step(secret_base32: str, code: str, unix_time: float, drift_steps: int) -> int | None:
    """Find the step whose code this is, within the drift of the person's clock."""
    current = int(unix_time) // TOTP_STEP_S
    steps = range(current - drift_steps, current + drift_steps + 1)
    matching = [step for step in steps if hmac.compare_digest(totp(secret_base32, step), code)]
    return max(matching, default=None)


def new_totp_secret() -> str:
    return base64.b32encode(os.urandom(TOTP_SECRET_BYTES)).decode()


def new_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def fingerprint(token: str) -> bytes:
    """Give what is stored of a token; a token is random enough to need no salt."""
    return hashlib.sha256(token.encode()).digest()


def new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def code_hash(login_id: UUID, code: str, salt: bytes) -> bytes:
    """Give what is stored of a login code, which lives minutes and allows a few tries."""
    return hmac.digest(salt, login_id.bytes + code.encode(), hashlib.sha256)


def new_salt() -> bytes:
    return os.urandom(_SALT_BYTES)
