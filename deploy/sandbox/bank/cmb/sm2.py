"""SM2 by gmalg; r and s side by side, 32 bytes each, as this bank writes a signature."""

from functools import cache

from cryptography.hazmat.primitives.hashes import SM3, Hash
from gmalg import SM2
from gmalg.base import Hash as AnyHash

from deploy.sandbox.bank.cmb.curve import times

HALF_BYTES = 32
SIGNATURE_BYTES = 2 * HALF_BYTES


def sign(private_key: bytes, user: bytes, text: bytes) -> bytes:
    signer = SM2(private_key, user, _public_key(private_key))
    return side_by_side(*_sm2(signer).sign(text))


def side_by_side(r: bytes, s: bytes) -> bytes:
    """Join the halves of a signature; gmalg gives them without the zeros in front."""
    return r.rjust(HALF_BYTES, b"\0") + s.rjust(HALF_BYTES, b"\0")


def verify(public_key: bytes, user: bytes, text: bytes, signature: bytes) -> bool:
    """Say whether a signature of 64 bytes fits; the key is 65 bytes, 04 in front."""
    checker = _sm2(SM2(uid=user, pk=public_key))
    return checker.verify(text, signature[:HALF_BYTES], signature[HALF_BYTES:])


class _QuickSM3(AnyHash):
    """SM3 by OpenSSL: gmalg's own takes half a second for a part of a thousand details."""

    def __init__(self) -> None:
        self._hash = Hash(SM3())

    def reset(self) -> None:
        self._hash = Hash(SM3())

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def value(self) -> bytes:
        return self._hash.finalize()


@cache
def _public_key(private_key: bytes) -> bytes:
    """Work out once what gmalg would work out for every signature."""
    return SM2().generate_pk(private_key)


def _sm2(one: SM2) -> SM2:
    core = one._core  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - gmalg has no other place to give a hash or a product
    core._hash_obj = _QuickSM3()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
    core.ecdlp.ec.mul = times  # pyright: ignore[reportAttributeAccessIssue] - gmalg's is for other fields too
    return one
