"""Letters, and batches asked about again, while the bank goes on speaking of the same transfers."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.common.ids import new_id
from services.payments.errors import ActImpossible
from services.payments.model.acts import ActContent, AskAgain, Letter
from services.payments.model.payouts import instruction_id
from services.payments.settings import Tier
from services.payments.usecases import acts, reading
from services.payments.usecases.cut import cut_batch, lanes_due
from services.payments.usecases.desk import Desk
from services.payments.usecases.submit import open_batches
from tests.payments.bank import DAY, ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import check_books, cut, pay_out, send

NewMember = Callable[..., Member]

MAKER, CHECKER = new_id(), new_id()


@pytest.fixture
async def member(desk: Desk, new_member: NewMember) -> Member:
    member = new_member()
    grants = [member.grant(100_00), member.grant(5_00)]
    await deliver(desk, member.registered(), member.payee(), *grants)
    return member


async def by_two(desk: Desk, content: ActContent) -> None:
    act_id = await acts.propose(desk, MAKER, content, "银行函 2026-118")
    await acts.confirm(desk, act_id, CHECKER)


def letter(instruction_id: str, outcome: str) -> Letter:
    return Letter.model_validate(
        {
            "kind": "letter",
            "payout_id": UUID(instruction_id[:32]),
            "attempt_no": int(instruction_id[32:]),
            "outcome": outcome,
            "day": DAY,
            "reason": "" if outcome == "paid" else "ACCOUNT_CLOSED",
        }
    )


async def kinds(desk: Desk) -> list[str]:
    return [row["kind"] for row in await reading.exceptions(desk, settled=False)]


async def first_payout(desk: Desk) -> str:
    async with desk.database.begin() as unit:
        payout_id = await unit.fetchval("select payout_id from attempt where line = 1")
    return instruction_id(payout_id, 1)


@pytest.mark.parametrize("outcome", ["paid", "refused"])
@pytest.mark.parametrize("tiers", [(), (Tier(from_yuan=0),)])
async def test_no_letter_speaks_of_a_transfer_that_has_not_left(
    desk: Desk, bank: ToldBank, member: Member, outcome: str, tiers: tuple[Tier, ...]
) -> None:
    settings = desk.settings.model_copy(update={"approval_tiers": tiers})
    desk = replace(desk, settings=settings)
    await deliver(desk, member.grant(7_00))
    [*_, (lane, *_)] = await lanes_due(desk)
    assert await cut_batch(desk, lane, 10) is not None
    with pytest.raises(ActImpossible):
        await by_two(desk, letter(await first_payout(desk), outcome))
    await check_books(desk, bank)


def test_a_letter_names_an_attempt_that_there_can_be() -> None:
    for attempt_no in (0, 1_000, 2**40):
        with pytest.raises(ValidationError):
            letter(f"{'a' * 32}{attempt_no}", "paid")


async def test_a_bank_that_does_not_know_yet_contradicts_no_letter(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await cut(desk)
    await send(desk)
    first, second = bank.all_lines
    await by_two(desk, letter(first.instruction_id, "paid"))
    await send(desk)
    assert await kinds(desk) == []
    first.pay()
    second.pay()
    await send(desk)
    assert await open_batches(desk) == []
    assert sorted(await states(desk, member)) == [("paid", 5_00), ("paid", 100_00)]
    await check_books(desk, bank)


async def ask_again(desk: Desk) -> None:
    async with desk.database.begin() as unit:
        batch_id = await unit.fetchval("select batch_id from batch")
    await by_two(desk, AskAgain(kind="ask_again", batch_id=batch_id))


async def test_a_batch_that_is_asked_again_is_followed_until_the_bank_knows(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await pay_out(desk, bank)
    bank.files.clear()
    bank.lines.clear()
    await ask_again(desk)
    await send(desk)
    assert await kinds(desk) == []
    assert len(await open_batches(desk)) == 1
    first, second = bank.all_lines
    first.pay()
    second.refuse("ACCOUNT_CLOSED")
    await send(desk)
    assert await kinds(desk) == ["contradicts"]
    assert await open_batches(desk) == []
    assert sorted(await states(desk, member)) == [("paid", 5_00), ("paid", 100_00)]
    await check_books(desk)


async def test_a_batch_that_is_asked_again_and_refused_whole_is_closed_and_finance_is_told(
    desk: Desk, bank: ToldBank, member: Member
) -> None:
    await pay_out(desk, bank)
    bank.file_refused = "HD08"
    await ask_again(desk)
    await send(desk)
    assert await open_batches(desk) == []
    assert await kinds(desk) == ["contradicts", "contradicts"]
    assert sorted(await states(desk, member)) == [("paid", 5_00), ("paid", 100_00)]
    await check_books(desk, bank)


async def test_bytes_of_which_a_transfer_has_failed_are_not_sent_any_more(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    """A letter says that the bank will not pay; bytes that it never got would make it."""
    one, other = new_member(), new_member()
    for member in (one, other):
        await deliver(desk, member.registered(), member.payee(), member.grant(5_00))
    bank.request_lost = 1
    await cut(desk)
    await send(desk)
    await by_two(desk, letter(await instruction_of(desk, one), "refused"))
    await deliver(desk, one.payee(2, card="6222021000112345672"))
    await pay_out(desk, bank)
    assert bank.booked_fen == 5_00
    assert await states(desk, one) == [("paid", 5_00)]
    assert await states(desk, other) == [("batched", 5_00)]
    await by_two(desk, letter(await instruction_of(desk, other), "refused"))
    assert await open_batches(desk) == []
    await check_books(desk, bank)


async def instruction_of(desk: Desk, member: Member) -> str:
    [shown] = await reading.member_payouts(desk, member.member_id, None, None)
    return instruction_id(shown.payout_id, 1)
