"""The envelope of every call: canonical JSON, signed with SM2, sealed with SM4-CBC, in a form.

What is sealed is not thereby true: an answer counts only where the bank has signed it, and only
as the answer to the very question that was asked.
"""

import json
from base64 import b64decode, b64encode
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from services.common.kit import clock
from services.common.kit.clock import BUSINESS_ZONE
from services.common.kit.http import AnswerLost
from services.payments.channels.cmb.sm2 import Signer, Verifier

# What stands in the place of the signature while it is made.
_UNSIGNED: Final = "__signature_sigdat__"
_USER_ID_BYTES: Final = 16
_BLOCK_BITS: Final = 128


class AnswerUnreadable(AnswerLost):
    """What came back is not sealed or not signed by the bank, or answers another question."""

    code = "ANSWER_UNREADABLE"


class Keys(NamedTuple):
    """Who we are to the bank: SM4 key 16 bytes, private key 32 bytes, the bank's public key."""

    uid: str
    sm4_key: bytes
    private_key: bytes
    bank_public_key: bytes

    def __repr__(self) -> str:
        return f"Keys({self.uid})"


class Reply(NamedTuple):
    """What the bank has signed: its word, and what belongs to it."""

    code: str
    body: object


class _Head(msgspec.Struct):
    funcode: str
    userid: str
    reqid: str
    resultcode: str


class _Response(msgspec.Struct):
    head: _Head
    body: Any = None


class _Signature(msgspec.Struct):
    sigdat: str
    sigtim: str


class _Signed(msgspec.Struct):
    response: _Response
    signature: _Signature


class Envelope:
    def __init__(self, keys: Keys) -> None:
        user_id = (keys.uid + "0" * _USER_ID_BYTES)[:_USER_ID_BYTES].encode("ascii")
        self._uid = keys.uid
        self._signer = Signer(keys.private_key, user_id)
        self._bank = Verifier(keys.bank_public_key, user_id)
        self._cipher = Cipher(SM4(keys.sm4_key), CBC(user_id))

    def seal(self, funcode: str, reqid: str, body: object) -> bytes:
        """Give the form to be sent; `reqid` names this one call."""
        now = clock.now().astimezone(BUSINESS_ZONE)
        signature = {"sigdat": _UNSIGNED, "sigtim": f"{now:%Y%m%d%H%M%S}"}
        head = {"funcode": funcode, "userid": self._uid, "reqid": reqid}
        signed = {"request": {"head": head, "body": body}, "signature": signature}
        signature["sigdat"] = b64encode(self._signer.sign(canonical(signed))).decode()
        form = {"UID": self._uid, "ALG": "SM", "FUNCODE": funcode}
        return urlencode({**form, "DATA": self._sealed(canonical(signed))}).encode()

    def open(self, funcode: str, reqid: str, content: bytes) -> Reply:
        """Read the answer to a call; raise `AnswerUnreadable` for anything else."""
        try:
            # None of these errors goes on: they may hold what they could not read.
            text = json.loads(self._opened(content).decode())
            signed = msgspec.convert(text, _Signed)
            signature = b64decode(signed.signature.sigdat, validate=True)
            text["signature"]["sigdat"] = _UNSIGNED
            bytes_signed = canonical(text)
        except (ValueError, RecursionError, msgspec.ValidationError):
            raise AnswerUnreadable from None
        if not self._bank.is_signed(bytes_signed, signature):
            raise AnswerUnreadable
        head = signed.response.head
        if (head.funcode, head.userid, head.reqid) != (funcode, self._uid, reqid):
            raise AnswerUnreadable
        return Reply(head.resultcode, signed.response.body)

    def _sealed(self, text: bytes) -> str:
        pad, seal = PKCS7(_BLOCK_BITS).padder(), self._cipher.encryptor()
        padded = pad.update(text) + pad.finalize()
        return b64encode(seal.update(padded) + seal.finalize()).decode()

    def _opened(self, content: bytes) -> bytes:
        unseal, unpad = self._cipher.decryptor(), PKCS7(_BLOCK_BITS).unpadder()
        padded = unseal.update(b64decode(content, validate=True)) + unseal.finalize()
        return unpad.update(padded) + unpad.finalize()


def canonical(value: object) -> bytes:
    """Write JSON in the one way both sides sign: keys sorted, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
