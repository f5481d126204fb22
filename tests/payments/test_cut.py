"""Membership, amounts and bytes of a batch are fixed before anything is sent."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services.common.kit.db import TRANSIENT
from services.payments.settings import Tier
from services.payments.usecases import reading
from services.payments.usecases.cut import cut_batch, lanes_due, park_first
from services.payments.usecases.desk import Desk
from services.payments.usecases.submit import open_batches
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import UNION, check_books, cut, pay_out, send

NewMember = Callable[..., Member]


async def test_nothing_waits_for_nobody(desk: Desk) -> None:
    assert await lanes_due(desk) == []


async def test_a_batch_is_cut_when_its_first_payout_has_waited_or_when_it_is_full(
    desk: Desk, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    [(_, until, _)] = await lanes_due(desk)
    assert until is not None
    assert until <= timedelta(milliseconds=desk.settings.batch_wait_ms)
    await deliver(desk, *(member.grant(1_00) for _ in range(desk.settings.batch_payouts_max)))
    assert await lanes_due(desk) == [(UNION, timedelta(0), True)]


async def test_a_few_go_at_once_and_the_next_wait_while_the_bank_works(
    desk: Desk, new_member: NewMember
) -> None:
    patient = replace(desk, settings=desk.settings.model_copy(update={"batch_wait_ms": 60_000}))
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    assert await lanes_due(patient) == [(UNION, timedelta(0), False)]
    await cut(desk)
    await deliver(desk, member.grant(1_00))
    [(_, until, _)] = await lanes_due(patient)
    assert until > timedelta(seconds=50)


async def test_a_few_that_people_approve_wait_for_more(desk: Desk, new_member: NewMember) -> None:
    tiers = (Tier(from_yuan=100),)
    update = {"batch_wait_ms": 60_000, "approval_tiers": tiers}
    patient = replace(desk, settings=desk.settings.model_copy(update=update))
    member = new_member()
    await deliver(patient, member.registered(), member.payee(), member.grant(100_00))
    [(lane, until, _)] = await lanes_due(patient)
    assert lane.tier
    assert until > timedelta(seconds=50)


async def test_the_fixed_bytes_are_what_is_sent_and_are_kept_sealed(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member("欧阳·娜娜")
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    await cut(desk)
    async with desk.database.begin() as unit:
        row = await unit.fetchrow("select sha256, sealed_file from batch")
    assert row is not None
    assert "欧阳".encode("gb18030") not in row["sealed_file"]
    await send(desk)
    [(_, content)] = bank.sent
    assert hashlib.sha256(content).digest() == row["sha256"]


async def test_two_cutters_at_once_never_take_the_same_payout(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    members = [new_member() for _ in range(20)]
    for member in members:
        await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    await asyncio.gather(*(cut_batch(desk, UNION, 7) for _ in range(4)))
    await send(desk)
    ids = [line.instruction_id for line in bank.all_lines]
    assert len(ids) == len(set(ids)) == 20
    await check_books(desk, bank)


async def test_a_payee_no_file_can_hold_is_refused_here_and_stops_nobody(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    good = new_member()
    broken = [
        (member := new_member(), member.payee(name="王|小明")),
        (member := new_member(), member.payee(name="王\r\n小明")),
        (member := new_member(), member.payee(name="\u3000")),
        (member := new_member(), member.payee(card="")),
        (member := new_member(), member.sealed_payee(1, b"no payee")),
        (member := new_member(), member.sealed_payee(1, b'{"name": 1}')),
        (member := new_member(), replace(good, member_id=member.member_id).payee()),
    ]
    for member, payee in [(good, good.payee()), *broken]:
        await deliver(desk, member.registered(), payee, member.grant(10_00))
    await pay_out(desk, bank)
    assert await states(desk, good) == [("paid", 10_00)]
    for member, _ in broken:
        assert await states(desk, member) == [("refused", 10_00)]
    listed = await reading.refused_payouts(desk, None, None)
    assert {(refusal.reason, refusal.actor) for refusal in listed} == {("PAYEE_UNUSABLE", "unit")}
    member = broken[0][0]
    await deliver(desk, member.payee(2))
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 10_00)]
    await check_books(desk, bank)


async def test_a_payout_whose_books_differ_is_parked_and_the_others_go_on(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    odd, good = new_member(), new_member()
    for member in (odd, good):
        await deliver(desk, member.registered(), member.payee(), member.grant(10_00))
    async with desk.database.begin() as unit:
        await unit.execute(
            "update payout set amount_fen = 9_00 where member_id = $1", odd.member_id
        )
        await unit.execute(
            "update balance set granted_fen = 8_00, open_fen = 8_00 where member_id = $1",
            odd.member_id,
        )
    with pytest.raises(Exception, match="balance_open_is_owed") as failure:
        await cut(desk)
    assert not isinstance(failure.value, TRANSIENT)
    await park_first(desk, UNION)
    await pay_out(desk, bank)
    assert await states(desk, odd) == [("refused", 9_00)]
    assert await states(desk, good) == [("paid", 10_00)]


async def test_the_next_batches_wait_while_too_many_are_under_way(
    desk: Desk, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    for _ in range(desk.settings.batches_open_max):
        await cut(desk)
        await deliver(desk, member.grant(1_00))
    assert len(await open_batches(desk)) == desk.settings.batches_open_max
    assert await lanes_due(desk) == []
