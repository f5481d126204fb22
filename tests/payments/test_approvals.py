"""Large payouts wait for several people, and what they approved is what goes out, or nothing."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import new_id
from services.common.money import Fen
from services.payments.errors import ApprovedAlready, NothingToApprove
from services.payments.model.batches import Lane
from services.payments.rules.approvals import Approval, approved, limits_fen, tier_of
from services.payments.settings import Tier
from services.payments.usecases import approvals, reading
from services.payments.usecases.cut import cut_batch, lanes_due
from services.payments.usecases.desk import Desk
from services.payments.usecases.submit import advance, open_batches
from tests.payments.bank import ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import check_books, send

NewMember = Callable[..., Member]

MAKER, CHECKER, OTHER = new_id(), new_id(), new_id()
LARGE = 200_000_00
TIERS = (Tier(from_yuan=50_000), Tier(from_yuan=200_000, makers=1, checkers=1))
LARGE_LANE = Lane("union", 2)


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    return replace(desk, settings=desk.settings.model_copy(update={"approval_tiers": TIERS}))


@pytest.fixture
async def batch_id(desk: Desk, new_member: NewMember) -> UUID:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(LARGE))
    [(lane, *_)] = await lanes_due(desk)
    assert lane == LARGE_LANE
    batch_id = await cut_batch(desk, lane, 10)
    assert batch_id is not None
    return batch_id


async def test_a_large_payout_is_sent_when_a_maker_and_a_checker_have_approved(
    desk: Desk, bank: ToldBank, batch_id: UUID
) -> None:
    await send(desk)
    assert bank.sent == []
    assert await approvals.approve(desk, batch_id, MAKER, "maker") == "awaiting_approval"
    await send(desk)
    assert bank.sent == []
    assert await approvals.approve(desk, batch_id, CHECKER, "checker") == "fixed"
    await send(desk)
    assert len(bank.sent) == 1
    await check_books(desk, bank)


async def test_nobody_approves_twice_whatever_part_they_take(desk: Desk, batch_id: UUID) -> None:
    await approvals.approve(desk, batch_id, MAKER, "maker")
    with pytest.raises(ApprovedAlready):
        await approvals.approve(desk, batch_id, MAKER, "checker")


async def test_what_is_approved_or_refused_is_not_decided_again(desk: Desk, batch_id: UUID) -> None:
    await approvals.refuse(desk, batch_id, CHECKER)
    for again in (
        approvals.approve(desk, batch_id, MAKER, "maker"),
        approvals.refuse(desk, batch_id, OTHER),
    ):
        with pytest.raises(NothingToApprove):
            await again


async def test_a_refused_batch_is_taken_apart_and_its_payouts_wait_for_finance(
    desk: Desk, bank: ToldBank, batch_id: UUID
) -> None:
    await approvals.refuse(desk, batch_id, CHECKER)
    await send(desk)
    assert bank.sent == []
    [listed] = await reading.refused_payouts(desk, None, None)
    assert (listed.reason, listed.actor, listed.amount_fen) == ("NOT_APPROVED", "finance", LARGE)
    await check_books(desk, bank)


async def test_a_card_that_changes_after_the_approval_voids_it(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(LARGE))
    first = await cut_batch(desk, LARGE_LANE, 10)
    assert first is not None
    await approvals.approve(desk, first, MAKER, "maker")
    await deliver(desk, member.payee(2, card="6222021000112345672"))
    with pytest.raises(NothingToApprove):
        await approvals.approve(desk, first, CHECKER, "checker")
    await send(desk)
    second = await cut_batch(desk, LARGE_LANE, 10)
    assert second is not None
    await approvals.approve(desk, second, CHECKER, "checker")
    await send(desk)
    assert bank.sent == [], "the maker has not seen this file"
    await approvals.approve(desk, second, MAKER, "maker")
    await send(desk)
    assert [line.card for line in bank.all_lines] == ["6222021000112345672"]
    await check_books(desk, bank)


async def test_a_negative_grant_reduces_what_waits_for_approval(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(LARGE))
    await cut_batch(desk, LARGE_LANE, 10)
    await deliver(desk, member.grant(-LARGE + 40_000_00))
    await send(desk)
    assert await states(desk, member) == [("ready", 40_000_00), ("netted", 0)]
    [(lane, *_)] = await lanes_due(desk)
    assert lane == Lane("union", 0), "it is a small one now"
    await check_books(desk, bank)


async def test_an_unsent_batch_is_recalled_between_being_fixed_and_being_sent(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(1_00))
    await cut_batch(desk, Lane("union", 0), 10)
    await deliver(desk, member.grant(-1_00))
    [batch_id] = await open_batches(desk)
    await advance(desk, batch_id)
    assert bank.sent == []
    assert await states(desk, member) == [("cancelled", 0), ("netted", 0)]
    assert await open_batches(desk) == []
    await check_books(desk, bank)


SHA = (b"a" * 32, b"b" * 32)
PEOPLE = [UUID(int=number) for number in range(4)]
APPROVALS = st.lists(
    st.builds(
        Approval,
        st.sampled_from(PEOPLE),
        st.sampled_from(["maker", "checker"]),
        st.sampled_from(SHA),
    )
)


@given(given_=APPROVALS, makers=st.integers(0, 2), checkers=st.integers(0, 2))
def test_enough_different_people_have_approved_exactly_these_bytes(
    given_: list[Approval], makers: int, checkers: int
) -> None:
    tier = Tier(from_yuan=1, makers=makers, checkers=checkers)
    if approved(tier, SHA[0], given_):
        people = {one.person_id for one in given_ if one.sha256 == SHA[0]}
        assert len(people) >= makers + checkers


@given(amount=st.integers(1, 10**9))
def test_the_tier_grows_with_the_amount(amount: int) -> None:
    limits = limits_fen(TIERS[::-1])
    assert tier_of(limits, Fen(amount)) <= tier_of(limits, Fen(amount + 1))
    assert tier_of(limits, Fen(50_000_00)) == 1
    assert tier_of(limits, Fen(49_999_99)) == 0
