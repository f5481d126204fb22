"""A fund never goes below its reserve: payouts wait, finance is told, and they go when it can."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.common.ids import new_id
from services.common.kit import clock
from services.common.money import Fen
from services.payments.model.batches import Lane
from services.payments.model.funds import Funds
from services.payments.model.ledger import Account, Posting
from services.payments.store import ledger
from services.payments.usecases import reading
from services.payments.usecases.cut import cut_batch, lanes_due
from services.payments.usecases.desk import Desk
from services.payments.usecases.fund import FundGone, open_funds
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import UNION, check_books, cut, pay_out, send

NewMember = Callable[..., Member]

RESERVE_YUAN = 100


def with_reserve(desk: Desk, reserve_yuan: int) -> Desk:
    [fund] = desk.funds.funds
    return replace(
        desk, funds=Funds(funds=(fund.model_copy(update={"reserve_yuan": reserve_yuan}),))
    )


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """Have 150.00 in the fund, of which 100.00 have to stay."""
    async with desk.database.begin() as unit:
        free = (await ledger.cash_of(unit, "union")).free_fen
        spent = Posting(
            new_id(), "spent", "union", "*", Account.FUND, Account.BANK, Fen(free - 150_00)
        )
        await ledger.post(unit, [spent], clock.now())
    return with_reserve(desk, RESERVE_YUAN)


async def test_what_would_go_below_the_reserve_waits_and_nothing_overtakes_it(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    grants = [member.grant(30_00), member.grant(30_00), member.grant(1_00)]
    await deliver(desk, member.registered(), member.payee(), *grants)
    await cut(desk)
    assert [amount for state, amount in await states(desk, member) if state == "batched"] == [30_00]
    [fund] = await reading.funds(desk)
    assert fund.low_since is not None
    assert fund.free_fen == 20_00
    assert await lanes_due(desk) == [], "it is not tried again before money comes"
    await send(desk)
    await check_books(desk, bank)


async def test_it_goes_out_when_money_has_come(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(80_00))
    assert await cut_batch(desk, UNION, 10) is None
    income = Posting(
        new_id(), "paid_in", "union", "*", Account.BANK, Account.UNION_SUBSIDY, Fen(30_00)
    )
    async with desk.database.begin() as unit:
        await ledger.post(unit, [income], clock.now())
    assert [lane for lane, *_ in await lanes_due(desk)] == [UNION]
    await pay_out(desk, bank)
    assert await states(desk, member) == [("paid", 80_00)]


async def test_a_refused_batch_gives_its_money_back_to_what_waits(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    first, second = new_member(), new_member()
    for member in (first, second):
        await deliver(desk, member.registered(), member.payee(), member.grant(40_00))
    await cut(desk)
    await send(desk)
    assert await lanes_due(desk) == []
    bank.all_lines[0].refuse()
    await send(desk)
    assert [lane for lane, *_ in await lanes_due(desk)] == [UNION]
    await pay_out(desk, bank)
    assert await states(desk, second) == [("paid", 40_00)]


async def test_a_smaller_reserve_lets_payouts_go_at_the_next_start(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(80_00))
    await cut(desk)
    relaxed = with_reserve(desk, 0)
    await open_funds(relaxed)
    await pay_out(relaxed, bank)
    assert await states(desk, member) == [("paid", 80_00)]


async def test_a_fund_s_cash_is_what_its_entries_add_up_to(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(20_00))
    await pay_out(desk, bank)
    async with desk.database.begin() as unit:
        cash = await ledger.cash_of(unit, "union")
    sums = (await reading.books(desk))["ledger"]
    assert cash.bank_fen == sums[Account.BANK] == 130_00
    assert cash.in_transit_fen == -sums[Account.PAYOUTS_IN_TRANSIT] == 0


async def test_what_has_no_card_takes_no_money_from_what_has(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    nobody, somebody = new_member(), new_member()
    await deliver(desk, nobody.grant(80_00))
    await deliver(desk, somebody.registered(), somebody.payee(), somebody.grant(40_00))
    await pay_out(desk, bank)
    assert await states(desk, somebody) == [("paid", 40_00)]
    assert await states(desk, nobody) == [("awaiting_payee", 80_00)]


async def test_nobody_leads_while_payouts_wait_for_a_fund_that_is_no_more(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    [fund] = desk.funds.funds
    other = Funds(funds=(fund.model_copy(update={"fund_id": "other"}),))
    moved = replace(desk, funds=other, channels={"other": bank})
    with pytest.raises(FundGone, match="union"):
        await open_funds(moved)


async def test_a_payout_follows_its_scheme_to_another_fund(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    [fund] = desk.funds.funds
    named = fund.model_copy(update={"fund_id": "named", "schemes": ("bj.*",), "account": "9" * 12})
    moved = replace(
        desk,
        funds=Funds(funds=(named, fund)),
        channels={"named": bank, "union": bank},
    )
    await open_funds(moved)
    await cut_batch(moved, UNION, 10)
    assert [lane for lane, *_ in await lanes_due(moved)] == [Lane("named", 0)]
