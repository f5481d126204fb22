"""A customer of the API door, by GmSSL: another hand than the bank's for every cipher and sign."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import gmssl_pyx
import httpx
from cryptography.hazmat.primitives.asymmetric import utils
from gmalg import SM2

PAYER = "755900000000000034"
UID = "SANDBOX001"
USER = b"SANDBOX001000000"
SM4_KEY = bytes(range(16))
NOBODY = b"__signature_sigdat__"

Body = Mapping[str, Sequence[Mapping[str, str]]]
Spoil = Callable[[bytes], bytes]


def untouched(text: bytes) -> bytes:
    return text


def canonical(message: object) -> bytes:
    text = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


@dataclass
class Customer:
    """Its keys and the bank's; made once for a run of tests."""

    private: bytes = field(default_factory=lambda: SM2().generate_keypair()[0].rjust(32, b"\0"))
    bank_private: bytes = field(
        default_factory=lambda: SM2().generate_keypair()[0].rjust(32, b"\0")
    )

    @property
    def settings(self) -> dict[str, str]:
        """What the bank is told."""
        return {
            "cmb_sm4_key": SM4_KEY.hex(),
            "cmb_bank_private_key": self.bank_private.hex(),
            "cmb_client_public_key": SM2().generate_pk(self.private).hex(),
        }

    def form(
        self,
        funcode: str,
        body: object,
        *,
        reqid: str = "r1",
        spoil_signed: Spoil = untouched,
        spoil_cipher: Spoil = untouched,
    ) -> dict[str, str]:
        """Write a call; `spoil_signed` changes what is enciphered, `spoil_cipher` the cipher."""
        head = {"funcode": funcode, "userid": UID, "reqid": reqid}
        message = {
            "request": {"head": head, "body": body},
            "signature": {"sigdat": NOBODY.decode(), "sigtim": "20261122120000"},
        }
        unsigned = canonical(message)
        der = gmssl_pyx.sm2_sign(self.private, _point(self.private), unsigned, USER)
        halves = b"".join(one.to_bytes(32, "big") for one in utils.decode_dss_signature(der))
        signed = spoil_signed(unsigned.replace(NOBODY, b64encode(halves)))
        cipher = spoil_cipher(gmssl_pyx.sm4_cbc_padding_encrypt(SM4_KEY, USER, signed))
        data = b64encode(cipher).decode()
        return {"UID": UID, "ALG": "SM", "FUNCODE": funcode, "INSPLAT": "X", "DATA": data}

    def opened(self, content: bytes) -> dict[str, Any]:
        """Decipher an answer, prove that it is the bank's, and give it."""
        text = gmssl_pyx.sm4_cbc_padding_decrypt(SM4_KEY, USER, b64decode(content, validate=True))
        message = json.loads(text)
        assert canonical(message) == text
        halves = b64decode(message["signature"]["sigdat"])
        assert len(halves) == 64
        r, s = (int.from_bytes(half, "big") for half in (halves[:32], halves[32:]))
        unsigned = text.replace(b64encode(halves), NOBODY)
        der = utils.encode_dss_signature(r, s)
        assert gmssl_pyx.sm2_verify(_point(self.bank_private), unsigned, der, USER)
        return message["response"]


@dataclass
class Line:
    """A customer with a line to its bank."""

    customer: Customer
    http: httpx.AsyncClient

    async def send(self, form: Mapping[str, str]) -> httpx.Response:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self.http.post("/bank/cmb", content=urlencode(form), headers=headers)

    async def ask(self, funcode: str, body: object) -> tuple[str, Any]:
        """Call, and give the result code and the body of the answer."""
        answer = await self.send(self.customer.form(funcode, body))
        response = self.customer.opened(answer.content)
        head = response["head"]
        assert (head["funcode"], head["userid"], head["reqid"]) == (funcode, UID, "r1")
        return head["resultcode"], response["body"]


def part(number: str, first: int, last: int, count: int, **other: str) -> dict[str, Any]:
    """Write a part of a batch of so many transfers, each of 1.00; `other` changes its head."""
    details = [
        {
            "trxseq": f"{place:08d}",
            "accnbr": f"6217{place:012d}",
            "accnam": "阿依古丽·买买提",
            "trsamt": "1.00",
            "trsdsp": "互助金",
            "bnkflg": "Y",
            "eacbnk": "招商银行",
            "cprref": f"I{number}-{place}",
        }
        for place in range(first, last + 1)
    ]
    size = last - first + 1
    head = {
        "begtag": "Y" if first == 1 else "N",
        "endtag": "Y" if last == count else "N",
        "accnbr": PAYER,
        "accnam": "威海市总工会",
        "ttlamt": f"{count}.00",
        "ttlcnt": str(count),
        "ttlnum": str(-(-count // size) if first == 1 else 2),
        "curamt": f"{size}.00",
        "curcnt": str(size),
        "ccynbr": "10",
        "trstyp": "BYSA",
        "nusage": "互助金",
        "eptdat": "20261122",
        "yurref": number,
        "chlflg": "M",
    }
    mode = {"buscod": "N03020", "busmod": "00001"}
    return {"bb6busmod": [mode], "bb6cdcbhx1": [head | other], "bb6cdcdlx1": details}


def _point(private: bytes) -> bytes:
    return SM2().generate_pk(private)[1:]
