"""What the hostile bank has found, each in its smallest form."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from services.payments.channels.base import Answer, Result
from services.payments.errors import ActImpossible
from services.payments.model.acts import AskAgain, Letter
from services.payments.model.payouts import named_by
from services.payments.usecases import acts
from services.payments.usecases.desk import Desk
from services.payments.usecases.submit import open_batches
from tests.payments.bank import DAY, Line, ToldBank
from tests.payments.people import Member, deliver, states
from tests.payments.steps import check_books, cut, pay_out, send

NewMember = Callable[..., Member]
MAKER, CHECKER = UUID(int=1), UUID(int=2)


async def by_letter(desk: Desk, line: Line, outcome: str, reason: str = "") -> None:
    """Enter what a letter of the bank says of a transfer, by two people."""
    named = named_by(line.instruction_id)
    assert named is not None
    content = {"payout_id": named[0], "attempt_no": named[1], "day": DAY, "reason": reason}
    letter = Letter.model_validate({"kind": "letter", "outcome": outcome, **content})
    await acts.confirm(desk, await acts.propose(desk, MAKER, letter, "letter"), CHECKER)


async def test_a_batch_goes_on_when_one_of_its_transfers_has_come_back_meanwhile(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    one, other = new_member(), new_member()
    first, second = await a_batch_of_two(desk, bank, [one, other])
    first.pay()
    await send(desk)
    await by_letter(desk, first, "returned", "ACCOUNT_CLOSED")
    second.pay()
    await send(desk)
    assert await open_batches(desk) == []
    assert {await _state(desk, one), await _state(desk, other)} == {"returned", "paid"}
    await check_books(desk)


async def a_batch_of_two(desk: Desk, bank: ToldBank, members: Sequence[Member]) -> list[Line]:
    for member in members:
        await deliver(desk, member.registered(), member.payee(), member.grant(5_00))
    await cut(desk)
    await send(desk)
    return bank.all_lines


async def ask_again(desk: Desk) -> None:
    async with desk.database.begin() as unit:
        batch_id = await unit.fetchval("select batch_id from batch")
    content = AskAgain(kind="ask_again", batch_id=batch_id)
    await acts.confirm(desk, await acts.propose(desk, MAKER, content, "lacks"), CHECKER)


@pytest.mark.parametrize("how", ["refused", "returned"])
async def test_a_bank_that_forgot_is_not_asked_by_bytes_that_hold_what_may_be_paid_otherwise(
    desk: Desk, bank: ToldBank, new_member: NewMember, how: str
) -> None:
    """It would book every line of them: also the one that has been paid to another card since."""
    paid, failed = await a_batch_of_two(desk, bank, [new_member(), new_member()])
    paid.pay()
    if how == "refused":
        failed.refuse("ACCOUNT_CLOSED")
        await send(desk)
    else:
        failed.pay()
        await send(desk)
        await by_letter(desk, failed, "returned", "ACCOUNT_CLOSED")
    with pytest.raises(ActImpossible):
        await ask_again(desk)


class Forgetful(ToldBank):
    """Says of a batch it does not know that there is none."""

    async def result(self, batch_no: str, file_name: str) -> Result | Answer:
        found = await super().result(batch_no, file_name)
        return found._replace(not_found=True) if isinstance(found, Answer) else found


async def test_bytes_of_which_a_line_has_failed_are_not_handed_over_again(
    desk: Desk, bank: ToldBank, new_member: NewMember
) -> None:
    """The bank forgets a batch that is half decided; what it refused was paid to another card."""
    bank = Forgetful(bank.writer)
    desk = replace(desk, channels={"union": bank})
    one, other = new_member(), new_member()
    first, _ = await a_batch_of_two(desk, bank, [one, other])
    first.refuse("ACCOUNT_CLOSED")
    await send(desk)
    bank.files.clear()
    bank.lines.clear()
    await deliver(desk, one.payee(2, card="6222021000112345672"))
    for _ in range(2):
        await pay_out(desk, bank)
    assert bank.booked_fen == 5_00, "the second card alone was credited"
    assert await states(desk, one) == [("paid", 5_00)]
    # Nobody knows what became of the other: it is looked into, never sent anew.
    assert await states(desk, other) == [("batched", 5_00)]


async def _state(desk: Desk, member: Member) -> str:
    [(state, _)] = await states(desk, member)
    return state
