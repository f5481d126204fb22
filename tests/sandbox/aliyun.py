"""Aliyun's own client, pointed at the sandbox, and a signature made by hand beside it."""

import hashlib
import hmac
import json
import secrets
import time
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote, urlencode

import httpx
import msgspec
from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.models import Config
from darabonba.model import DaraModel
from darabonba.runtime import RuntimeOptions

from tests.sandbox.conftest import Sandbox

SECRET = "sandbox-secret"
SIGN = "职工互助"
PAID = {"name": "张*", "amount": "1234.56", "date": "7月12日", "tail": "0018"}


class Detail(msgspec.Struct, rename="pascal"):
    phone_num: str
    send_status: int
    content: str
    out_id: str


class Told(msgspec.Struct, rename="pascal"):
    """What the provider answered, as the client's own models hold it."""

    code: str
    message: str
    biz_id: str = ""
    total_count: str = ""
    sms_send_detail_dtos: dict[str, list[Detail]] = msgspec.field(
        default_factory=dict[str, list[Detail]], name="SmsSendDetailDTOs"
    )

    @property
    def details(self) -> list[Detail]:
        return self.sms_send_detail_dtos["SmsSendDetailDTO"]


def told(answer: DaraModel) -> Told:
    return msgspec.convert((answer.to_map() or {})["body"], Told)


def official_client(sandbox: Sandbox, secret: str = SECRET) -> Client:
    return Client(
        Config(
            access_key_id="sandbox",
            access_key_secret=secret,
            endpoint=f"127.0.0.1:{sandbox.port}",
            protocol="http",
        )
    )


def send(
    sandbox: Sandbox,
    phones: str,
    *,
    sign: str = SIGN,
    template: str = "SMS_PAYOUT_PAID",
    params: str = json.dumps(PAID, ensure_ascii=False),
    out_id: str = "text-1",
    secret: str = SECRET,
) -> Told:
    request = models.SendSmsRequest(
        phone_numbers=phones,
        sign_name=sign,
        template_code=template,
        template_param=params,
        out_id=out_id,
    )
    return told(official_client(sandbox, secret).send_sms_with_options(request, RuntimeOptions()))


def send_batch(sandbox: Sandbox, phones: list[str], signs: list[str], out_id: str = "") -> Told:
    request = models.SendBatchSmsRequest(
        phone_number_json=json.dumps(phones),
        sign_name_json=json.dumps(signs, ensure_ascii=False),
        template_code="SMS_PAYOUT_PAID",
        template_param_json=json.dumps([PAID] * len(phones), ensure_ascii=False),
        out_id=out_id,
    )
    return told(official_client(sandbox).send_batch_sms_with_options(request, RuntimeOptions()))


def query_details(
    sandbox: Sandbox,
    phone: str,
    *,
    day: str = "",
    biz_id: str = "",
    size: int = 10,
    page: int = 1,
) -> Told:
    today = datetime.fromtimestamp(time.time(), timezone(timedelta(hours=8)))
    request = models.QuerySendDetailsRequest(
        phone_number=phone,
        send_date=day or today.strftime("%Y%m%d"),
        biz_id=biz_id,
        page_size=size,
        current_page=page,
    )
    return told(official_client(sandbox).query_send_details_with_options(request, RuntimeOptions()))


def signed(sandbox: Sandbox, phone: str, date: str) -> httpx.Request:
    """Sign a request by hand, to send it as one likes."""
    query = {
        "PhoneNumbers": phone,
        "SignName": SIGN,
        "TemplateCode": "SMS_LOGIN_CODE",
        "TemplateParam": '{"code":"123456","minutes":"5"}',
    }
    digest = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": f"127.0.0.1:{sandbox.port}",
        "x-acs-action": "SendSms",
        "x-acs-content-sha256": digest,
        "x-acs-date": date,
        "x-acs-signature-nonce": secrets.token_hex(16),
        "x-acs-version": "2017-05-25",
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n/\n{urlencode(query, quote_via=quote)}\n{lines}\n{names}\n{digest}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(SECRET.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    proof = f"Credential=sandbox,SignedHeaders={names},Signature={signature}"
    headers["Authorization"] = f"ACS3-HMAC-SHA256 {proof}"
    return sandbox.http.build_request("POST", "/", params=query, headers=headers)


def utc(shift_s: float = 0.0) -> str:
    moment = datetime.fromtimestamp(time.time() + shift_s, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
