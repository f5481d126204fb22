"""Login codes: at once, within bounds, and nowhere kept."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from services.common.identity import Phone as Number
from services.common.ids import new_id
from services.common.kit import clock
from services.notify.errors import BadPhone, TextNotTaken
from services.notify.model import CodeAsked
from services.notify.usecases.codes import TooManyCodes
from tests.notify.conftest import NotifyDesk

Phone = Callable[[], str]


async def test_a_code_is_sent_at_once(notify: NotifyDesk, fresh_phone: Phone) -> None:
    phone = fresh_phone()
    await notify.office.door.codes.send(CodeAsked(phone, "246813", 5))
    [text] = notify.texts(phone)
    assert text["content"] == "【职工互助】您的登录验证码为246813,5分钟内有效,请勿告知他人。"
    [row] = await notify.fetch("select * from login_code")
    assert row["state"] == "sent"
    assert not any(secret in str(dict(row)) for secret in (phone, "246813"))


async def test_a_phone_gets_one_a_minute_five_an_hour_ten_a_day(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    phone = fresh_phone()
    start = datetime(2026, 7, 12, tzinfo=UTC)
    taken: list[int] = []
    with clock.set_to(start) as hands:
        for minute in range(24 * 60):
            try:
                await _count(notify, phone)
                taken.append(minute)
            except TooManyCodes:
                pass
            hands.advance(timedelta(minutes=1, milliseconds=1))
            if len(taken) == 10:
                break
        assert taken == [0, 1, 2, 3, 4, 60, 61, 62, 63, 64]
        hands.advance(timedelta(hours=2))
        with pytest.raises(TooManyCodes):
            await _count(notify, phone)
        hands.advance(timedelta(hours=22))
        await _count(notify, phone)
        with pytest.raises(TooManyCodes):
            await _count(notify, phone)


async def _count(notify: NotifyDesk, phone: str) -> None:
    await notify.office.door.codes._write(new_id(), Number(phone))  # pyright: ignore[reportPrivateUsage] # counting alone


async def test_ten_at_the_same_moment_are_one(notify: NotifyDesk, fresh_phone: Phone) -> None:
    phone, codes = fresh_phone(), notify.office.door.codes
    answers = await asyncio.gather(
        *(codes.send(CodeAsked(phone, "1234", 5)) for _ in range(10)), return_exceptions=True
    )
    assert sum(answer is None for answer in answers) == 1
    assert sum(isinstance(answer, TooManyCodes) for answer in answers) == 9
    assert len(notify.texts(phone)) == 1


async def test_a_code_that_was_not_taken_does_not_count(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    phone, codes = fresh_phone(), notify.office.door.codes
    notify.provider.order(target="sms", kind="error", code="isv.OUT_OF_SERVICE")
    with pytest.raises(TextNotTaken):
        await codes.send(CodeAsked(phone, "1234", 5))
    await codes.send(CodeAsked(phone, "1234", 5))
    assert len(notify.texts(phone)) == 1


async def test_the_providers_own_bound_is_a_bound_too(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    notify.provider.order(target="sms", kind="error", code="isv.BUSINESS_LIMIT_CONTROL")
    with pytest.raises(TooManyCodes):
        await notify.office.door.codes.send(CodeAsked(fresh_phone(), "1234", 5))


async def test_a_code_whose_answer_was_lost_is_not_sent_again(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    phone = fresh_phone()
    notify.provider.order(target="sms", kind="drop_answer")
    await notify.office.door.codes.send(CodeAsked(phone, "1234", 5))
    async with notify.sender_at_work():
        await asyncio.sleep(0.3)
    assert len(notify.texts(phone)) == 1
    [row] = await notify.fetch("select state from login_code")
    assert row["state"] == "unknown"


async def test_a_number_that_is_no_mobile_is_refused(notify: NotifyDesk) -> None:
    with pytest.raises(BadPhone):
        await notify.office.door.codes.send(CodeAsked("01065231234", "1234", 5))
