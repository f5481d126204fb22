"""The provider's door: Aliyun's RPC over HTTP, one path, the action in a header."""

import asyncio
import binascii
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from deploy.sandbox.clock import CHINA, now
from deploy.sandbox.faults import Faults, SmsFault
from deploy.sandbox.sms.acs3 import Gatekeeper, NotAdmitted, SignedRequest
from deploy.sandbox.sms.provider import Call, Messages, Provider, Text
from deploy.sandbox.sms.receipts import Receipts
from deploy.sandbox.sms.templates import Approved, SmsRefused, Templates, read_params
from deploy.sandbox.wire import HangUp

PHONES_PER_SEND_MAX = 1_000
PHONES_PER_BATCH_MAX = 100
DETAILS_PER_PAGE_MAX = 50
OUT_ID_CHARS_MAX = 255
SENDING = frozenset({"SendSms", "SendBatchSms"})
WAITING, ARRIVED = 1, 3

V = TypeVar("V")
_WORDS = msgspec.json.Decoder(list[str])
_VARIABLES = msgspec.json.Decoder(list[dict[str, str]])


class Door:
    def __init__(
        self,
        gatekeeper: Gatekeeper,
        templates: Templates,
        provider: Provider,
        receipts: Receipts,
        faults: Faults,
    ) -> None:
        self._gatekeeper = gatekeeper
        self._templates = templates
        self._provider = provider
        self._receipts = receipts
        self._faults = faults

    def routes(self) -> APIRouter:
        router = APIRouter(tags=["sms"])
        # A route without FastAPI's reading of parameters: here every millisecond of a call counts.
        router.add_route("/", self.call, methods=["POST"])
        router.add_api_route("/sms/templates", self.put_templates, methods=["PUT"])
        router.add_api_route("/sms/log", self.get_log, methods=["GET"], response_class=Response)
        return router

    async def call(self, request: Request) -> Response:
        """SendSms, SendBatchSms or QuerySendDetails of dysmsapi 2017-05-25, signed by ACS3."""
        action = request.headers.get("x-acs-action", "")
        fault = self._faults.take(SmsFault) if action in SENDING else None
        if fault and fault.kind == "drop_request":
            return HangUp()
        if fault and fault.kind == "delay":
            await asyncio.sleep(fault.delay_s)
        answer = await self._answer(request, action, fault)
        return HangUp() if fault and fault.kind == "drop_answer" else answer

    async def put_templates(self, more: Approved) -> Approved:
        """Have more signatures and templates approved; answers with all there are."""
        return await self._templates.register(more)

    async def get_log(self) -> Response:
        return StreamingResponse(self._provider.log(), media_type="application/x-ndjson")

    async def _answer(self, request: Request, action: str, fault: SmsFault | None) -> Response:
        body = await request.body()
        query = request.url.query
        signed = SignedRequest(request.method, request.url.path, query, request.headers, body)
        try:
            nonce = self._gatekeeper.admit(signed, now())
            params = dict(parse_qsl(query)) | _form(body)
            found = await self._act(action, params, nonce, fault)
        except NotAdmitted as refused:
            return _reply({"Code": refused.code, "Message": refused.message}, refused.status)
        except SmsRefused as refused:
            return _reply({"Code": refused.code, "Message": refused.message})
        return _reply({"Code": "OK", "Message": "OK"} | found)

    async def _act(
        self, action: str, params: Mapping[str, str], nonce: str, fault: SmsFault | None
    ) -> dict[str, object]:
        if fault and fault.kind == "error":
            raise SmsRefused(fault.code, "按约定出错")
        match action:
            case "SendSms":
                return await self._send(params, nonce, fault)
            case "SendBatchSms":
                return await self._send_batch(params, nonce, fault)
            case "QuerySendDetails":
                return await self._details(params)
            case _:
                raise NotAdmitted(404, "InvalidAction.NotFound", "the action is not known")

    async def _send(
        self, params: Mapping[str, str], nonce: str, fault: SmsFault | None
    ) -> dict[str, object]:
        phones = _needed(params, "PhoneNumbers").split(",")
        if len(phones) > PHONES_PER_SEND_MAX:
            raise SmsRefused("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
        sign = _needed(params, "SignName")
        values = read_params(params.get("TemplateParam", ""))
        messages = Messages(phones, [sign] * len(phones), [values] * len(phones))
        return await self._hand_over(params, messages, nonce, fault)

    async def _send_batch(
        self, params: Mapping[str, str], nonce: str, fault: SmsFault | None
    ) -> dict[str, object]:
        phones = _array(_needed(params, "PhoneNumberJson"), _WORDS)
        signs = _array(_needed(params, "SignNameJson"), _WORDS)
        if len(phones) > PHONES_PER_BATCH_MAX:
            raise SmsRefused("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
        values = _array(params.get("TemplateParamJson") or "[]", _VARIABLES)
        values = values or [dict[str, str]() for _ in phones]
        if not phones or not len(phones) == len(signs) == len(values):
            raise SmsRefused("isv.INVALID_PARAMETERS", "号码、签名与变量的数量不一致")
        return await self._hand_over(params, Messages(phones, signs, values), nonce, fault)

    async def _hand_over(
        self,
        params: Mapping[str, str],
        messages: Messages,
        nonce: str,
        fault: SmsFault | None,
    ) -> dict[str, object]:
        out_id = params.get("OutId", "")
        if len(out_id) > OUT_ID_CHARS_MAX:
            raise SmsRefused("isv.INVALID_PARAMETERS", "OutId超过长度限制")
        template = _needed(params, "TemplateCode")
        kind = fault.kind if fault else ""
        receipts = {"no_receipt": 0, "duplicate_receipt": 2}.get(kind, 1)
        biz_id, offset = await self._provider.send(template, messages, out_id, nonce, receipts)
        self._receipts.expect(offset, len(messages.phones), receipts)
        return {"BizId": biz_id}

    async def _details(self, params: Mapping[str, str]) -> dict[str, object]:
        phone = _needed(params, "PhoneNumber")
        try:
            day = datetime.strptime(_needed(params, "SendDate"), "%Y%m%d").replace(tzinfo=CHINA)
            size, page = int(_needed(params, "PageSize")), int(_needed(params, "CurrentPage"))
        except ValueError as malformed:
            raise SmsRefused("isv.INVALID_PARAMETERS", "参数格式不正确") from malformed
        if not 1 <= size <= DETAILS_PER_PAGE_MAX or page < 1:
            raise SmsRefused("isv.INVALID_PARAMETERS", "分页参数不正确")
        texts = await self._provider.details(phone, day, params.get("BizId", ""))
        shown = texts[(page - 1) * size : page * size]
        return {
            "TotalCount": str(len(texts)),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": [_detail(*one) for one in shown]},
        }


def _detail(call: Call[Text], text: Text) -> dict[str, object]:
    moment = call.at[:19].replace("T", " ")
    detail: dict[str, object] = {
        "PhoneNum": text.phone,
        "SendStatus": ARRIVED if call.receipts else WAITING,
        "TemplateCode": call.template,
        "Content": text.content,
        "SendDate": moment,
        "OutId": call.out_id,
    }
    return detail | ({"ErrCode": "DELIVERED", "ReceiveDate": moment} if call.receipts else {})


def _form(body: bytes) -> dict[str, str]:
    """Read a form as `parse_qsl` does, which takes twenty times as long over a hundred texts."""
    pairs = (pair.partition(b"=") for pair in body.split(b"&"))
    return {_unquoted(name): _unquoted(value) for name, _, value in pairs if value}


def _unquoted(text: bytes) -> str:
    text = text.replace(b"+", b" ")
    if escapes := text.count(b"%"):
        # Quoted-printable is the same but for its sign, and is read by C.
        plain = binascii.a2b_qp(text.replace(b"%", b"="))
        wrong = b"=" in text or len(plain) != len(text) - 2 * escapes
        text = unquote_to_bytes(text) if wrong else plain
    return text.decode("utf-8", "replace")


def _needed(params: Mapping[str, str], name: str) -> str:
    value = params.get(name, "")
    if not value:
        raise NotAdmitted(400, f"Missing{name}", f"{name} is mandatory for this action")
    return value


def _array(text: str, decoder: "msgspec.json.Decoder[list[V]]") -> list[V]:
    try:
        return decoder.decode(text)
    except msgspec.DecodeError as unreadable:
        raise SmsRefused("isv.INVALID_JSON_PARAM", "JSON参数不合法") from unreadable


def _reply(fields: dict[str, object], status: int = 200) -> Response:
    return JSONResponse({"RequestId": secrets.token_hex(16).upper()} | fields, status)
