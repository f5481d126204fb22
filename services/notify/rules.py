"""The code by which a member mends their card: it follows from the attempt that did not arrive."""

import hashlib
import hmac
import unicodedata
from typing import Final
from uuid import UUID

# Crockford's base 32: no letter that is taken for a digit.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARACTERS: Final = 10
INDEX_BYTES: Final = 16

_BITS: Final = 5
_AS_TYPED: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


class MendCodes:
    """Makes the codes anew whenever a text is written, so that only their hashes are kept."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, payout_id: UUID, attempt_no: int) -> str:
        """Give the attempt's code: ten characters, 50 bits that nobody guesses without the key."""
        digest = self._hash(b"code", f"{payout_id}/{attempt_no}")
        number = int.from_bytes(digest[:8], "big")
        return "".join(ALPHABET[number >> _BITS * n & 31] for n in range(CODE_CHARACTERS))

    def index(self, code: str) -> bytes:
        """Give what is kept of a code."""
        return self._hash(b"index", code)[:INDEX_BYTES]

    def _hash(self, use: bytes, text: str) -> bytes:
        return hmac.digest(self._key, use + b"\0" + text.encode(), hashlib.sha256)


def read_code(typed: str) -> str | None:
    """Read a code as people type it: small or wide letters, blanks, O for 0; None if it is none."""
    code = unicodedata.normalize("NFKC", typed).upper().translate(_AS_TYPED)
    fits = len(code) == CODE_CHARACTERS and set(code) <= set(ALPHABET)
    return code if fits else None
