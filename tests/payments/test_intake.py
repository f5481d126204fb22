"""Members, cards and grants arrive: early, late, twice, and out of order."""

from collections.abc import Callable

from services.payments.usecases import reading
from services.payments.usecases.desk import Desk
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import benefits_of, check_books, cut, pay_out, send

NewMember = Callable[..., Member]


async def test_a_grant_becomes_one_payout_of_its_amount(desk: Desk, new_member: NewMember) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(129_34))
    assert await states(desk, member) == [("ready", 129_34)]
    await check_books(desk)


async def test_replayed_events_change_nothing(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    history = [
        member.registered(),
        member.payee(),
        member.grant(100_00),
        member.grant(-30_00),
        member.grant(50_00),
    ]
    await deliver(desk, *history)
    await pay_out(desk, bank)
    books, told = await reading.books(desk), await states(desk, member)
    for _ in range(3):
        await deliver(desk, *history)
        for event in history:
            await deliver(desk, event)
        assert not await cut(desk)
    assert await reading.books(desk) == books
    assert await states(desk, member) == told
    assert bank.booked_fen == 120_00


async def test_an_old_payee_changed_never_overwrites_a_newer_one(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    older, newer = member.payee(1, card="6222000000000001"), member.payee(2)
    await deliver(desk, member.registered(), newer)
    await deliver(desk, older)
    await deliver(desk, older, newer, older, member.grant(1_00))
    await pay_out(desk, bank)
    assert [line.card for line in bank.all_lines] == ["6217000000000000012"]


async def test_a_member_who_moved_keeps_the_newer_unit_whatever_comes_late(
    desk: Desk, new_member: NewMember
) -> None:
    member = new_member(unit_code="BJ-0002")
    moved = member.registered(2)
    member.unit_code = "BJ-0001"
    await deliver(desk, moved)
    await deliver(desk, member.registered(1))
    await reading.check_unit(desk, member.member_id, "BJ-0002")


async def test_a_payout_without_a_payee_waits_and_goes_out_when_it_comes(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.grant(77_00))
    assert not await cut(desk)
    assert await states(desk, member) == [("awaiting_payee", 77_00)]
    await deliver(desk, member.payee())
    assert await states(desk, member) == [("awaiting_payee", 77_00)], "the salt is not known yet"
    await deliver(desk, member.registered())
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 77_00)]


async def test_a_negative_grant_takes_from_the_newest_payouts_not_yet_submitted(
    desk: Desk, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee())
    for amount_fen in (10_00, 20_00, 30_00):
        await deliver(desk, member.grant(amount_fen))
    await deliver(desk, member.grant(-35_00))
    assert await states(desk, member) == [
        ("ready", 10_00),
        ("ready", 15_00),
        ("cancelled", 0),
        ("netted", 0),
    ]
    await check_books(desk)


async def test_a_grant_and_its_reversal_in_one_set_pay_nothing(
    desk: Desk, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(
        desk, member.registered(), member.payee(), member.grant(10_00), member.grant(-10_00)
    )
    assert sorted(await states(desk, member)) == [("cancelled", 0), ("netted", 0)]
    assert not await cut(desk)
    await check_books(desk)


async def test_what_was_overpaid_is_netted_from_the_next_grants_and_shown(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(100_00))
    await pay_out(desk, bank)
    await deliver(desk, member.grant(-70_00))
    assert await benefits_of(desk, member) == (30_00, 100_00, 70_00)
    await deliver(desk, member.grant(50_00, period=2019))
    await deliver(desk, member.grant(60_00, period=2019))
    assert [state for state, _ in await states(desk, member)] == [
        "paid",
        "netted",
        "netted",
        "ready",
    ]
    await pay_out(desk, bank)
    assert bank.booked_fen == 140_00
    assert await benefits_of(desk, member) == (140_00, 140_00, 0)
    assert await reading.benefits(desk, member.member_id, None, 2018) == (30_00, 100_00, 0)
    await check_books(desk, bank)


async def test_what_is_in_flight_stands_when_its_claim_is_reversed(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(100_00))
    await cut(desk)
    await send(desk)
    await deliver(desk, member.grant(-100_00))
    assert await states(desk, member) == [("batched", 100_00), ("netted", 0)]
    bank.all_lines[0].pay()
    await send(desk)
    assert await benefits_of(desk, member) == (0, 100_00, 100_00)
    await check_books(desk, bank)


async def test_schemes_do_not_net_each_other(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(100_00))
    await pay_out(desk, bank)
    await deliver(
        desk, member.grant(-100_00), member.grant(40_00, scheme_id="wh.medical", period=2019)
    )
    await pay_out(desk, bank)
    assert bank.booked_fen == 140_00
    assert await benefits_of(desk, member) == (40_00, 140_00, 100_00)
    assert await reading.benefits(desk, member.member_id, "bj.mutual", None) == (0, 100_00, 100_00)
