"""What waits is not forgotten: for money, for the bank's hours, for a card, for leave to go."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.clock import BUSINESS_ZONE
from services.common.money import Fen
from services.payments import events
from services.payments.model.batches import Lane
from services.payments.model.funds import BankHours, Funds, Monthly
from services.payments.model.ledger import Account, Posting
from services.payments.settings import Tier
from services.payments.store import doubts as listed
from services.payments.store import ledger
from services.payments.usecases import approvals, doubts
from services.payments.usecases.cut import cut_batch, lanes_due
from services.payments.usecases.desk import Desk
from services.payments.usecases.doubts import list_doubts
from services.payments.usecases.reminders import remind
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import UNION, check_books, cut, pay_out, refuse_all, send

NewMember = Callable[..., Member]

MAKER, CHECKER = new_id(), new_id()


async def leave_in_the_fund(desk: Desk, left: Fen) -> None:
    async with desk.database.begin() as unit:
        free = (await ledger.cash_of(unit, "union")).free_fen
        spent = Fen(free - left)
        entry = Posting(new_id(), "spent", "union", "*", Account.FUND, Account.BANK, spent)
        await ledger.post(unit, [entry], clock.now())


async def test_what_waits_for_money_behind_a_grant_that_is_taken_back_goes_out(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    await leave_in_the_fund(desk, Fen(50_00))
    large, small = new_member(), new_member()
    await deliver(desk, large.registered(), large.payee(), large.grant(80_00))
    await deliver(desk, small.registered(), small.payee(), small.grant(20_00))
    assert not await cut(desk)
    assert await lanes_due(desk) == []
    await deliver(desk, large.grant(-80_00))
    assert [lane for lane, *_ in await lanes_due(desk)] == [UNION]
    await pay_out(desk, bank)
    assert await states(desk, small) == [("paid", 20_00)]
    await check_books(desk, bank)


async def test_what_was_due_while_nobody_cut_waits_for_the_bank_to_open_again(
    desk: Desk, new_member: NewMember
) -> None:
    [fund] = desk.funds.funds
    hours = BankHours(opens=time(9), cut_off=time(17))
    funds = Funds(funds=(fund.model_copy(update={"hours": hours}),))
    desk = replace(desk, funds=funds)
    member = new_member()
    # A Monday, half an hour before the bank closes; who cuts comes back three hours later.
    with clock.set_to(datetime(2026, 11, 23, 16, 30, tzinfo=BUSINESS_ZONE)) as hands:
        await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
        hands.advance(timedelta(hours=3))
        [(_, until, _)] = await lanes_due(desk)
        assert until == timedelta(hours=13, minutes=30)
        hands.advance(until)
        [(_, until, _)] = await lanes_due(desk)
        assert until == timedelta(0)


async def test_a_batch_that_is_taken_apart_does_not_wait_for_the_window_of_next_month(
    desk: Desk, new_member: NewMember
) -> None:
    [fund] = desk.funds.funds
    window = Monthly(kind="monthly", day=5, at=time(10))
    settings = desk.settings.model_copy(update={"approval_tiers": (Tier(from_yuan=1),)})
    funds = Funds(funds=(fund.model_copy(update={"window": window}),))
    desk = replace(desk, funds=funds, settings=settings)
    one, other = new_member(), new_member()
    with clock.set_to(datetime(2026, 11, 2, 9, tzinfo=BUSINESS_ZONE)) as hands:
        for member in (one, other):
            await deliver(desk, member.registered(), member.payee(), member.grant(5_00))
        hands.advance(timedelta(days=3, hours=1, seconds=1))
        [(lane, until, _)] = await lanes_due(desk)
        assert until == timedelta(0)
        assert await cut_batch(desk, lane, 10) is not None
        hands.advance(timedelta(hours=1))
        await deliver(desk, one.payee(2, card="6222021000112345672"))
        await send(desk)
        assert await lanes_due(desk) == [(lane, timedelta(0), False)]
        await deliver(desk, other.grant(6_00))
        batch_id = await cut_batch(desk, lane, 2)
        assert batch_id is not None
        [(_, until, _)] = await lanes_due(desk)
        assert until > timedelta(days=27), "what has come since waits for its own window"


async def test_a_batch_can_be_approved_after_its_tier_was_taken_out_of_the_settings(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    three = (Tier(from_yuan=1), Tier(from_yuan=2), Tier(from_yuan=3, makers=1))
    before = replace(desk, settings=desk.settings.model_copy(update={"approval_tiers": three}))
    member = new_member()
    await deliver(before, member.registered(), member.payee(), member.grant(5_00))
    batch_id = await cut_batch(before, Lane("union", 3), 10)
    assert batch_id is not None
    one = desk.settings.model_copy(update={"approval_tiers": three[2:]})
    after = replace(desk, settings=one)
    assert await approvals.approve(after, batch_id, CHECKER, "checker") == "awaiting_approval"
    assert await approvals.approve(after, batch_id, MAKER, "maker") == "fixed"
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 5_00)]


async def test_without_any_tier_left_a_large_batch_still_needs_a_checker(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    tiers = (Tier(from_yuan=1),)
    before = replace(desk, settings=desk.settings.model_copy(update={"approval_tiers": tiers}))
    member = new_member()
    await deliver(before, member.registered(), member.payee(), member.grant(5_00))
    batch_id = await cut_batch(before, Lane("union", 1), 10)
    assert batch_id is not None
    after = replace(desk, settings=desk.settings.model_copy(update={"approval_tiers": ()}))
    assert await approvals.approve(after, batch_id, CHECKER, "checker") == "fixed"
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 5_00)]


async def test_a_transfer_that_is_decided_while_doubts_are_listed_is_not_in_doubt(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    await cut(desk)
    await send(desk)
    bank.all_lines[0].pay()
    later = clock.now() + timedelta(hours=1)
    async with desk.database.begin() as unit:
        await listed.note(unit, later, later)
        answered = asyncio.create_task(send(desk))
        await asyncio.sleep(0.2)
    await answered
    assert await states(desk, member) == [("paid", 1_00)]
    assert await doubts.page(desk, None) == []


async def test_a_batch_that_waited_for_leave_is_not_in_doubt_as_soon_as_it_goes(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    tiers = (Tier(from_yuan=1),)
    desk = replace(desk, settings=desk.settings.model_copy(update={"approval_tiers": tiers}))
    member = new_member()
    with clock.set_to(clock.now()) as hands:
        await deliver(desk, member.registered(), member.payee(), member.grant(5_00))
        batch_id = await cut_batch(desk, Lane("union", 1), 10)
        assert batch_id is not None
        hands.advance(timedelta(days=1))
        await approvals.approve(desk, batch_id, CHECKER, "checker")
        await send(desk)
        await list_doubts(desk)
        assert await doubts.page(desk, None) == []
        hands.advance(timedelta(seconds=desk.settings.doubt_after_s + 1))
        await list_doubts(desk)
    assert len(await doubts.page(desk, None)) == 1
    assert len(bank.sent) == 1


@pytest.mark.parametrize("registered_before", [False, True])
async def test_a_card_that_comes_while_the_batch_is_cut_is_not_missed(
    desk: Desk, bank: ToldBank, new_member: NewMember, *, registered_before: bool
) -> None:
    """The transaction that keeps the card is slow: the grant comes and is cut before it commits."""
    member = new_member()
    if registered_before:
        await deliver(desk, member.registered())
    async with desk.database.begin() as unit:
        await events.handler(desk)(unit, [member.registered(), member.payee()])
        await deliver(desk, member.grant(3_00))
        cutting = asyncio.create_task(cut(desk))
        await asyncio.sleep(0.2)
    await cutting
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 3_00)]


async def test_a_reminder_does_not_stand_in_the_way_of_a_card_that_comes_meanwhile(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    """Whoever moves a payout locks it before its place on the list; so does the reminder."""
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(3_00))
    await cut(desk)
    await send(desk)
    await refuse_all(desk, bank)
    with clock.set_to(clock.now()) as hands:
        hands.advance(timedelta(days=desk.settings.remind_after_days))
        async with desk.database.begin() as unit:
            await unit.execute(
                "select from payout where member_id = $1 for update", member.member_id
            )
            await asyncio.wait_for(remind(desk), 1)
            await unit.execute("delete from refusal where member_id = $1", member.member_id)
        await deliver(desk, member.payee(2, card="6222021000112345672"))
        await remind(desk)
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 3_00)]
