"""What the bank says becomes fact once; refused, unknown and unusable are kept apart."""

from collections.abc import Callable

import pytest

from services.common.contracts.event import Event, Reader
from services.common.contracts.payments import PayoutPaid, PayoutRefused
from services.common.ids import new_id
from services.common.money import Fen
from services.payments.channels.base import LineAnswer, Outcome, Result
from services.payments.usecases import reading, results
from services.payments.usecases.cut import cut_batch
from services.payments.usecases.desk import AT_HAND_MAX, Desk
from services.payments.usecases.submit import advance, open_batches
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import ALL, UNION, check_books, cut, pay_out, refuse_all, send
from tests.told import ROWS, events_for

NewMember = Callable[..., Member]
READER = Reader([PayoutPaid, PayoutRefused])


async def published(desk: Desk) -> list[Event]:
    async with desk.database.begin() as unit:
        return events_for(READER, await unit.fetch(ROWS))


async def exceptions(desk: Desk) -> set[str]:
    async with desk.database.begin() as unit:
        return {row["kind"] for row in await unit.fetch("select kind from bank_exception")}


@pytest.fixture
async def member(desk: Desk, new_member: NewMember) -> Member:
    """Give a member whose grant of 100 yuan is ready to go out."""
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(100_00))
    return member


async def test_a_payment_is_told_when_the_bank_has_booked_it_and_not_before(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    assert await published(desk) == []
    bank.all_lines[0].pay()
    await send(desk)
    [paid] = await published(desk)
    assert isinstance(paid, PayoutPaid)
    assert (paid.member_id, paid.amount_fen, paid.attempt_no) == (member.member_id, 100_00, 1)
    await check_books(desk, bank)


async def test_the_same_result_twice_changes_nothing(
    desk: Desk, bank: ToldBank, member: Member, new_member: NewMember
) -> None:
    other = new_member()
    await deliver(desk, other.registered(), other.payee(), other.grant(5_00))
    await cut(desk)
    await send(desk)
    [batch_id] = await open_batches(desk)
    bank.all_lines[0].pay()
    for _ in range(3):
        await advance(desk, batch_id)
    half = await reading.books(desk)
    assert (half["paid_fen"], half["in_flight_fen"]) == (100_00, 5_00)
    bank.all_lines[1].pay()
    whole = Result([line.answer() for line in bank.all_lines], final=True)
    for _ in range(3):
        assert await results.apply_result(desk, batch_id, whole)
    assert (await reading.books(desk))["paid_fen"] == 105_00
    assert len(await published(desk)) == 2
    assert [state for state, _ in await states(desk, member)] == ["paid"]
    await check_books(desk, bank)


async def test_a_result_is_not_held_against_transfers_as_they_were_cut_once_some_are_decided(
    desk: Desk, bank: ToldBank, member: Member, new_member: NewMember
) -> None:
    other = new_member()
    await deliver(desk, other.registered(), other.payee(), other.grant(5_00))
    batch_id = await cut_batch(desk, UNION, ALL)
    assert batch_id is not None
    as_cut = desk.take_from_hand(batch_id)
    assert as_cut is not None
    assert desk.take_from_hand(batch_id) is None, "it is at hand once"
    await send(desk)
    bank.all_lines[0].pay()
    await send(desk)
    desk.keep_at_hand(batch_id, as_cut)  # as in a process that has not heard of the first line
    bank.all_lines[1].pay()
    await send(desk)
    assert [await states(desk, one) for one in (member, other)] == [
        [("paid", 100_00)],
        [("paid", 5_00)],
    ]
    assert len(await published(desk)) == 2
    await check_books(desk, bank)


def test_only_the_last_batches_are_at_hand(desk: Desk) -> None:
    first, *last = [new_id() for _ in range(AT_HAND_MAX + 1)]
    for batch_id in (first, *last):
        desk.keep_at_hand(batch_id, [])
    assert desk.take_from_hand(first) is None
    assert all(desk.take_from_hand(batch_id) == [] for batch_id in last)


async def test_a_refused_payout_waits_for_a_newer_card_and_goes_out_as_a_new_attempt(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    await refuse_all(desk, bank)
    assert await states(desk, member) == [("refused", 100_00)]
    [refused] = await published(desk)
    assert isinstance(refused, PayoutRefused)
    assert (refused.reason, refused.actor, refused.amount_fen) == ("NAME_DIFFERS", "unit", 100_00)
    await deliver(desk, member.payee(1))
    assert not await cut(desk), "the same card is not tried again"
    await deliver(desk, member.payee(2, card="6222021000112345672"))
    assert await states(desk, member) == [("ready", 100_00)]
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 100_00)]
    first, second = bank.all_lines
    assert first.instruction_id != second.instruction_id
    assert first.instruction_id[:32] == second.instruction_id[:32]
    assert second.card == "6222021000112345672"
    assert await reading.refused_payouts(desk, None, None) == []
    await check_books(desk, bank)


async def test_a_member_who_moved_is_not_tried_again_with_the_same_card(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    await refuse_all(desk, bank)
    await deliver(desk, member.registered(2))
    assert await states(desk, member) == [("refused", 100_00)]
    assert not await cut(desk)


async def test_a_card_corrected_in_flight_leads_from_refusal_straight_to_ready(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    await deliver(desk, member.payee(2, card="6222021000112345672"))
    assert await states(desk, member) == [("batched", 100_00)], "nothing new while it is unknown"
    await refuse_all(desk, bank)
    assert await states(desk, member) == [("ready", 100_00)]
    assert await published(desk) == [], "nobody has to act"
    await pay_out(desk, bank)
    assert bank.booked_fen == 100_00


async def test_a_claim_reversed_while_its_payout_is_unknown_refused_then_corrected_pays_nothing(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    bank.answer_lost = 1
    await cut(desk)
    [batch_id] = await open_batches(desk)
    await advance(desk, batch_id)
    await deliver(desk, member.grant(-100_00))
    assert await states(desk, member) == [("batched", 100_00), ("netted", 0)]
    await send(desk)
    await refuse_all(desk, bank)
    assert await states(desk, member) == [("cancelled", 0), ("netted", 0)]
    await deliver(desk, member.payee(2, card="6222021000112345672"))
    assert not await cut(desk)
    assert bank.booked_fen == 0
    assert await published(desk) == []
    await check_books(desk, bank)


async def test_a_refused_payout_is_tried_again_for_no_more_than_is_still_owed(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    await deliver(desk, member.grant(-60_00))
    await refuse_all(desk, bank)
    assert await states(desk, member) == [("refused", 40_00), ("netted", 0)]
    await deliver(desk, member.payee(2))
    await pay_out(desk, bank)
    assert [line.amount_fen for line in bank.all_lines] == [100_00, 40_00]
    assert bank.booked_fen == 40_00
    await check_books(desk, bank)


async def test_a_refused_payout_that_is_owed_no_longer_leaves_the_list(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    await refuse_all(desk, bank)
    assert len(await reading.refused_payouts(desk, "BJ-0001", None)) == 1
    await deliver(desk, member.grant(-100_00))
    assert await reading.refused_payouts(desk, "BJ-0001", None) == []
    await check_books(desk, bank)


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_a_lost_answer_is_asked_about_with_the_same_bytes_under_the_same_name(
    desk: Desk, bank: ToldBank, member: Member, lost: str
) -> None:
    setattr(bank, f"{lost}_lost", 2)
    await cut(desk)
    for _ in range(3):
        await send(desk)
    assert len(bank.sent) == 3
    assert len(set(bank.sent)) == 1
    bank.all_lines[0].pay()
    await send(desk)
    assert await states(desk, member) == [("paid", 100_00)]
    assert bank.booked_fen == 100_00


async def test_a_file_refused_whole_refuses_every_line_for_finance(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    bank.file_refused = "F007"
    await cut(desk)
    await send(desk)
    assert await states(desk, member) == [("refused", 100_00)]
    [refused] = await published(desk)
    assert isinstance(refused, PayoutRefused)
    assert (refused.reason, refused.actor) == ("FILE_REFUSED", "finance")
    assert await open_batches(desk) == []
    await check_books(desk, bank)


async def test_a_line_missing_from_a_closed_batch_is_refused_and_only_then(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    bank.spoil = lambda _answers: ()
    await cut(desk)
    await send(desk)
    assert await states(desk, member) == [("batched", 100_00)]
    bank.closed = True
    await send(desk)
    assert await states(desk, member) == [("refused", 100_00)]
    await check_books(desk, bank)


async def test_another_amount_or_an_unknown_id_is_listed_and_never_applied(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    [line] = bank.all_lines
    line.pay()
    stray = LineAnswer("f" * 33, Fen(1), Outcome.REFUSED, "0001", "NAME_DIFFERS")
    bank.spoil = lambda answers: [answers[0]._replace(amount_fen=Fen(100_01)), stray]
    for _ in range(2):
        await send(desk)
    assert await exceptions(desk) == {"amount_differs", "unknown_instruction"}
    assert await states(desk, member) == [("batched", 100_00)]
    bank.spoil = tuple
    await send(desk)
    assert await states(desk, member) == [("paid", 100_00)]
    await check_books(desk, bank)


async def test_refused_because_booked_before_means_the_money_moved(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    bank.spoil = lambda answers: [answers[0]._replace(moved_before=True)]
    bank.closed = True
    await send(desk)
    assert await exceptions(desk) == {"moved_before"}
    await deliver(desk, member.payee(2, card="6222021000112345672"))
    assert not await cut(desk), "it is never sent anew"
    assert await states(desk, member) == [("batched", 100_00)]


async def test_what_was_decided_is_not_taken_back_by_a_later_result(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await deliver(desk, member.grant(5_00))
    await cut(desk)
    await send(desk)
    first, second = bank.all_lines
    first.pay()
    await send(desk)
    first.refuse()
    await send(desk)
    assert await exceptions(desk) == {"contradicts"}
    first.pay()
    second.pay()
    await send(desk)
    assert (await reading.books(desk))["paid_fen"] == 105_00
    await check_books(desk, bank)


async def test_a_line_is_not_taken_for_missing_while_the_result_holds_a_line_of_nobody(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    """One digit of an instruction id may be garbled: then our line is there under another name."""
    await cut(desk)
    await send(desk)
    bank.all_lines[0].pay()
    whole = bank.spoil
    bank.spoil = lambda answers: [answers[0]._replace(instruction_id="f" * 33), *answers[1:]]
    await send(desk)
    assert await states(desk, member) == [("batched", 100_00)]
    bank.spoil = whole
    await send(desk)
    assert await states(desk, member) == [("paid", 100_00)]
    await check_books(desk, bank)
