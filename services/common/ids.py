"""Ids: new ones in the order of time (UUIDv7), others that follow from what they name (v8)."""

import time
from hashlib import sha256
from os import urandom
from uuid import UUID

_VARIANT = 0b10 << 62
_VERSION_7 = 7 << 76
_VERSION_8 = 8 << 76
_RAND_A = (1 << 12) - 1
_RAND_B = (1 << 62) - 1
_TAIL_BYTES = 10
_SPARE_BITS = 8 * _TAIL_BYTES - 74


def new_id() -> UUID:
    return new_ids(1)[0]


def new_ids(count: int) -> list[UUID]:
    """Many at the price of one look at the clock and at the random source; they come in order."""
    head = (time.time_ns() // 1_000_000) << 80 | _VERSION_7 | _VARIANT
    noise = urandom(_TAIL_BYTES * count)
    tails = sorted(
        int.from_bytes(noise[at : at + _TAIL_BYTES], "big") >> _SPARE_BITS
        for at in range(0, len(noise), _TAIL_BYTES)
    )
    return [UUID(int=head | tail >> 62 << 64 | tail & _RAND_B) for tail in tails]


def derived_id(*parts: str | int | bytes | UUID) -> UUID:
    """Give the same parts the same id for ever; each part's length is hashed with it."""
    digest = sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    number = int.from_bytes(digest.digest()[:16], "big")
    kept = number >> 80 << 80 | (number >> 64 & _RAND_A) << 64 | number & _RAND_B
    return UUID(int=kept | _VERSION_8 | _VARIANT)
