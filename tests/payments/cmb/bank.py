"""A bank of a few lines at the other end of the line: it takes parts, and tells what it is told.

Its seals and signatures are made by another library, or another way, than the channel's own.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qs

import gmssl_pyx
import httpx
from cryptography.hazmat.primitives.asymmetric import utils
from starlette.types import Receive, Scope, Send

from services.common.identity import CardNumber, PersonName
from services.common.ids import new_id
from services.common.kit.http import Client
from services.common.money import Fen
from services.payments.channels.base import Payer
from services.payments.channels.cmb.channel import Cmb
from services.payments.channels.cmb.envelope import Keys
from services.payments.model.batches import Instruction
from services.payments.model.payouts import Payee, instruction_id

UID: Final = "U0038512"
USER: Final = b"U003851200000000"
SM4_KEY: Final = bytes(range(16))
OUR_PUBLIC, OUR_PRIVATE = gmssl_pyx.sm2_key_generate()
BANK_PUBLIC, BANK_PRIVATE = gmssl_pyx.sm2_key_generate()
KEYS: Final = Keys(UID, SM4_KEY, OUR_PRIVATE, BANK_PUBLIC)
PAYER: Final = Payer("755900000000000034", "威海市总工会", "WH01", "职工医疗互助金")
CARD: Final = "6217000000000000012"
DAY_TEXT: Final = "20261122"

Json = dict[str, Any]


def canonical(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def seal(text: bytes) -> bytes:
    return b64encode(gmssl_pyx.sm4_cbc_padding_encrypt(SM4_KEY, USER, text))


def unseal(sealed: str | bytes) -> bytes:
    return gmssl_pyx.sm4_cbc_padding_decrypt(SM4_KEY, USER, b64decode(sealed, validate=True))


def signed(message: Json, private: bytes = BANK_PRIVATE, public: bytes = BANK_PUBLIC) -> bytes:
    """Sign a message by the bank's hand and write it."""
    message["signature"] = {"sigdat": "__signature_sigdat__", "sigtim": "20261122120000"}
    der = gmssl_pyx.sm2_sign(private, public, canonical(message), USER)
    halves = b"".join(half.to_bytes(32, "big") for half in utils.decode_dss_signature(der))
    message["signature"]["sigdat"] = b64encode(halves).decode()
    return canonical(message)


def answer_to(request: Json, body: object, code: str = "SUC0000") -> Json:
    head = {**request["request"]["head"], "resultcode": code, "resultmsg": "", "rspid": "1"}
    return {"response": {"head": head, "body": body}}


@dataclass
class Part:
    lines: list[dict[str, str]]
    head: dict[str, str]


@dataclass
class Bank:
    """Takes batches by number; `tells` gives the body of any other question."""

    # The parts of each batch in the order in which they came; a part again is not another part.
    batches: dict[str, list[Part]] = field(default_factory=dict[str, list[Part]])
    heard: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])
    tells: Callable[[str, Json], object] = lambda _funcode, _body: None
    # What is done to every answer before it is signed, and after it is sealed.
    spoil: Callable[[Json], None] = lambda _message: None
    sealed: Callable[[bytes], bytes] = bytes
    sums_differ: bool = False

    def answer(self, form: bytes) -> bytes:
        fields = parse_qs(form.decode(), strict_parsing=True)
        request = json.loads(unseal(fields["DATA"][0]))
        assert (fields["UID"], fields["ALG"]) == ([UID], ["SM"])
        assert fields["FUNCODE"] == [request["request"]["head"]["funcode"]]
        told = self._answered(fields["FUNCODE"][0], request["request"]["body"])
        body, code = (None, told) if isinstance(told, str) else (told, "SUC0000")
        message = answer_to(request, body, code)
        self.spoil(message)
        return self.sealed(seal(signed(message)))

    def _answered(self, funcode: str, body: Json) -> object:
        self.heard.append((funcode, json.loads(json.dumps(body))))
        return self._take(body) if funcode == "BB6BTHHL" else self.tells(funcode, body)

    def _take(self, body: Json) -> object:
        head, lines = dict(body["bb6cdcbhx1"][0]), body["bb6cdcdlx1"]
        reqnbr, yurref = f"R{head['yurref']}", head["yurref"]
        assert head.pop("reqnbr", "") == ("" if head["begtag"] == "Y" else reqnbr)
        part, known = Part(lines, head), self.batches.setdefault(yurref, [])
        same = [one for one in known if one.lines[0]["trxseq"] == lines[0]["trxseq"]]
        if same and same != [part]:
            return "NCB003"
        if not same:
            known.append(part)
        if self.sums_differ and head["endtag"] == "Y":
            return "NCB005"
        return {"bb6cdcbhz1": [{"reqnbr": reqnbr, "reqsta": "OPR"}]}

    def lines_of(self, yurref: str) -> list[dict[str, str]]:
        return [line for part in self.batches[yurref] for line in part.lines]

    def page_of(self, body: Json) -> Json:
        """Answer BB6BPDQY for a batch of which every line was paid."""
        asked = body["bb6bpdqyy1"][0]
        lines, start = self.lines_of(asked["yurref"]), int(asked["trxseq"]) - 1
        head = self.batches[asked["yurref"]][0].head
        return {
            "bb6bpdqyz1": [
                {
                    "reqnbr": "R1",
                    "yurref": asked["yurref"],
                    "reqsta": "FIN",
                    "rtnflg": "S",
                    "ttlamt": head["ttlamt"],
                    "ttlcnt": head["ttlcnt"],
                    "sucamt": head["ttlamt"],
                    "succnt": head["ttlcnt"],
                }
            ],
            "bb6bpdqyz2": [paid(line) for line in lines[start : start + 1_000]],
            "nxtseq": f"{start + 1_001:08d}" if start + 1_000 < len(lines) else "",
        }


def paid(line: dict[str, str]) -> dict[str, str]:
    return {
        **{name: line[name] for name in ("trxseq", "accnbr", "trsamt", "cprref")},
        "stscod": "S",
        "errcod": "",
        "errtxt": "",
        "bkdat": DAY_TEXT,
        "bksn": f"9{line['trxseq']}",
    }


# What is lost on the way, the status the answer comes under, or what is heard in its place.
Fault = Literal["request lost", "answer lost"] | int | tuple[int, bytes]


@dataclass
class Line(httpx.AsyncBaseTransport):
    """The line to the bank; at the calls named (counted from 1) something goes wrong."""

    bank: Bank
    faults: dict[int, Fault] = field(default_factory=dict[int, Fault])
    calls: int = 0

    def __post_init__(self) -> None:
        self._door = httpx.ASGITransport(self._app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        fault = self.faults.get(self.calls)
        if fault == "request lost":
            raise httpx.ConnectError("nobody there", request=request)
        answer = await self._door.handle_async_request(request)
        if fault == "answer lost":
            raise httpx.ReadError("cut off", request=request)
        return answer

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert (scope["method"], scope["path"]) == ("POST", "/bank/cmb")
        form, more = b"", True
        while more:
            message = await receive()
            form, more = form + message["body"], message["more_body"]
        status, body = 200, self.bank.answer(form)
        match self.faults.get(self.calls):
            case int(other):
                status = other
            case (other, noise):
                status, body = other, noise
            case _:
                pass
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


def channel_to(line: Line | Bank) -> Cmb:
    transport = line if isinstance(line, Line) else Line(line)
    return Cmb(PAYER, KEYS, Client("bank", "http://bank", transport=transport))


def a_batch(count: int) -> list[Instruction]:
    payee = Payee(PersonName("王小明"), CardNumber(CARD), "工商银行")
    return [
        Instruction(line, instruction_id(new_id(), 1), payee, Fen(100 + line))
        for line in range(1, count + 1)
    ]
