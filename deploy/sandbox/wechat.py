"""WeChat's server as a mini program's server sees it: login codes, phone codes, access tokens."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.responses import JSONResponse, Response, StreamingResponse

from deploy.sandbox.books import Book
from deploy.sandbox.clock import now, stamp
from deploy.sandbox.faults import Faults, WeChatFault
from deploy.sandbox.settings import SandboxSettings

WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40013: "invalid appid",
    40029: "invalid code",
    40125: "invalid appsecret",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    42001: "access_token expired",
}
TOKEN = re.compile(r"(\d{10})_[0-9a-f]{64}", re.ASCII)

Filled = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Mobile = Annotated[str, StringConstraints(pattern=r"^1[3-9][0-9]{9}$")]


class CodeIn(BaseModel):
    """With a phone it is the code of a phone button, without one it is a login code."""

    model_config = ConfigDict(extra="forbid")

    code: Filled
    openid: Filled
    unionid: Filled | None = None
    phone: Mobile | None = None


class Code(msgspec.Struct):
    at: str
    code: str
    openid: str
    unionid: str | None
    phone: str | None


class Call(msgspec.Struct):
    """One call as the log shows it; a code that worked is spent."""

    at: str
    call: str
    errcode: int = 0
    code: str | None = None
    openid: str | None = None
    phone: str | None = None


class CallRefused(Exception):
    def __init__(self, errcode: int) -> None:
        super().__init__(WORDS[errcode])
        self.errcode = errcode


class WeChat:
    def __init__(self, settings: SandboxSettings, faults: Faults) -> None:
        folder = settings.data_dir / "wechat"
        self._appid = settings.wechat_appid
        self._secret = settings.wechat_secret
        self._code_ttl = timedelta(seconds=settings.wechat_code_ttl_s)
        self._token_ttl_s = settings.wechat_token_ttl_s
        self._faults = faults
        self._registered = Book(folder / "codes.jsonl")
        self._log = Book(folder / "log.jsonl")
        self._codes: dict[str, Code] = {}
        self._read_books()

    def routes(self) -> APIRouter:
        router = APIRouter(tags=["wechat"])
        router.add_api_route("/sns/jscode2session", self.login, methods=["GET"])
        router.add_api_route("/cgi-bin/token", self.token, methods=["GET"])
        router.add_api_route("/cgi-bin/stable_token", self.stable_token, methods=["POST"])
        router.add_api_route("/wxa/business/getuserphonenumber", self.phone, methods=["POST"])
        router.add_api_route("/wechat/codes", self.register, methods=["POST"], status_code=201)
        router.add_api_route("/wechat/log", self.log, methods=["GET"], response_class=Response)
        return router

    async def register(self, codes: list[CodeIn]) -> dict[str, int]:
        """Hand out codes as a phone would get them; each is good for one use."""
        at = stamp(now())
        fresh = [Code(at, one.code, one.openid, one.unionid, one.phone) for one in codes]
        await self._registered.append([msgspec.json.encode(code) for code in fresh])
        self._codes.update((code.code, code) for code in fresh)
        return {"registered": len(fresh)}

    async def login(self, request: Request) -> Response:
        """Exchange a login code for openid and session_key (code2Session)."""
        asked = request.query_params
        call = Call(stamp(now()), "jscode2session", code=asked.get("js_code"))
        return await self._answer(call, lambda: self._session(asked, call))

    async def token(self, request: Request) -> Response:
        asked = request.query_params
        return await self._answer(Call(stamp(now()), "token"), lambda: self._token(asked))

    async def stable_token(self, request: Request) -> Response:
        asked = await _json(request)
        return await self._answer(Call(stamp(now()), "stable_token"), lambda: self._token(asked))

    async def phone(self, request: Request) -> Response:
        """Exchange the code of a phone button for the phone number."""
        asked = await _json(request)
        token = request.query_params.get("access_token", "")
        call = Call(stamp(now()), "getuserphonenumber", code=asked.get("code"))
        return await self._answer(call, lambda: self._phone(asked, token, call))

    async def log(self) -> Response:
        return StreamingResponse(self._log.chunks(), media_type="application/x-ndjson")

    def _session(self, asked: Mapping[str, str], call: Call) -> Mapping[str, object]:
        self._know(asked, grant_type="authorization_code")
        if not asked.get("js_code"):
            raise CallRefused(41008)
        code = self._spend(asked["js_code"], for_phone=False)
        call.openid = code.openid
        found = {"openid": code.openid, "session_key": _session_key()}
        return found | ({"unionid": code.unionid} if code.unionid else {})

    def _token(self, asked: Mapping[str, str]) -> Mapping[str, object]:
        self._know(asked, grant_type="client_credential")
        token = self._sign(int(time.time()) + self._token_ttl_s)
        return {"access_token": token, "expires_in": self._token_ttl_s}

    def _phone(self, asked: Mapping[str, str], token: str, call: Call) -> Mapping[str, object]:
        self._check_token(token)
        if not asked.get("code"):
            raise CallRefused(41008)
        code = self._spend(asked["code"], for_phone=True)
        call.openid, call.phone = code.openid, code.phone
        info = {
            "phoneNumber": code.phone,
            "purePhoneNumber": code.phone,
            "countryCode": "86",
            "watermark": {"timestamp": int(time.time()), "appid": self._appid},
        }
        return {"errcode": 0, "errmsg": "ok", "phone_info": info}

    def _know(self, asked: Mapping[str, str], grant_type: str) -> None:
        if not asked.get("appid"):
            raise CallRefused(41002)
        if not asked.get("secret"):
            raise CallRefused(41004)
        if asked["appid"] != self._appid:
            raise CallRefused(40013)
        if not hmac.compare_digest(asked["secret"].encode(), self._secret.encode()):
            raise CallRefused(40125)
        if asked.get("grant_type") != grant_type:
            raise CallRefused(40002)

    def _spend(self, code: str, *, for_phone: bool) -> Code:
        """Use up a code before the first await, so that two at once cannot both have it."""
        known = self._codes.get(code)
        if known is None or for_phone != (known.phone is not None):
            raise CallRefused(40029)
        del self._codes[code]
        if now() - datetime.fromisoformat(known.at) > self._code_ttl:
            raise CallRefused(40029)
        return known

    def _sign(self, expires: int) -> str:
        """Make a token that a restarted WeChat still knows: the time it ends, and its seal."""
        seal = hmac.new(self._secret.encode(), f"{self._appid}|{expires}".encode(), hashlib.sha256)
        return f"{expires}_{seal.hexdigest()}"

    def _check_token(self, token: str) -> None:
        if not token:
            raise CallRefused(41001)
        parts = TOKEN.fullmatch(token)
        if parts is None or not hmac.compare_digest(token, self._sign(int(parts.group(1)))):
            raise CallRefused(40001)
        if int(parts.group(1)) < time.time():
            raise CallRefused(42001)

    async def _answer(self, call: Call, work: Callable[[], Mapping[str, object]]) -> Response:
        """Do the work, write the call down, then answer; WeChat says 200 whatever happened."""
        found: Mapping[str, object] = {}
        if self._faults.take(WeChatFault):
            call.errcode = -1
        else:
            try:
                found = work()
            except CallRefused as refused:
                call.errcode = refused.errcode
        if call.errcode:
            found = {"errcode": call.errcode, "errmsg": WORDS[call.errcode]}
        await self._log.append([msgspec.json.encode(call)])
        return JSONResponse(dict(found))

    def _read_books(self) -> None:
        codes = msgspec.json.Decoder(Code)
        for _, line in self._registered.lines():
            code = codes.decode(line)
            self._codes[code.code] = code
        calls = msgspec.json.Decoder(Call)
        for _, line in self._log.lines():
            call = calls.decode(line)
            known = self._codes.get(call.code or "")
            if known and call.errcode == 0 and call.at >= known.at:
                del self._codes[known.code]


async def _json(request: Request) -> Mapping[str, str]:
    """Read what is text in the body; what cannot be read counts as missing."""
    try:
        asked = msgspec.json.decode(await request.body(), type=dict[str, object])
    except msgspec.DecodeError:
        return {}
    return {name: value for name, value in asked.items() if isinstance(value, str)}


def _session_key() -> str:
    return base64.b64encode(secrets.token_bytes(16)).decode()
