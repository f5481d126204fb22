"""The envelope of the API door: what is signed, what is enciphered, and by whose key.

DATA = base64(SM4-CBC(canonical JSON)); the JSON is signed by SM2 over itself with the signature's
place held by PLACEHOLDER. Key and user id of both follow from the customer's UID.
"""

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, NoReturn, cast

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.padding import PKCS7

from deploy.sandbox.bank.cmb.sm2 import SIGNATURE_BYTES, sign, verify

PLACEHOLDER = "__signature_sigdat__"
UID = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)
BLOCK_BYTES = 16

Json = Mapping[str, object]


class Undecipherable(Exception):
    """What came was not enciphered with our key: nobody can be answered in confidence."""


class Unreadable(Exception):
    """What came is no signed JSON object in canonical form."""


class Forged(Exception):
    """The signature does not belong to what it stands under; `message` says what that is."""

    def __init__(self, message: "Json") -> None:
        super().__init__()
        self.message = message


class Keys(NamedTuple):
    """SM4 key 16 bytes, the bank's private key 32 bytes, the customer's public point 65 bytes."""

    sm4: bytes
    bank_private: bytes
    client_public: bytes


class Envelope:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def open(self, uid: str, data: str) -> Json:
        """Decipher a request and prove whose it is; give the JSON object in it.

        Raises Undecipherable, Unreadable, or Forged where it can be read but is not the customer's.
        """
        message = parse(self._decipher(uid, data))
        fields = message.get("signature")
        if not isinstance(fields, dict):
            raise Unreadable
        signature = cast("Json", fields)
        _check_moment(signature.get("sigtim"))
        unsigned = {**message, "signature": {**signature, "sigdat": PLACEHOLDER}}
        try:
            halves = base64.b64decode(str(signature.get("sigdat")), validate=True)
        except ValueError:
            raise Forged(message) from None
        user, text = sm2_user(uid), canonical(unsigned)
        if len(halves) != SIGNATURE_BYTES:
            raise Forged(message)
        if not verify(self._keys.client_public, user, text, halves):
            raise Forged(message)
        return message

    def seal(self, uid: str, response: Json, at: datetime) -> bytes:
        """Sign and encipher an answer."""
        signature = {"sigdat": PLACEHOLDER, "sigtim": at.strftime("%Y%m%d%H%M%S")}
        message = {"response": response, "signature": signature}
        halves = sign(self._keys.bank_private, sm2_user(uid), canonical(message))
        signature["sigdat"] = base64.b64encode(halves).decode()
        padder = PKCS7(8 * BLOCK_BYTES).padder()
        padded = padder.update(canonical(message)) + padder.finalize()
        encryptor = self._cipher(uid).encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize())

    def _decipher(self, uid: str, data: str) -> bytes:
        try:
            secret = base64.b64decode(data, validate=True)
            decryptor = self._cipher(uid).decryptor()
            padded = decryptor.update(secret) + decryptor.finalize()
            unpadder = PKCS7(8 * BLOCK_BYTES).unpadder()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            raise Undecipherable from None

    def _cipher(self, uid: str) -> "Cipher[modes.CBC]":
        iv = (uid + "000000").ljust(BLOCK_BYTES, "0")[:BLOCK_BYTES].encode()
        return Cipher(SM4(self._keys.sm4), modes.CBC(iv))


def sm2_user(uid: str) -> bytes:
    return (uid + "0" * BLOCK_BYTES)[:BLOCK_BYTES].encode()


def canonical(message: Json) -> bytes:
    """Write JSON with sorted keys, no blanks, and no escapes for what is not ASCII."""
    text = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def parse(content: bytes) -> Json:
    """Read an object of canonical JSON; any other way of writing the same is refused."""
    try:
        message: object = json.loads(content.decode(), parse_constant=_no_constant)
        if isinstance(message, dict) and canonical(cast("Json", message)) == content:
            return cast("Json", message)
    except (ValueError, RecursionError):
        pass
    raise Unreadable


def _check_moment(text: object) -> None:
    try:
        datetime.strptime(f"{text}+0800", "%Y%m%d%H%M%S%z")
    except ValueError:
        raise Unreadable from None


def _no_constant(_word: str) -> NoReturn:
    raise ValueError
