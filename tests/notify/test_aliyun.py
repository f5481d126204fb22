"""The channel to Aliyun: what each of its answers means, and a signature that holds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import pytest

from services.common.identity import Phone
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.http import Client, ClientBounds
from services.notify.channels import acs3
from services.notify.channels.aliyun import REMEDIES, AliyunChannel
from services.notify.channels.base import NOT_FOUND, Outcome, Remedy, Verdict
from services.notify.model import Call, Envelope
from services.notify.texts import wording
from tests.sandbox.aliyun import SECRET
from tests.sandbox.conftest import Sandbox

WORDING: Final = wording.load("职工互助")
PAID: Final = {"name": "张*", "amount": "1.00", "date": "7月12日", "tail": "0018"}
Answers = Callable[[httpx.Request], httpx.Response]


def call_to(*phones: str) -> Call:
    envelopes = [Envelope(Phone(phone), PAID) for phone in phones]
    return Call(new_id(), "payout_paid", envelopes, clock.now())


def channel_to(provider: Sandbox, secret: str = SECRET) -> AliyunChannel:
    client = Client("sms", f"http://127.0.0.1:{provider.port}", ClientBounds())
    return _channel(client, secret)


def channel_that_hears(answers: Answers) -> AliyunChannel:
    transport = httpx.MockTransport(answers)
    return _channel(Client("sms", "http://sms", ClientBounds(), transport=transport), "secret")


def _channel(client: Client, secret: str) -> AliyunChannel:
    return AliyunChannel(client, WORDING, key_id="sandbox", secret=secret, request_expiry_s=900.0)


async def test_what_was_taken_is_found_by_its_id_alone(
    provider: Sandbox, fresh_phone: Callable[[], str]
) -> None:
    provider.http.delete("/faults")
    channel, phone = channel_to(provider), fresh_phone()
    call = call_to(phone)
    assert await channel.send(call) == [Verdict(Outcome.ACCEPTED)]
    found = await channel.ask(call.call_id, Phone(phone), call.signed_at)
    assert found == Verdict(Outcome.ACCEPTED)
    assert await channel.ask(new_id(), Phone(phone), call.signed_at) == NOT_FOUND
    await channel.close()


async def test_a_text_on_a_later_page_is_found(
    provider: Sandbox, fresh_phone: Callable[[], str]
) -> None:
    channel, phone = channel_to(provider), fresh_phone()
    first = call_to(phone)
    await channel.send(first)
    for _ in range(60):
        await channel.send(call_to(phone))
    found = await channel.ask(first.call_id, Phone(phone), first.signed_at)
    assert found.outcome is Outcome.ACCEPTED
    await channel.close()


async def test_a_wrong_key_is_for_the_operator(
    provider: Sandbox, fresh_phone: Callable[[], str]
) -> None:
    channel = channel_to(provider, secret="another")
    [verdict] = await channel.send(call_to(fresh_phone()))
    assert (verdict.outcome, verdict.remedy) == (Outcome.REFUSED, Remedy.OPERATOR)
    await channel.close()


@pytest.mark.parametrize("code", sorted(REMEDIES))
async def test_a_listed_code_is_a_refusal_for_every_text_of_the_call(code: str) -> None:
    channel = channel_that_hears(lambda _: httpx.Response(200, json={"Code": code}))
    verdicts = await channel.send(call_to("13800000001", "13800000002"))
    assert verdicts == [Verdict(Outcome.REFUSED, code, REMEDIES[code])] * 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"Code": "isp.SYSTEM_ERROR"}),
        httpx.Response(200, json={"Code": "something.NEW"}),
        httpx.Response(200, json={"Message": "OK"}),
        httpx.Response(200, json=["OK"]),
        httpx.Response(200, content=b"<html>OK</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(400, json={"Code": 7}),
        httpx.Response(500, json={"Code": "OK"}),
        httpx.Response(503, content=b"\xff\xfe"),
    ],
)
async def test_any_other_answer_leaves_the_text_unknown(answer: httpx.Response) -> None:
    channel = channel_that_hears(lambda _: answer)
    assert await channel.send(call_to("13800000001")) == [Verdict(Outcome.UNKNOWN)]
    asked = await channel.ask(new_id(), Phone("13800000001"), clock.now())
    assert asked == Verdict(Outcome.UNKNOWN)


async def test_a_list_that_is_longer_than_we_read_does_not_say_not_found() -> None:
    endless = {
        "Code": "OK",
        "TotalCount": "100000",
        "SmsSendDetailDTOs": {"SmsSendDetailDTO": [{"OutId": "another"}]},
    }
    channel = channel_that_hears(lambda _: httpx.Response(200, json=endless))
    asked = await channel.ask(new_id(), Phone("13800000001"), clock.now())
    assert asked == Verdict(Outcome.UNKNOWN)


async def test_around_midnight_both_days_are_asked_for() -> None:
    asked_for: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        form = httpx.QueryParams(request.content.decode())
        asked_for.append(form["SendDate"])
        return httpx.Response(200, json={"Code": "OK", "TotalCount": "0"})

    before_midnight = datetime(2026, 7, 12, 15, 59, 50, tzinfo=UTC)
    with clock.set_to(before_midnight + timedelta(minutes=20)):
        await channel_that_hears(answers).ask(new_id(), Phone("13800000001"), before_midnight)
    assert asked_for == ["20260712", "20260713"]


async def test_no_phone_stands_in_a_url() -> None:
    urls: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(200, json={"Code": "OK", "TotalCount": 0})

    channel = channel_that_hears(answers)
    await channel.send(call_to("13800000001"))
    await channel.ask(new_id(), Phone("13800000001"), clock.now())
    assert set(urls) == {"http://sms/"}


def test_the_signature_covers_every_part_of_the_request() -> None:
    parts = {
        "action": "SendBatchSms",
        "body": b"A=1",
        "host": "sms",
        "key_id": "id",
        "secret": "s",
        "nonce": "n",
        "moment": datetime(2026, 7, 12, tzinfo=UTC),
    }
    other = {
        "action": "SendSms",
        "body": b"A=2",
        "host": "sms2",
        "secret": "t",
        "nonce": "m",
        "moment": datetime(2026, 7, 13, tzinfo=UTC),
    }

    def signed(changed: dict[str, object]) -> str:
        headers = acs3.signed_headers(**(parts | changed))  # pyright: ignore[reportArgumentType] # one dict for parts of several types
        return headers["authorization"]

    signatures = {signed({}), *(signed({name: value}) for name, value in other.items())}
    assert len(signatures) == 1 + len(other)
