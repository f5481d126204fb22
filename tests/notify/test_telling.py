"""Who is told what: after the bank, in any order of events, and once."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from services.common.kit import clock
from tests.notify.conftest import NotifyDesk

Phone = Callable[[], str]


async def test_a_paid_payout_reminds_the_member(notify: NotifyDesk) -> None:
    zhang = notify.person("张")
    await notify.hear(*zhang.introduction())
    assert notify.texts(zhang.phone) == []
    paid = zhang.paid()
    await notify.hear(paid)
    await notify.send_due()
    [text] = notify.texts(zhang.phone)
    assert text["content"] == (
        "【职工互助】张*您好,您的职工互助金1234.56元已于7月12日转入尾号0018的账户,请查收。"
        "咨询12351。"
    )
    [told] = await notify.reminders(paid.payout_id)
    assert (told.member_id, told.recipient, told.parts) == (zhang.member_id, "member", 1)
    assert (told.template, told.provider) == ("payout_paid", "aliyun")


async def test_a_refused_payout_tells_the_member_and_every_officer(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    li, first, second = notify.person("李"), fresh_phone(), fresh_phone()
    await notify.hear(
        *li.introduction(), notify.officers(("王经办", first), ("赵经办", second), ("王", first))
    )
    refused = li.refused("ACCOUNT_CLOSED")
    await notify.hear(refused)
    await notify.send_due()
    [to_member] = notify.texts(li.phone)
    assert to_member["content"].startswith("【职工互助】李*您好,您的职工互助金88.00元因账户已销户")
    [to_first], [to_second] = notify.texts(first), notify.texts(second)
    assert to_first["content"].startswith("【职工互助】王*您好,贵单位李*(尾号0018)")
    assert to_second["content"].startswith("【职工互助】赵*您好")
    assert {event.recipient for event in await notify.reminders(refused.payout_id)} == {
        "member",
        "officer",
    }


async def test_what_the_bank_gives_back_is_told_after_the_warm_reminder(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    zhang, officer = notify.person("张"), fresh_phone()
    await notify.hear(*zhang.introduction(), notify.officers(("王经办", officer)))
    paid = zhang.paid()
    returned = zhang.returned(after=paid)
    for event in (paid, returned, returned):
        await notify.hear(event)
        await notify.send_due()
    reminder, second = notify.texts(zhang.phone)
    assert "已于7月12日转入尾号0018的账户" in reminder["content"]
    code = notify.code_in(second["content"])
    assert second["content"] == (
        "【职工互助】张*您好,转入尾号0018的账户的互助金1234.56元于7月15日被银行退回(账户已销户),"
        f"款项为您保留。更正银行卡请在小程序输入更正码{code},7天内有效,或联系单位工会。咨询12351。"
    )
    [to_officer] = notify.texts(officer)
    assert to_officer["content"] == (
        "【职工互助】王*您好,贵单位张*(尾号0018)的职工互助金1234.56元于7月15日被银行退回"
        "(账户已销户),请核对并更正其互助服务卡信息。"
    )


async def test_the_officers_alone_are_told_what_waits_too_long_and_each_time_once(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    li, officer = notify.person("李"), fresh_phone()
    refused = li.refused()
    await notify.hear(*li.introduction(), notify.officers(("王", officer)), refused)
    late, later = li.overdue(refused, days=15), li.overdue(refused, days=30)
    for event in (late, late, later, late):
        await notify.hear(event)
    await notify.send_due()
    assert len(notify.texts(li.phone)) == 1
    overdue = [t for t in notify.texts(officer) if t["template"] == "SMS_PAYOUT_OVERDUE_OFFICER"]
    assert sorted(text["content"] for text in overdue) == [
        "【职工互助】王*您好,贵单位李*(尾号0018)的职工互助金88.00元因户名与银行卡不符未能到账,"
        f"已{days}天未更正,款项待发,请尽快核对并更正其互助服务卡信息。"
        for days in (15, 30)
    ]


async def test_what_waits_too_long_is_told_to_officers_who_are_named_in_time(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    person, officer = notify.person(), fresh_phone()
    late = person.overdue(person.returned(), days=15)
    await notify.hear(late)
    await notify.hear(*person.introduction(), notify.officers(("王", officer)))
    await notify.send_due()
    [text] = notify.texts(officer)
    assert "已15天未更正" in text["content"]


async def test_nobody_is_told_to_mend_what_is_finances_to_mend(notify: NotifyDesk) -> None:
    person = notify.person()
    refused = person.refused("INSUFFICIENT_FUNDS", actor="finance")
    returned = person.returned("OTHER", actor="finance")
    late = person.overdue(returned, days=15)
    await notify.hear(*person.introduction(), refused, returned, late)
    for event in (refused, returned):
        assert await notify.states(event) == []
    assert await notify.fetch("select from mend_code") == []


async def test_events_may_come_in_any_order(notify: NotifyDesk, fresh_phone: Phone) -> None:
    phones: list[str] = []
    for number, order in enumerate(permutations(range(5))):
        person, officer = notify.person(unit_code=f"U-{number}"), fresh_phone()
        events = [
            *person.introduction(),
            notify.officers(("王", officer), unit_code=person.unit_code),
            person.refused(),
        ]
        for place in order:
            await notify.hear(events[place])
        phones += [person.phone, officer]
    await notify.send_due()
    assert sorted(text["phone"] for text in notify.texts(*phones)) == sorted(phones)


async def test_all_in_one_set_is_as_good_as_one_by_one(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    person, officer = notify.person(), fresh_phone()
    paid, refused = person.paid(), person.refused()
    await notify.hear(
        paid, refused, *person.introduction(), notify.officers(("王", officer)), paid, refused
    )
    await notify.send_due()
    assert len(notify.texts(person.phone)) == 2
    assert len(notify.texts(officer)) == 1


async def test_what_waits_for_a_contact_is_sent_to_nobody(notify: NotifyDesk) -> None:
    person = notify.person()
    paid = person.paid()
    await notify.hear(paid, person.registered(), person.payee())
    assert await notify.send_due() == 0
    assert await notify.states(paid) == ["awaiting_contact"]
    await notify.hear(person.contact())
    assert await notify.states(paid) == ["ready"]


async def test_all_again_from_the_beginning_sends_nothing_twice(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    person, officer, later = notify.person(), fresh_phone(), fresh_phone()
    history = [
        *person.introduction(),
        notify.officers(("王", officer)),
        person.paid(),
        person.refused(),
    ]
    await notify.hear(*history)
    await notify.send_due()
    newer = notify.officers(("王", officer), ("赵", later), version=2)
    for event in (*history, newer, *history):
        await notify.hear(event)
    assert await notify.send_due() == 0
    assert len(notify.texts(person.phone)) == 2
    assert len(notify.texts(officer)) == 1
    assert notify.texts(later) == []


async def test_each_attempt_of_a_payout_is_told_of_by_itself(notify: NotifyDesk) -> None:
    person = notify.person()
    refused = person.refused()
    paid = person.paid(attempt_no=2)
    await notify.hear(*person.introduction(), notify.officers(), refused, paid)
    await notify.send_due()
    assert sorted(text["template"] for text in notify.texts(person.phone)) == [
        "SMS_PAYOUT_PAID",
        "SMS_PAYOUT_REFUSED_MEMBER",
    ]


async def test_an_old_contact_never_takes_the_place_of_a_newer_one(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    person, newer = notify.person(), fresh_phone()
    await notify.hear(*person.introduction(), person.contact(version=3, phone=newer))
    await notify.hear(person.contact(version=2), person.contact(version=1))
    await notify.hear(person.paid())
    await notify.send_due()
    assert len(notify.texts(newer)) == 1
    assert notify.texts(person.phone) == []


async def test_the_tail_is_the_one_of_the_card_that_was_paid(notify: NotifyDesk) -> None:
    person = notify.person()
    await notify.hear(*person.introduction(), person.payee(version=2, tail="9999"), person.paid())
    await notify.send_due()
    [text] = notify.texts(person.phone)
    assert "尾号0018" in text["content"]


async def test_a_unit_that_names_nobody_leaves_the_member_alone_told(notify: NotifyDesk) -> None:
    person = notify.person()
    refused = person.refused()
    await notify.hear(*person.introduction(), notify.officers(), refused)
    assert await notify.states(refused) == ["ready", "no_recipient"]


async def test_officers_named_in_time_are_told_and_later_ones_are_not(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    officer = fresh_phone()
    person, other = notify.person(), notify.person(unit_code="U-0002")
    first, second = person.refused(), other.refused()
    await notify.hear(*person.introduction(), *other.introduction(), first, second)
    assert await notify.states(first) == ["ready", "awaiting_contact"]
    await notify.hear(notify.officers(("王", officer)))
    await notify.office.teller.stop_waiting(notify.office.database, 10)
    assert await notify.states(first) == ["ready", "ready"]
    assert await notify.states(second) == ["ready", "awaiting_contact"]
    wait = timedelta(seconds=notify.settings.officers_wait_s + 1)
    with clock.set_to(clock.now() + wait):
        await notify.office.teller.stop_waiting(notify.office.database, 10)
    assert await notify.states(second) == ["ready", "no_recipient"]
    await notify.hear(notify.officers(("赵", fresh_phone()), unit_code="U-0002"))
    assert await notify.states(second) == ["ready", "no_recipient"]


async def test_officers_wait_on_while_the_member_is_not_known(
    notify: NotifyDesk, fresh_phone: Phone
) -> None:
    person, officer = notify.person(), fresh_phone()
    refused = person.refused()
    await notify.hear(refused, notify.officers(("王", officer)))
    with clock.set_to(clock.now() + timedelta(days=1)):
        await notify.office.teller.stop_waiting(notify.office.database, 10)
    assert await notify.states(refused) == ["awaiting_contact", "awaiting_contact"]
    await notify.hear(*person.introduction())
    assert await notify.states(refused) == ["ready", "ready"]


@pytest.mark.parametrize("field", ["contact", "salt"])
async def test_a_text_that_does_not_open_any_more_is_given_up(
    notify: NotifyDesk, field: str
) -> None:
    person, other = notify.person(), notify.person()
    paid, fine = person.paid(), other.paid()
    await notify.hear(*person.introduction(), *other.introduction(), paid, fine)
    match field:
        case "contact":
            statement = "update member set contact = 'broken' where member_id = $1"
        case _:
            statement = "update member set salt = null where member_id = $1"
    await notify.execute(statement, person.member_id)
    await notify.send_due()
    assert await notify.states(paid) == ["refused"]
    assert await notify.states(fine) == ["sent"]
