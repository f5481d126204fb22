"""The SMS provider, met by Aliyun's own client, unchanged."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from darabonba.exceptions import DaraException

from deploy.sandbox.clock import CHINA, now
from deploy.sandbox.settings import SandboxSettings
from deploy.sandbox.sms.provider import Messages, Provider
from deploy.sandbox.sms.templates import Templates
from tests.sandbox.aliyun import PAID, SIGN, query_details, send, send_batch, signed, utc
from tests.sandbox.conftest import Sandbox

Phones = Callable[[], str]


@pytest.fixture
def phone(fresh: Callable[[], str]) -> Phones:
    return lambda: f"13800{fresh()}"


def _log(sandbox: Sandbox, phone: str) -> list[dict[str, object]]:
    lines = [json.loads(text) for text in sandbox.http.get("/sms/log").text.splitlines()]
    return [entry for entry in lines if entry["phone"] == phone]


def test_a_text_is_sent_logged_and_found(sandbox: Sandbox, phone: Phones) -> None:
    number = phone()
    answer = send(sandbox, number)
    assert (answer.code, answer.message) == ("OK", "OK")
    content = "【职工互助】张*您好,您的职工互助金1234.56元已于7月12日转入尾号0018的账户"
    [logged] = _log(sandbox, number)
    assert logged.pop("at")
    assert str(logged["content"]).startswith(content)
    del logged["content"]
    assert logged == {
        "provider": "aliyun",
        "phone": number,
        "sign": SIGN,
        "template": "SMS_PAYOUT_PAID",
        "params": PAID,
        "out_id": "text-1",
        "parts": 1,
    }
    found = query_details(sandbox, number, biz_id=answer.biz_id)
    assert (found.code, found.total_count) == ("OK", "1")
    [text] = found.details
    assert (text.out_id, text.phone_num, text.send_status) == ("text-1", number, 3)
    assert text.content.startswith(content)


def test_a_batch_goes_to_a_hundred_phones_under_one_out_id(sandbox: Sandbox, phone: Phones) -> None:
    numbers = [phone() for _ in range(100)]
    assert send_batch(sandbox, numbers, [SIGN] * 100, "batch-1").code == "OK"
    assert [_log(sandbox, number)[0]["out_id"] for number in numbers[::33]] == ["batch-1"] * 4
    assert [text.out_id for text in query_details(sandbox, numbers[99]).details] == ["batch-1"]


def test_asked_twice_it_sends_twice_and_pages_the_newest_first(
    sandbox: Sandbox, phone: Phones
) -> None:
    number = phone()
    for out_id in ("a", "b", "c"):
        send(sandbox, f"+86{number}", out_id=out_id)
    first = query_details(sandbox, number, size=2)
    second = query_details(sandbox, number, size=2, page=2)
    assert first.total_count == second.total_count == "3"
    assert [text.out_id for text in first.details + second.details] == ["c", "b", "a"]
    assert query_details(sandbox, number, day="20200101").total_count == "0"


@pytest.mark.parametrize(
    ("template", "params", "code"),
    [
        ("SMS_UNKNOWN", PAID, "isv.SMS_TEMPLATE_ILLEGAL"),
        ("SMS_PAYOUT_PAID", {"name": "张*"}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ("SMS_PAYOUT_PAID", PAID | {"name": "长" * 36}, "isv.PARAM_LENGTH_LIMIT"),
        ("SMS_PAYOUT_PAID", PAID | {"name": "http://a.cn"}, "isv.PARAM_NOT_SUPPORT_URL"),
        ("SMS_PAYOUT_PAID", PAID | {"name": 1}, "isv.INVALID_JSON_PARAM"),
        ("SMS_PAYOUT_PAID", [], "isv.INVALID_JSON_PARAM"),
    ],
)
def test_a_wrong_text_is_refused_with_the_code_of_the_provider(
    sandbox: Sandbox, phone: Phones, template: str, params: object, code: str
) -> None:
    number = phone()
    answer = send(sandbox, number, template=template, params=json.dumps(params))
    assert answer.code == code
    assert _log(sandbox, number) == []


def test_a_batch_above_a_hundred_or_uneven_is_refused(sandbox: Sandbox, phone: Phones) -> None:
    numbers = [phone() for _ in range(101)]
    assert send_batch(sandbox, numbers, [SIGN] * 101).code == "isv.MOBILE_COUNT_OVER_LIMIT"
    assert send_batch(sandbox, numbers[:3], [SIGN] * 2).code == "isv.INVALID_PARAMETERS"
    too_many = ",".join(numbers * 10)
    assert send(sandbox, too_many).code == "isv.MOBILE_COUNT_OVER_LIMIT"


def test_a_signature_of_somebody_else_is_refused(sandbox: Sandbox, phone: Phones) -> None:
    assert send(sandbox, phone(), sign="别人").code == "isv.SMS_SIGNATURE_ILLEGAL"


def test_one_bad_phone_refuses_the_call_whole(sandbox: Sandbox, phone: Phones) -> None:
    number = phone()
    assert send(sandbox, f"{number},12345").code == "isv.MOBILE_NUMBER_ILLEGAL"
    assert _log(sandbox, number) == []


def test_a_wrong_secret_is_turned_away(sandbox: Sandbox, phone: Phones) -> None:
    number = phone()
    with pytest.raises(DaraException, match="the signature is not ours"):
        send(sandbox, number, secret="guessed")
    assert _log(sandbox, number) == []


def test_a_signature_is_good_once(sandbox: Sandbox, phone: Phones) -> None:
    number = phone()
    request = signed(sandbox, number, utc())
    assert sandbox.http.send(request).json()["Code"] == "OK"
    again = sandbox.http.send(request)
    assert (again.status_code, again.json()["Code"]) == (400, "SignatureNonceUsed")
    assert len(_log(sandbox, number)) == 1


@pytest.mark.parametrize("shift_s", [-901, 960])
def test_a_date_too_far_from_now_is_turned_away(
    sandbox: Sandbox, phone: Phones, shift_s: float
) -> None:
    answer = sandbox.http.send(signed(sandbox, phone(), utc(shift_s)))
    assert answer.json()["Code"] == "InvalidTimeStamp.Expired"


def test_a_request_changed_on_its_way_is_turned_away(sandbox: Sandbox, phone: Phones) -> None:
    request = signed(sandbox, phone(), utc())
    changed = sandbox.http.build_request(
        "POST", str(request.url).replace("123456", "654321"), headers=request.headers
    )
    assert sandbox.http.send(changed).json()["Code"] == "SignatureDoesNotMatch"
    request.headers["x-acs-extra"] = "1"
    assert sandbox.http.send(request).json()["Code"] == "IncompleteSignature"


def test_more_templates_can_be_approved_and_long_texts_count_in_parts(
    sandbox: Sandbox, phone: Phones
) -> None:
    number = phone()
    more = {"templates": {"SMS_LONG": "通" * 127 + "${name}"}}
    assert sandbox.http.put("/sms/templates", json=more).is_success
    send(sandbox, number, template="SMS_LONG", params='{"name": "123456789"}')
    send(sandbox, number, template="SMS_LONG", params='{"name": "0"}')
    assert [entry["parts"] for entry in _log(sandbox, number)] == [3, 2]
    short = {"templates": {"SMS_SHORT": "知" * 63 + "${name}"}}
    sandbox.http.put("/sms/templates", json=short)
    for name in ("1", "12"):
        params = json.dumps({"name": name})
        send(sandbox, number, template="SMS_SHORT", params=params)
    assert [entry["parts"] for entry in _log(sandbox, number)[2:]] == [1, 2]


@pytest.mark.parametrize("text", ["a${x}${y}", "${x}", "【假】${x}好"])
def test_a_template_that_breaks_the_rules_is_not_approved(sandbox: Sandbox, text: str) -> None:
    answer = sandbox.http.put("/sms/templates", json={"templates": {"SMS_X": text}})
    assert answer.status_code == 422


def test_a_request_that_lay_on_the_line_too_long_is_turned_away(
    sandbox: Sandbox, phone: Phones
) -> None:
    number = phone()
    sandbox.order(target="sms", kind="delay", delay_s=1.5)
    answer = sandbox.http.send(signed(sandbox, number, utc(-899)))
    assert answer.json()["Code"] == "InvalidTimeStamp.Expired"
    assert _log(sandbox, number) == []


def test_faults_of_the_provider(sandbox: Sandbox, phone: Phones) -> None:
    number = phone()
    sandbox.order(target="sms", kind="error", code="isv.BUSINESS_LIMIT_CONTROL")
    assert send(sandbox, number).code == "isv.BUSINESS_LIMIT_CONTROL"
    sandbox.order(target="sms", kind="drop_request")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.http.send(signed(sandbox, number, utc()))
    assert query_details(sandbox, number).total_count == "0"
    sandbox.order(target="sms", kind="drop_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.http.send(signed(sandbox, number, utc()))
    assert query_details(sandbox, number).total_count == "1"


def test_a_killed_provider_forgets_neither_texts_nor_nonces(own_sandbox: Sandbox) -> None:
    own_sandbox.settings["SANDBOX_SMS_DATE_WINDOW_S"] = "600"
    own_sandbox.start()
    own_sandbox.http.put("/sms/templates", json={"signs": ["某市工会"]})
    request = signed(own_sandbox, "13800138000", utc())
    assert own_sandbox.http.send(request).json()["Code"] == "OK"
    log = own_sandbox.http.get("/sms/log").content
    own_sandbox.kill()
    with (own_sandbox.folder / "sms" / "calls.jsonl").open("ab") as torn:
        torn.write(b'{"at":"2026-')
    own_sandbox.start()
    assert own_sandbox.http.get("/sms/log").content == log
    assert own_sandbox.http.send(request).json()["Code"] == "SignatureNonceUsed"
    assert query_details(own_sandbox, "13800138000").total_count == "1"
    assert send(own_sandbox, "13800138001", sign="某市工会").code == "OK"


async def test_a_text_that_is_just_being_written_is_found(tmp_path: Path) -> None:
    templates = Templates(SandboxSettings().sms_templates, tmp_path / "templates.jsonl")
    provider = Provider(tmp_path, templates)
    text = Messages(["13800138000"], [SIGN], [PAID])
    sending = asyncio.create_task(provider.send("SMS_PAYOUT_PAID", text, "out", "nonce", 1))
    await asyncio.sleep(0)
    [(call, _)] = await provider.details("13800138000", now().astimezone(CHINA), "")
    assert call.out_id == "out"
    await sending
