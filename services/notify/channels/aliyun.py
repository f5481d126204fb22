"""Aliyun dysmsapi 2017-05-25: SendBatchSms and QuerySendDetails.

The provider does not recognise a repeated text, so one that may have been taken is asked about
by phone and OutId. A call is taken or refused as a whole.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from services.common.identity import Phone
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.clock import BUSINESS_ZONE
from services.common.kit.http import AnswerLost, Client, Unreachable
from services.notify.channels import acs3
from services.notify.channels.base import NOT_FOUND, Outcome, Remedy, Verdict
from services.notify.model import Call
from services.notify.texts.wording import Wording

OK: Final = "OK"
DETAILS_PER_PAGE: Final = 50
DETAIL_PAGES_MAX: Final = 20
SERVER_ERROR: Final = 500
# Short names, days and reasons: the same few thousand for all texts of a year.
QUOTED_STRINGS_MAX: Final = 4_096

# Stands in JSON and in a form as it is.
_PLAIN: Final = re.compile("[0-9A-Za-z.]*").fullmatch

# What is surely not sent, and what helps. A code that is not listed says nothing for certain
# (isp.SYSTEM_ERROR least of all), so its texts are asked about.
REMEDIES: Final[Mapping[str, Remedy]] = {
    "isv.MOBILE_NUMBER_ILLEGAL": Remedy.NONE,
    "isv.BLACK_KEY_CONTROL_LIMIT": Remedy.NONE,
    "isv.PARAM_LENGTH_LIMIT": Remedy.NONE,
    "isv.PARAM_NOT_SUPPORT_URL": Remedy.NONE,
    "isv.INVALID_JSON_PARAM": Remedy.NONE,
    "isv.BUSINESS_LIMIT_CONTROL": Remedy.LATER,
    "isv.DAY_LIMIT_CONTROL": Remedy.LATER,
    "isv.MOBILE_COUNT_OVER_LIMIT": Remedy.OPERATOR,
    "isv.INVALID_PARAMETERS": Remedy.OPERATOR,
    "isv.SMS_TEMPLATE_ILLEGAL": Remedy.OPERATOR,
    "isv.SMS_SIGNATURE_ILLEGAL": Remedy.OPERATOR,
    "isv.TEMPLATE_MISSING_PARAMETERS": Remedy.OPERATOR,
    "isv.AMOUNT_NOT_ENOUGH": Remedy.OPERATOR,
    "isv.OUT_OF_SERVICE": Remedy.OPERATOR,
    "isv.ACCOUNT_ABNORMAL": Remedy.OPERATOR,
    "isv.ACCOUNT_NOT_EXISTS": Remedy.OPERATOR,
    "isp.RAM_PERMISSION_DENY": Remedy.OPERATOR,
    "SignatureDoesNotMatch": Remedy.OPERATOR,
    "IncompleteSignature": Remedy.OPERATOR,
    "InvalidAccessKeyId.NotFound": Remedy.OPERATOR,
    "InvalidTimeStamp.Format": Remedy.OPERATOR,
    "Forbidden.RAM": Remedy.OPERATOR,
    # The request came too late to be taken: it can be signed anew.
    "InvalidTimeStamp.Expired": Remedy.PAUSE,
    "Throttling": Remedy.PAUSE,
    "Throttling.User": Remedy.PAUSE,
    "Throttling.Api": Remedy.PAUSE,
}


class _Reply(msgspec.Struct, rename="pascal"):
    code: str


_REPLY: Final = msgspec.json.Decoder(_Reply)


class _Detail(msgspec.Struct, rename="pascal"):
    out_id: str = ""


class _Details(msgspec.Struct):
    texts: list[_Detail] = msgspec.field(name="SmsSendDetailDTO")


class _Found(_Reply, rename="pascal"):
    total_count: str | int = 0
    details: _Details | None = msgspec.field(name="SmsSendDetailDTOs", default=None)


class AliyunChannel:
    provider = "aliyun"

    def __init__(
        self,
        client: Client,
        wording: Wording,
        *,
        key_id: str,
        secret: str,
        request_expiry_s: float,
    ) -> None:
        self._client = client
        self._host = urlsplit(client.base_url).netloc
        self._wording = wording
        self._key_id = key_id
        self._secret = secret
        self._expiry = timedelta(seconds=request_expiry_s)

    async def send(self, call: Call) -> Sequence[Verdict]:
        template = self._wording.templates[call.template]
        envelopes = call.envelopes
        # Quoted piece by piece: most pieces come again and again, or need no quoting.
        body = acs3.quoted_form(
            {
                "PhoneNumberJson": _array(_strings([one.phone.open() for one in envelopes])),
                "SignNameJson": _array([_string(self._wording.sign)] * len(envelopes)),
                "TemplateCode": acs3.quoted(template.code),
                "TemplateParamJson": _array(
                    _objects(template.fields, [one.variables for one in envelopes])
                ),
                "OutId": str(call.call_id),
            }
        )
        verdict = await self._submit(body, call.signed_at)
        return [verdict] * len(envelopes)

    async def ask(self, call_id: UUID, phone: Phone, signed_at: datetime) -> Verdict:
        # It may have been taken up to its expiry, and that may be the day after.
        days = sorted(
            {
                moment.astimezone(BUSINESS_ZONE).strftime("%Y%m%d")
                for moment in (signed_at, min(signed_at + self._expiry, clock.now()))
            }
        )
        try:
            for day in days:
                if await self._listed(str(call_id), phone, day):
                    return Verdict(Outcome.ACCEPTED)
        except (Unreachable, AnswerLost, _NotTold):
            return Verdict(Outcome.UNKNOWN)
        return NOT_FOUND

    async def close(self) -> None:
        await self._client.close()

    async def _submit(self, body: bytes, signed_at: datetime) -> Verdict:
        try:
            answer = await self._call("SendBatchSms", body, signed_at)
            code = _REPLY.decode(answer).code
        except Unreachable as error:
            return Verdict(Outcome.REFUSED, error.code, Remedy.PAUSE)
        except (AnswerLost, _NotTold, msgspec.MsgspecError):
            return Verdict(Outcome.UNKNOWN)
        if code == OK:
            return Verdict(Outcome.ACCEPTED)
        remedy = REMEDIES.get(code)
        return (
            Verdict(Outcome.UNKNOWN) if remedy is None else Verdict(Outcome.REFUSED, code, remedy)
        )

    async def _listed(self, out_id: str, phone: Phone, day: str) -> bool:
        for page in range(1, DETAIL_PAGES_MAX + 1):
            params = {
                "PhoneNumber": phone.open(),
                "SendDate": day,
                "PageSize": str(DETAILS_PER_PAGE),
                "CurrentPage": str(page),
            }
            body = await self._call("QuerySendDetails", acs3.form(params), clock.now())
            try:
                found = msgspec.json.decode(body, type=_Found)
                total = int(found.total_count)
            except (msgspec.MsgspecError, ValueError) as unreadable:
                raise _NotTold from unreadable
            if found.code != OK:
                raise _NotTold
            texts = found.details.texts if found.details else []
            if any(text.out_id == out_id for text in texts):
                return True
            if page * DETAILS_PER_PAGE >= total:
                return False
        raise _NotTold

    async def _call(self, action: str, body: bytes, signed_at: datetime) -> bytes:
        headers = acs3.signed_headers(
            action=action,
            body=body,
            host=self._host,
            key_id=self._key_id,
            secret=self._secret,
            nonce=new_id().hex,
            moment=signed_at,
        )
        answer = await self._client.request("POST", "/", content=body, headers=headers)
        if answer.status >= SERVER_ERROR:
            raise _NotTold
        return answer.body


class _NotTold(Exception):
    """The provider answered, and the answer does not tell what was asked."""


def _array(quoted: Sequence[str]) -> str:
    return f"%5B{'%2C'.join(quoted)}%5D"


def _objects(fields: Sequence[str], several: Sequence[Mapping[str, str]]) -> list[str]:
    """Give the values under the fields' names; field by field, for some are plain in all."""
    form = "%2C".join([f"{_string(field)}%3A{{}}" for field in fields])
    columns = [_strings([values[field] for values in several]) for field in fields]
    return [f"%7B{form.format(*row)}%7D" for row in zip(*columns, strict=True)]


def _strings(texts: Sequence[str]) -> list[str]:
    """Give JSON strings as they stand in a form; phones and amounts go in as they are."""
    if _PLAIN("".join(texts)):
        return [f"%22{text}%22" for text in texts]
    return [_string(text) for text in texts]


def _string(text: str) -> str:
    return f"%22{text}%22" if _PLAIN(text) else _quoted_string(text)


@lru_cache(QUOTED_STRINGS_MAX)
def _quoted_string(text: str) -> str:
    return acs3.quoted(json.dumps(text, ensure_ascii=False))
