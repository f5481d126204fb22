"""Receipts: kept with their text, whenever and however often they come."""

import asyncio
from typing import Any

import httpx
import pytest

from services.common.ids import new_id
from services.notify.store.fates import FATE
from tests.notify.conftest import NotifyDesk, Person

PATH = "/provider/aliyun/report"


def receipt(phone: str, out_id: object, **other: object) -> dict[str, Any]:
    return {
        "phone_number": phone,
        "send_time": "2026-07-12 10:00:00",
        "report_time": "2026-07-12 10:00:07",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "1^0",
        "out_id": str(out_id),
    } | other


async def post(notify: NotifyDesk, content: object) -> httpx.Response:
    transport = httpx.ASGITransport(notify.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notify") as client:
        if isinstance(content, bytes):
            return await client.post(PATH, content=content)
        return await client.post(PATH, json=content)


async def submitted(notify: NotifyDesk, *people: Person) -> object:
    """Write a call to these people down, and give its id; the provider has not answered yet."""
    await notify.hear(*(event for person in people for event in person.introduction()))
    await notify.hear(*(person.paid() for person in people))
    [dispatch] = await notify.office.sending.take(1, retries_first=False)
    return dispatch.dispatch_id


async def kept(notify: NotifyDesk, person: Person) -> tuple[str | None, str | None, str]:
    [row] = await notify.fetch(
        f"select receipt, receipt_code, state from ({FATE}) as fate where member_id = $1",  # noqa: S608 - a constant query
        person.member_id,
    )
    return row["receipt"], row["receipt_code"], row["state"]


async def test_a_receipt_may_come_before_the_answer_and_twice(notify: NotifyDesk) -> None:
    zhang, li = notify.person("张"), notify.person("李")
    out_id = await submitted(notify, zhang, li)
    reports = [
        receipt(zhang.phone, out_id),
        receipt(li.phone, out_id, success=False, err_code="UNDELIVERABLE"),
    ]
    for _ in range(2):
        answer = await post(notify, reports)
        assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "接收成功"})
    assert await kept(notify, zhang) == ("delivered", "DELIVERED", "ready")
    assert await kept(notify, li) == ("undelivered", "UNDELIVERABLE", "ready")


async def test_an_older_receipt_does_not_replace_a_newer_one(notify: NotifyDesk) -> None:
    person = notify.person()
    out_id = await submitted(notify, person)
    await post(notify, [receipt(person.phone, out_id)])
    older = receipt(
        person.phone, out_id, success=False, report_time="2026-07-12 09:00:00", err_code="X"
    )
    await post(notify, [older])
    assert (await kept(notify, person))[0] == "delivered"


async def test_the_next_texts_of_the_same_phone_keep_receipts_of_their_own(
    notify: NotifyDesk,
) -> None:
    person = notify.person()
    first = await submitted(notify, person)
    second = person.paid()
    await notify.hear(second)
    await notify.send_due()
    await post(notify, [receipt(person.phone, first)])
    [row] = await notify.fetch(
        f"select receipt from ({FATE}) as fate where payout_id = $1",  # noqa: S608 - a constant query
        second.payout_id,
    )
    assert row["receipt"] is None


async def test_a_text_that_went_again_keeps_the_newest_receipt_of_both_calls(
    notify: NotifyDesk,
) -> None:
    person = notify.person()
    notify.provider.order(target="sms", kind="error", code="isv.BUSINESS_LIMIT_CONTROL")
    await notify.hear(*person.introduction(), person.paid())
    [first] = await notify.office.sending.take(1, retries_first=False)
    await notify.office.sending.hand_over(first)
    await asyncio.sleep(0.2)
    [second] = await notify.office.sending.take(1, retries_first=True)
    await notify.office.sending.hand_over(second)
    late = "2026-07-12 10:00:09"
    lost = receipt(person.phone, first.dispatch_id, success=False, err_code="LOST")
    await post(notify, [lost])
    assert await kept(notify, person) == ("undelivered", "LOST", "sent")
    await post(notify, [receipt(person.phone, second.dispatch_id, report_time=late)])
    await post(notify, [lost])
    assert await kept(notify, person) == ("delivered", "DELIVERED", "sent")


@pytest.mark.parametrize(
    ("phone", "out_id"),
    [("13800000000", "not-ours"), ("13800000000", ""), ("no phone", None), ("13800000000", None)],
)
async def test_a_receipt_of_what_is_not_ours_is_taken_and_forgotten(
    notify: NotifyDesk, phone: str, out_id: str | None
) -> None:
    person = notify.person()
    await submitted(notify, person)
    reports = [receipt(phone, new_id() if out_id is None else out_id)]
    assert (await post(notify, reports)).status_code == 200
    assert (await kept(notify, person))[0] is None


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"7", b"\xff", b"[[[[", {"phone_number": "1"}, [1] * 1_001]
)
async def test_what_is_not_a_report_is_refused(notify: NotifyDesk, content: object) -> None:
    answer = await post(notify, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "REPORT_UNREADABLE")


async def test_one_receipt_that_cannot_be_read_does_not_cost_the_others(
    notify: NotifyDesk,
) -> None:
    person = notify.person()
    out_id = await submitted(notify, person)
    reports = [1, {"success": True}, receipt(person.phone, out_id), {"phone_number": None}]
    assert (await post(notify, reports)).status_code == 200
    assert (await kept(notify, person))[0] == "delivered"


@pytest.mark.parametrize(
    "odd", [{"report_time": "0001-01-01 00:00:00"}, {"err_code": "A\0B"}, {"err_code": None}]
)
async def test_an_odd_receipt_is_kept_and_does_not_cost_the_others(
    notify: NotifyDesk, odd: dict[str, object]
) -> None:
    zhang, li = notify.person("张"), notify.person("李")
    out_id = await submitted(notify, zhang, li)
    reports = [receipt(zhang.phone, out_id, **odd), receipt(li.phone, out_id)]
    assert (await post(notify, reports)).status_code == 200
    assert (await kept(notify, zhang))[0] == "delivered"
    assert (await kept(notify, li))[0] == "delivered"


async def test_a_receipt_of_our_call_for_a_phone_that_is_not_in_it_changes_nothing(
    notify: NotifyDesk,
) -> None:
    person = notify.person()
    out_id = await submitted(notify, person)
    assert (await post(notify, [receipt("13800000000", out_id)])).status_code == 200
    assert (await kept(notify, person))[0] is None
    assert (await post(notify, [receipt(person.phone, out_id)])).status_code == 200
    assert (await kept(notify, person))[0] == "delivered"


async def test_a_report_that_is_too_large_is_refused(notify: NotifyDesk) -> None:
    answer = await post(notify, b" " * (notify.settings.report_bytes_max + 1))
    assert answer.status_code == 413
