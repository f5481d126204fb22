"""Sending: every text once, whatever the provider or a crash makes of the call."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services.common.identity import Phone
from services.common.ids import new_id
from services.common.kit import clock
from services.notify.channels.base import Outcome, Remedy, Verdict
from services.notify.store.dispatches import Queued
from services.notify.store.fates import FATE
from services.notify.usecases.at_hand import CALLS_MAX, AtHand
from services.notify.usecases.sending import UNKNOWN
from tests.notify.conftest import EXPIRY_S, NotifyDesk, Person, until

MakeDesk = Callable[..., NotifyDesk]


async def introduced(notify: NotifyDesk, count: int = 1) -> list[Person]:
    people = [notify.person() for _ in range(count)]
    await notify.hear(*(event for person in people for event in person.introduction()))
    return people


async def test_texts_of_one_template_share_a_call_of_at_most_a_hundred(notify: NotifyDesk) -> None:
    people = await introduced(notify, 130)
    await notify.hear(*(person.paid() for person in people), people[0].refused())
    assert await notify.send_due() == 3
    texts = notify.texts(*(person.phone for person in people))
    by_call: dict[str, list[str]] = {}
    for text in texts:
        by_call.setdefault(text["out_id"], []).append(text["template"])
    assert sorted(map(len, by_call.values())) == [1, 30, 100]
    assert all(len(set(templates)) == 1 for templates in by_call.values())


async def test_a_sender_at_work_sends_at_once_and_once(notify: NotifyDesk) -> None:
    [person] = await introduced(notify)
    async with notify.sender_at_work():
        paid = person.paid()
        await notify.hear(paid)
        await notify.until_state("sent", paid)
        await notify.hear(paid)
    assert len(notify.texts(person.phone)) == 1
    assert len(await notify.reminders(paid.payout_id)) == 1


async def test_what_is_told_while_most_calls_are_in_flight_goes_as_soon_as_one_lands(
    make_desk: MakeDesk,
) -> None:
    notify = make_desk(dispatches_in_flight=3, sender_poll_ms=60_000)
    [person] = await introduced(notify)
    notify.provider.order(target="sms", kind="delay", delay_s=1.0, times=2)
    async with notify.sender_at_work():
        await notify.hear(person.paid(), person.refused())  # a call each, by their templates

        async def in_flight() -> bool:
            return len(await notify.fetch("select 1 from open_dispatch")) == 2

        await until(in_flight)
        later = person.paid()
        await notify.hear(later)
        await notify.until_state("sent", later)


async def test_two_senders_send_no_text_twice(notify: NotifyDesk) -> None:
    people = await introduced(notify, 250)
    async with notify.sender_at_work(), notify.sender_at_work():
        await notify.hear(*(person.paid() for person in people))
        texts = await notify.until_texts(250, *(person.phone for person in people))
    assert len({text["phone"] for text in texts}) == len(texts) == 250


async def test_a_text_whose_answer_was_lost_is_found_and_not_sent_again(
    notify: NotifyDesk,
) -> None:
    [person] = await introduced(notify)
    paid = person.paid()
    notify.provider.order(target="sms", kind="drop_answer")
    await notify.hear(paid)
    await notify.send_due()
    assert await notify.states(paid) == ["unknown"]
    assert await notify.reminders(paid.payout_id) == []
    await notify.ask_all()
    assert await notify.states(paid) == ["sent"]
    assert await notify.send_due() == 0
    assert len(notify.texts(person.phone)) == 1
    assert len(await notify.reminders(paid.payout_id)) == 1


async def test_a_text_that_is_not_found_is_sent_again_only_after_its_expiry(
    notify: NotifyDesk,
) -> None:
    [person] = await introduced(notify)
    paid = person.paid()
    notify.provider.order(target="sms", kind="drop_request")
    await notify.hear(paid)
    await notify.send_due()
    await notify.ask_all()
    assert await notify.states(paid) == ["unknown"]
    with clock.set_to(clock.now() + timedelta(seconds=EXPIRY_S - 0.5)):
        await notify.ask_all()
    assert await notify.states(paid) == ["unknown"]
    await asyncio.sleep(EXPIRY_S + 0.5)
    await notify.ask_all()
    assert await notify.states(paid) == ["ready"]
    await asyncio.sleep(0.2)
    assert await notify.send_due() == 1
    assert await notify.states(paid) == ["sent"]
    assert len(notify.texts(person.phone)) == 1


async def test_a_request_that_was_late_on_the_line_is_not_sent_twice(notify: NotifyDesk) -> None:
    """The provider gets it after its expiry and refuses it; meanwhile it was not found."""
    [person] = await introduced(notify)
    paid = person.paid()
    notify.provider.order(target="sms", kind="delay", delay_s=EXPIRY_S + 1.5)
    async with notify.sender_at_work():
        await notify.hear(paid)
        await notify.until_state("sent", paid)
    assert len(notify.texts(person.phone)) == 1


async def test_what_a_dead_sender_was_submitting_is_asked_about(notify: NotifyDesk) -> None:
    people = await introduced(notify, 3)
    payouts = [person.paid() for person in people]
    await notify.hear(*payouts)
    # It died after the call was written down; of these calls one was made.
    [dispatch] = await notify.office.sending.take(1, retries_first=False)
    await notify.office.channel.send(dispatch.call)
    later = people[0].paid()
    await notify.hear(later)
    await notify.office.sending.take(1, retries_first=False)
    assert await notify.office.sending.abandon() == 4
    async with notify.sender_at_work():
        for paid in (*payouts, later):
            await notify.until_state("sent", paid)
    assert len(notify.texts(*(person.phone for person in people))) == 4
    for paid in (*payouts, later):
        assert len(await notify.reminders(paid.payout_id)) == 1


async def test_a_late_answer_changes_nothing_that_is_settled(notify: NotifyDesk) -> None:
    [person] = await introduced(notify)
    paid = person.paid()
    await notify.hear(paid)
    [dispatch] = await notify.office.sending.take(1, retries_first=False)
    await notify.office.sending.hand_over(dispatch)
    # The same call settled again, as a sender does who was thought dead.
    await notify.office.sending.abandon()
    await notify.office.sending._settle(  # pyright: ignore[reportPrivateUsage] # the late answer
        dispatch,
        [await notify.office.channel.ask(dispatch.dispatch_id, _phone(person), clock.now())],
    )
    assert len(await notify.reminders(paid.payout_id)) == 1


async def test_of_a_call_in_doubt_each_text_is_settled_once(notify: NotifyDesk) -> None:
    people = await introduced(notify, 3)
    payouts = [person.paid() for person in people]
    await notify.hear(*payouts)
    [dispatch] = await notify.office.sending.take(1, retries_first=False)
    settle = notify.office.sending._settle  # pyright: ignore[reportPrivateUsage] # answers one by one
    taken, refused = Verdict(Outcome.ACCEPTED), Verdict(Outcome.REFUSED, "NO", Remedy.PAUSE)
    await settle(dispatch, [UNKNOWN] * 3)
    await settle(dispatch, [taken, UNKNOWN, UNKNOWN])
    assert sorted(await _states(notify)) == ["sent", "unknown", "unknown"]
    await settle(dispatch, [UNKNOWN, refused, UNKNOWN])
    assert sorted(await _states(notify)) == ["ready", "sent", "unknown"]
    # The call's own answer, late.
    await settle(dispatch, [taken] * 3)
    assert sorted(await _states(notify)) == ["ready", "sent", "sent"]
    assert len([one for paid in payouts for one in await notify.reminders(paid.payout_id)]) == 2
    await asyncio.sleep(0.2)
    [again] = await notify.office.sending.take(1, retries_first=False)
    await settle(again, [taken])
    assert set(await _states(notify)) == {"sent"}
    assert len([one for paid in payouts for one in await notify.reminders(paid.payout_id)]) == 3


async def _states(notify: NotifyDesk) -> list[str]:
    rows = await notify.fetch(f"select state from ({FATE}) as fate")  # noqa: S608 - a constant query
    return [row["state"] for row in rows]


async def test_an_unknown_text_is_asked_about_under_the_phone_it_went_to(
    notify: NotifyDesk, fresh_phone: Callable[[], str]
) -> None:
    [person] = await introduced(notify)
    paid, newer = person.paid(), fresh_phone()
    notify.provider.order(target="sms", kind="drop_answer")
    await notify.hear(paid)
    await notify.send_due()
    await notify.hear(person.contact(version=2, phone=newer))
    await notify.ask_all()
    assert await notify.states(paid) == ["sent"]
    assert notify.texts(newer) == []


@pytest.mark.parametrize("code", ["isv.MOBILE_NUMBER_ILLEGAL", "isv.BLACK_KEY_CONTROL_LIMIT"])
async def test_a_phone_that_is_refused_for_good_is_given_up_with_its_code(
    notify: NotifyDesk, code: str
) -> None:
    [person] = await introduced(notify)
    paid = person.paid()
    notify.provider.order(target="sms", kind="error", code=code)
    await notify.hear(paid)
    await notify.send_due()
    assert await notify.states(paid) == ["refused"]
    [row] = await notify.fetch("select code from message where payout_id = $1", paid.payout_id)
    assert row["code"] == code
    assert await notify.reminders(paid.payout_id) == []
    assert notify.texts(person.phone) == []


async def test_one_bad_phone_does_not_keep_the_others_from_their_texts(notify: NotifyDesk) -> None:
    people = await introduced(notify, 5)
    payouts = [person.paid() for person in people]
    # The call of five, then the first of them alone.
    notify.provider.order(target="sms", kind="error", code="isv.MOBILE_NUMBER_ILLEGAL", times=2)
    await notify.hear(*payouts)
    await notify.send_due()
    states = [state for paid in payouts for state in await notify.states(paid)]
    assert sorted(states) == ["refused", "sent", "sent", "sent", "sent"]
    assert len(notify.texts(*(person.phone for person in people))) == 4


async def test_a_phone_that_has_had_enough_gets_its_text_later(notify: NotifyDesk) -> None:
    [person] = await introduced(notify)
    paid = person.paid()
    notify.provider.order(target="sms", kind="error", code="isv.BUSINESS_LIMIT_CONTROL", times=3)
    async with notify.sender_at_work():
        await notify.hear(paid)
        await notify.until_state("sent", paid)
    assert len(notify.texts(person.phone)) == 1


async def test_however_often_a_text_was_refused_it_waits_no_longer_than_it_may(
    notify: NotifyDesk,
) -> None:
    [person] = await introduced(notify)
    paid = person.paid()
    notify.provider.order(target="sms", kind="error", code="isv.DAY_LIMIT_CONTROL")
    await notify.hear(paid)
    [dispatch] = await notify.office.sending.take(1, retries_first=False)
    before = clock.now()
    await notify.office.sending.hand_over(replace(dispatch, tries=1_024))
    assert await notify.states(paid) == ["ready"]
    [row] = await notify.fetch("select ready_at from ready")
    waits = row["ready_at"] - before
    longest = timedelta(seconds=notify.settings.retry_max_s)
    assert longest <= waits < longest + timedelta(seconds=30)


async def test_a_phone_that_has_had_enough_for_a_day_is_given_up(make_desk: MakeDesk) -> None:
    notify = make_desk(retry_age_max_h=0.0001)
    [person] = await introduced(notify)
    paid = person.paid()
    await notify.hear(paid)
    await asyncio.sleep(0.5)
    notify.provider.order(target="sms", kind="error", code="isv.BUSINESS_LIMIT_CONTROL")
    await notify.send_due()
    assert await notify.states(paid) == ["refused"]


@pytest.mark.parametrize(
    "code", ["isv.SMS_SIGNATURE_ILLEGAL", "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE"]
)
async def test_what_an_operator_has_to_mend_loses_no_text(notify: NotifyDesk, code: str) -> None:
    people = await introduced(notify, 3)
    payouts = [person.paid() for person in people]
    notify.provider.order(target="sms", kind="error", code=code, times=2)
    async with notify.sender_at_work():
        await notify.hear(*payouts)
        for paid in payouts:
            await notify.until_state("sent", paid)
    assert len(notify.texts(*(person.phone for person in people))) == 3


async def test_an_error_that_says_nothing_for_certain_is_asked_about(notify: NotifyDesk) -> None:
    [person] = await introduced(notify)
    paid = person.paid()
    notify.provider.order(target="sms", kind="error", code="isp.SYSTEM_ERROR")
    async with notify.sender_at_work():
        await notify.hear(paid)
        await notify.until_state("sent", paid)
    assert len(notify.texts(person.phone)) == 1


async def test_a_provider_that_is_not_there_costs_nothing_but_time(make_desk: MakeDesk) -> None:
    nowhere = make_desk(sms_url="http://127.0.0.1:9")
    [person] = await introduced(nowhere)
    paid = person.paid()
    await nowhere.hear(paid)
    [dispatch] = await nowhere.office.sending.take(1, retries_first=False)
    assert not await nowhere.office.sending.hand_over(dispatch)
    assert await nowhere.states(paid) == ["ready"]
    notify = make_desk()
    async with notify.sender_at_work():
        await notify.until_state("sent", paid)
    assert len(notify.texts(person.phone)) == 1


async def test_a_provider_that_does_not_answer_is_not_asked_about_every_phone(
    make_desk: MakeDesk,
) -> None:
    notify = make_desk()
    people = await introduced(notify, 50)
    payouts = [person.paid() for person in people]
    notify.provider.order(target="sms", kind="drop_answer")
    await notify.hear(*payouts)
    await notify.send_due()
    deaf = make_desk(sms_url="http://127.0.0.1:9")
    [kept] = await deaf.office.sending.unknown()
    assert not await deaf.office.sending.ask(kept)
    assert await notify.states(payouts[0]) == ["unknown"]
    assert await notify.office.sending.ask(kept)
    assert {state for paid in payouts for state in await notify.states(paid)} == {"sent"}


async def test_a_queue_of_thousands_goes_out_whole(notify: NotifyDesk) -> None:
    people = await introduced(notify, 3_000)
    async with notify.sender_at_work():
        await notify.hear(*(person.paid() for person in people))
        texts = await notify.until_texts(3_000, *(person.phone for person in people))
    assert len({text["phone"] for text in texts}) == len(texts) == 3_000
    open_calls = await notify.fetch("select 1 from dispatch where state <> 'done'")
    assert (open_calls, await notify.fetch("select 1 from ready")) == ([], [])


def _phone(person: Person) -> Phone:
    return Phone(person.phone)


async def test_what_another_process_was_told_is_read_and_sent(
    make_desk: Callable[..., NotifyDesk],
) -> None:
    told, sends = make_desk(), make_desk()
    person = told.person()
    await told.hear(*person.introduction(), person.paid())
    assert await sends.send_due() == 1
    assert len(sends.texts(person.phone)) == 1


def test_of_what_was_told_the_last_calls_alone_are_at_hand() -> None:
    at_hand, rows = AtHand(), [(new_id(),)]
    calls = [Queued(new_id(), "payout_paid", [new_id()]) for _ in range(CALLS_MAX + 1)]
    for call in calls:
        at_hand.keep({call.dispatch_id: rows})
    assert at_hand.take(calls[0]) is None
    assert at_hand.take(calls[-1]) == rows
    assert at_hand.take(calls[-1]) is None
