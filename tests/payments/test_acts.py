"""What takes two people, and what leaves doubt; refusals, returns and the card that was mended."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.common.ids import new_id
from services.common.kit import clock
from services.payments.errors import ActDecided, ActImpossible, TwoPeopleNeeded, UnknownAct
from services.payments.model.acts import BatchLetter, Letter, Retry
from services.payments.usecases import acts, doubts, reading
from services.payments.usecases.desk import Desk
from services.payments.usecases.doubts import list_doubts
from services.payments.usecases.reminders import remind
from services.payments.usecases.submit import open_batches
from tests.payments.bank import DAY, ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import check_books, cut, pay_out, refuse_all, send
from tests.told import ROWS, events_in

NewMember = Callable[..., Member]

MAKER, CHECKER = new_id(), new_id()
REASON = "银行函 2026-117"


@pytest.fixture
async def member(desk: Desk, new_member: NewMember) -> Member:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(100_00))
    return member


async def payout_of(desk: Desk, member: Member) -> tuple[str, object]:
    [shown] = await reading.member_payouts(desk, member.member_id, None, None)
    return shown.status, shown.payout_id


async def events_of(desk: Desk, kind: str) -> int:
    async with desk.database.begin() as unit:
        return sum(kind in event["type"] for event in events_in(await unit.fetch(ROWS)))


async def by_two(desk: Desk, content: Letter | BatchLetter | Retry) -> None:
    act_id = await acts.propose(desk, MAKER, content, REASON)
    await acts.confirm(desk, act_id, CHECKER)


def letter(payout_id: object, outcome: str, reason: str = "") -> Letter:
    return Letter.model_validate(
        {
            "kind": "letter",
            "payout_id": payout_id,
            "attempt_no": 1,
            "outcome": outcome,
            "day": DAY,
            "reason": reason,
        }
    )


async def test_what_is_under_way_too_long_is_in_doubt_and_somebody_s_to_find_out(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    bank.answer_lost = 10
    with clock.set_to(clock.now()) as hands:
        await cut(desk)
        await send(desk)
        await list_doubts(desk)
        assert await doubts.page(desk, None) == []
        hands.advance(timedelta(seconds=desk.settings.doubt_after_s + 1))
        await list_doubts(desk)
        await list_doubts(desk)
    [doubt] = await doubts.page(desk, None)
    assert doubt["owner"] is None
    assert (await payout_of(desk, member))[0] == "unknown"
    await doubts.own(desk, doubt["payout_id"], MAKER)
    assert (await doubts.page(desk, None))[0]["owner"] == MAKER
    bank.answer_lost = 0
    bank.all_lines[0].pay()
    await send(desk)
    assert await doubts.page(desk, None) == []
    assert await states(desk, member) == [("paid", 100_00)]


@pytest.mark.parametrize(("outcome", "reason"), [("paid", ""), ("refused", "NAME_DIFFERS")])
async def test_a_letter_that_two_people_enter_ends_the_doubt(
    desk: Desk, bank: ToldBank, member: Member, outcome: str, reason: str
) -> None:
    bank.answer_lost = 10
    await cut(desk)
    await send(desk)
    _, payout_id = await payout_of(desk, member)
    await by_two(desk, letter(payout_id, outcome, reason))
    assert await states(desk, member) == [(outcome, 100_00)]
    await check_books(desk)
    with pytest.raises(ActImpossible):
        await by_two(desk, letter(payout_id, outcome, reason))


async def test_whoever_proposes_does_not_confirm_and_nothing_is_decided_twice(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    await refuse_all(desk, bank, "INSUFFICIENT_FUNDS")
    _, payout_id = await payout_of(desk, member)
    retry = Retry.model_validate({"kind": "retry", "payout_ids": [payout_id]})
    act_id = await acts.propose(desk, MAKER, retry, REASON)
    with pytest.raises(TwoPeopleNeeded):
        await acts.confirm(desk, act_id, MAKER)
    with pytest.raises(UnknownAct):
        await acts.confirm(desk, new_id(), CHECKER)
    await acts.confirm(desk, act_id, CHECKER)
    with pytest.raises(ActDecided):
        await acts.confirm(desk, act_id, CHECKER)


async def test_what_finance_lets_go_again_goes_to_the_same_card_under_another_id(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    await refuse_all(desk, bank, "INSUFFICIENT_FUNDS")
    _, payout_id = await payout_of(desk, member)
    await by_two(desk, Retry.model_validate({"kind": "retry", "payout_ids": [payout_id]}))
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 100_00)]
    first, second = bank.all_lines
    assert (first.card, first.instruction_id[-1]) == (second.card, "1")
    assert second.instruction_id[-1] == "2"
    await check_books(desk, bank)


async def test_a_payout_in_flight_is_not_tried_again_by_anybody(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    _, payout_id = await payout_of(desk, member)
    with pytest.raises(ActImpossible):
        await by_two(desk, Retry.model_validate({"kind": "retry", "payout_ids": [payout_id]}))
    assert await states(desk, member) == [("batched", 100_00)]
    assert len(bank.all_lines) == 1


async def test_what_the_bank_gives_back_is_owed_again_once_and_told_by_another_event(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await pay_out(desk, bank)
    _, payout_id = await payout_of(desk, member)
    await by_two(desk, letter(payout_id, "returned", "ACCOUNT_CLOSED"))
    assert await states(desk, member) == [("returned", 100_00)]
    assert await events_of(desk, "payout_returned") == 1
    [shown] = await reading.member_payouts(desk, member.member_id, None, None)
    assert [moment.what for moment in shown.timeline][-2:] == ["paid", "returned"]
    [listed] = await reading.refused_payouts(desk, "BJ-0001", None)
    assert (listed.reason, listed.actor) == ("ACCOUNT_CLOSED", "member")
    with pytest.raises(ActImpossible):
        await by_two(desk, letter(payout_id, "returned", "ACCOUNT_CLOSED"))
    await deliver(desk, member.payee(2, card="6222021000112345672"))
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 100_00)]
    await check_books(desk, bank)


async def test_what_was_taken_back_meanwhile_is_not_paid_again_after_a_return(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await pay_out(desk, bank)
    _, payout_id = await payout_of(desk, member)
    await deliver(desk, member.grant(-100_00))
    await by_two(desk, letter(payout_id, "returned", "ACCOUNT_CLOSED"))
    assert await states(desk, member) == [("cancelled", 0), ("netted", 0)]
    assert await events_of(desk, "payout_returned") == 0, "nothing is owed, so nothing is promised"
    await check_books(desk, bank)


async def test_while_a_transfer_is_on_its_way_to_one_card_nothing_goes_to_another(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    await deliver(desk, member.payee(2, card="6222021000112345672"), member.grant(5_00))
    assert not await cut(desk)
    assert (await reading.books(desk))["payouts_held"] == 1
    await refuse_all(desk, bank)
    await pay_out(desk, bank)
    assert {line.card for line in bank.all_lines[1:]} == {"6222021000112345672"}
    assert await states(desk, member) == [("paid", 100_00), ("paid", 5_00)]
    await check_books(desk, bank)


@pytest.mark.usefixtures("member")
async def test_a_payout_that_waits_for_its_actor_is_told_of_again_every_week(
    desk: Desk, bank: ToldBank
) -> None:
    every = desk.settings.remind_after_days
    with clock.set_to(clock.now()) as hands:
        await cut(desk)
        await send(desk)
        await refuse_all(desk, bank)
        told: list[int] = []
        for day in range(1, 3 * every):
            hands.advance(timedelta(days=1))
            await remind(desk)
            told.append(await events_of(desk, "payout_overdue"))
            assert told[-1] == day // every
    [listed] = await reading.refused_payouts(desk, None, None)
    assert listed.reason == "NAME_DIFFERS"


async def test_a_bank_that_has_nothing_of_a_batch_and_will_not_is_believed_by_letter_for_all_of_it(
    desk: Desk, bank: ToldBank, member: Member, new_member: NewMember
) -> None:
    other = new_member("李梅")
    await deliver(desk, other.registered(), other.payee(), other.grant(7_00))
    await cut(desk)
    bank.request_lost = 10
    await send(desk)
    [batch_id] = await open_batches(desk)
    letter = BatchLetter(kind="batch_letter", batch_id=batch_id, day=DAY)
    await by_two(desk, letter)
    assert await open_batches(desk) == []
    assert await states(desk, member) == [("refused", 100_00)]
    assert await states(desk, other) == [("refused", 7_00)]
    with pytest.raises(ActImpossible):
        await by_two(desk, letter)
    bank.request_lost = 0
    _, payout_id = await payout_of(desk, member)
    await by_two(desk, Retry.model_validate({"kind": "retry", "payout_ids": [payout_id]}))
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 100_00)]
    await check_books(desk, bank)


async def test_what_was_taken_for_paid_is_given_back_by_such_a_letter(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await pay_out(desk, bank)
    async with desk.database.begin() as unit:
        batch_id = await unit.fetchval("select batch_id from batch")
    await by_two(desk, BatchLetter(kind="batch_letter", batch_id=batch_id, day=DAY))
    assert await states(desk, member) == [("returned", 100_00)]
    await check_books(desk)
