"""SM2 signatures as the bank writes them: r and s side by side, 32 bytes each (GB/T 32918)."""

from typing import Final

import gmssl_pyx
from cryptography.hazmat.primitives.asymmetric import utils

SIGNATURE_BYTES: Final = 64
_HALF: Final = SIGNATURE_BYTES // 2

# The curve of GB/T 32918.5: y² = x³ - 3x + b over p, and the point that everybody begins with.
_P: Final = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
_ORDER: Final = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
_BASE: Final = (
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)
_Point = tuple[int, int]


class Signer:
    """Signs for one private key (32 bytes), as the user the bank knows by `user_id`."""

    def __init__(self, private_key: bytes, user_id: bytes) -> None:
        self._private_key = private_key
        self._public_key = public_key_of(private_key)
        self._user_id = user_id

    def sign(self, text: bytes) -> bytes:
        der = gmssl_pyx.sm2_sign(self._private_key, self._public_key, text, self._user_id)
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


class Verifier:
    """Knows one public key: 64 bytes, 65 with 04 in front, or 33 where it is compressed."""

    def __init__(self, public_key: bytes, user_id: bytes) -> None:
        self._public_key = gmssl_pyx.normalize_sm2_public_key(public_key)
        self._user_id = user_id

    def is_signed(self, text: bytes, signature: bytes) -> bool:
        if len(signature) != SIGNATURE_BYTES:
            return False
        r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
        der = utils.encode_dss_signature(r, s)
        return gmssl_pyx.sm2_verify(self._public_key, text, der, self._user_id)


def public_key_of(private_key: bytes) -> bytes:
    """Work out the 64 bytes that go with a private key; raise `ValueError` where it is none.

    The library wants them for every signature and does not tell them. It is done once, at the
    start: nobody can time it.
    """
    times = int.from_bytes(private_key, "big")
    if len(private_key) != _HALF or not 0 < times < _ORDER - 1:
        raise ValueError("not a private key of SM2")
    point: _Point | None = None
    for bit in f"{times:b}":
        point = _sum(point, point)
        if bit == "1":
            point = _sum(point, _BASE)
    assert point is not None, "the order of the curve is prime"
    return b"".join(number.to_bytes(_HALF, "big") for number in point)


def _sum(one: _Point | None, other: _Point | None) -> _Point | None:
    """Add two points of the curve; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    over, under = (3 * x1 * x1 - 3, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = over * pow(under, -1, _P) % _P
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P
