"""The API door itself: one address, opened by the envelope, told apart by FUNCODE."""

import asyncio
import secrets
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.cmb.answers import Answers, Body
from deploy.sandbox.bank.cmb.envelope import (
    UID,
    Envelope,
    Forged,
    Json,
    Keys,
    Undecipherable,
    Unreadable,
)
from deploy.sandbox.bank.cmb.parts import FORMAT, CallRefused, Parts
from deploy.sandbox.bank.cmb.requests import (
    AskBatch,
    AskDay,
    AskMovements,
    AskReturns,
    Malformed,
    Submit,
    read,
)
from deploy.sandbox.clock import now
from deploy.sandbox.faults import CmbFault, Faults
from deploy.sandbox.settings import SandboxSettings
from deploy.sandbox.wire import HangUp

BYTES_MAX = 8 * 1024 * 1024
TAKEN = "SUC0000"
SIGNATURE = "NCB001"
BUSY = "NCB009"
WORDS = {
    TAKEN: "成功",
    SIGNATURE: "验签失败",
    FORMAT: "报文格式错误",
    "NCB003": "业务参考号重复",
    "NCB004": "无此记录",
    "NCB005": "各段汇总不符",
    BUSY: "系统繁忙",
}


class CmbDoor:
    def __init__(self, bank: Bank, faults: Faults, settings: SandboxSettings) -> None:
        keys = keys_of(settings)
        self._envelope = Envelope(keys) if keys else None
        self._faults = faults
        self._parts = Parts(bank)
        self._answers = Answers(bank, self._parts)

    def routes(self) -> APIRouter:
        router = APIRouter(tags=["bank, API"])
        router.add_api_route("/bank/cmb", self.call, methods=["POST"], response_class=Response)
        return router

    async def call(self, request: Request) -> Response:
        """Answer one call; what cannot be deciphered is told so in plain words."""
        fault = self._faults.take(CmbFault)
        form = await _form(request)
        uid, funcode = form.get("UID", ""), form.get("FUNCODE", "")
        if fault and fault.kind == "drop_request":
            return HangUp()
        if fault and fault.kind == "delay":
            await asyncio.sleep(fault.delay_s)
        if self._envelope is None:
            return PlainTextResponse("CDCServer:ErrMsg no keys")
        if not UID.fullmatch(uid) or form.get("ALG") != "SM":
            return PlainTextResponse("ErrMsg:UID or ALG")
        busy = fault is not None and fault.kind == "busy"
        try:
            answer = await self._answer(self._envelope, uid, funcode, form, busy=busy)
        except Undecipherable:
            return PlainTextResponse("ErrMsg:DATA")
        if fault and fault.kind == "drop_answer":
            return HangUp()
        if fault and fault.kind == "garbage":
            return Response(secrets.token_bytes(len(answer)))
        return Response(answer, media_type="text/plain")

    async def _answer(
        self, envelope: Envelope, uid: str, funcode: str, form: Mapping[str, str], *, busy: bool
    ) -> bytes:
        head: Json = {}
        body: Body = {}
        try:
            message = await asyncio.to_thread(envelope.open, uid, form.get("DATA", ""))
            head, asked = _parts_of(message)
            code = BUSY
            if not busy:
                body = await self._serve(uid, funcode, head, asked)
                code = TAKEN
        except Forged as forged:
            code, head = SIGNATURE, _parts_of(forged.message)[0]
        except (Unreadable, Malformed):
            code = FORMAT
        except CallRefused as refused:
            code = refused.code
        response: Json = {
            "head": {
                "funcode": funcode,
                "userid": uid,
                "reqid": str(head.get("reqid", "")),
                "resultcode": code,
                "resultmsg": WORDS[code],
                "rspid": secrets.token_hex(16),
            },
            "body": body,
        }
        return await asyncio.to_thread(envelope.seal, uid, response, now())

    def _serve(self, uid: str, funcode: str, head: Json, asked: object) -> Awaitable[Body]:
        if (head.get("funcode"), head.get("userid")) != (funcode, uid):
            raise Malformed
        match funcode:
            case "BB6BTHHL":
                return self._submit(read(asked, Submit))
            case "BB6BPDQY":
                return self._answers.batch(read(asked, AskBatch))
            case "BB6RFDQY":
                return self._answers.returns(read(asked, AskReturns))
            case "DCTRSINF":
                return self._answers.movements(read(asked, AskMovements))
            case "NTDAYSTM":
                return self._answers.day(read(asked, AskDay))
            case _:
                raise Malformed

    async def _submit(self, part: Submit) -> Body:
        one = await self._parts.take(part)
        return {"bb6cdcbhz1": [{"reqnbr": one.reqnbr, "reqsta": self._answers.state_of(one)}]}


def keys_of(settings: SandboxSettings) -> Keys | None:
    """Read the keys, from the settings or the files they name; none where one is missing."""
    named = (
        (settings.cmb_sm4_key, settings.cmb_sm4_key_file),
        (settings.cmb_bank_private_key, settings.cmb_bank_private_key_file),
        (settings.cmb_client_public_key, settings.cmb_client_public_key_file),
    )
    sm4, bank_private, client_public = (_key(text, file) for text, file in named)
    if not (sm4 and bank_private and client_public):
        return None
    return Keys(sm4, bank_private, client_public)


def _key(text: str, file: Path | None) -> bytes:
    return bytes.fromhex(text or (file.read_text(encoding="ascii") if file else ""))


async def _form(request: Request) -> dict[str, str]:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BYTES_MAX:
            return {}
    try:
        return dict(parse_qsl(content.decode("ascii"), strict_parsing=True, max_num_fields=8))
    except ValueError:
        return {}


def _parts_of(message: Json) -> tuple[Json, object]:
    """Give a request's head and body; what is not there is empty."""
    request = _fields(message.get("request"))
    return _fields(request.get("head")), request.get("body")


def _fields(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}
