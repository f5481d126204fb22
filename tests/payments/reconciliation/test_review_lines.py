"""Lines that say more, less or otherwise than they should; none of them holds up the others."""

from datetime import timedelta

import pytest

from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.clock import SetClock
from services.common.money import Fen
from services.payments.errors import ActImpossible
from services.payments.model.acts import Attach, BatchLetter, Detach, ToAttempt
from services.payments.model.ledger import Account, Posting
from services.payments.model.payouts import named_by
from services.payments.model.statements import MovementKind
from services.payments.store import ledger
from services.payments.usecases import reading, receipts
from services.payments.usecases.desk import Desk
from services.payments.usecases.receipts import expected
from services.payments.usecases.reconciled import reconciled_days
from services.payments.usecases.reconciliation import reconcile
from tests.payments.bank import ToldBank
from tests.payments.people import SCHEME
from tests.payments.reconciliation.account import FUND, BankAccount, booked, confirmed, kept
from tests.payments.reconciliation.conftest import Send
from tests.payments.reconciliation.test_people import do, line_ids

MATCHED = ("matched", None)


async def test_a_transfer_that_its_batch_s_debit_has_shown_is_not_shown_once_more(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    first, _ = await paid(100_00, 20_00)
    account.debit_batch(120_00)
    await reconcile(desk)
    account.debit_transfer(first.instruction_id, 100_00)
    account.book(MovementKind.FEE, 1_50)
    await reconcile(desk)
    assert await kept(desk) == {"1": MATCHED, "2": ("exception", "PAID_TWICE"), "3": MATCHED}


async def test_money_back_that_names_only_its_batch_is_not_taken_for_the_batch_s_debit(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    await paid(100_00)
    account.book(MovementKind.RETURN, 100_00, batch_no=account.batch_nos[-1])
    await reconcile(desk)
    assert await kept(desk) == {"1": ("exception", "UNKNOWN_INSTRUCTION")}
    assert await confirmed(desk) == [False]
    account.debit_batch(100_00)
    await reconcile(desk)
    assert (await kept(desk))["2"] == MATCHED
    assert await confirmed(desk) == [True]


async def test_a_fee_that_names_a_transfer_or_its_batch_is_a_fee_and_nothing_else(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    [line] = await paid(100_00)
    account.book(MovementKind.FEE, 50, instruction_id=line.instruction_id)
    account.book(MovementKind.FEE, 1_00, batch_no=account.batch_nos[-1])
    account.debit_batch(100_00)
    await reconcile(desk)
    assert await kept(desk) == dict.fromkeys("123", MATCHED)
    account.give_back(line.instruction_id, 100_00)
    await reconcile(desk)
    assert (await kept(desk))["4"] == MATCHED
    assert (await reading.books(desk))["payouts_by_state"] == {"returned": 1}


async def test_what_was_matched_wrongly_dropped_and_entered_anew_is_matched_anew(
    desk: Desk, account: BankAccount
) -> None:
    wrong = expected(FUND, "union_subsidy", Fen(3_00), "BJ-0001-202611")
    await receipts.expect(desk, new_id(), [wrong])
    account.deposit(3_00, remark="BJ-0001-202611")
    await reconcile(desk)
    [line_id] = await line_ids(desk)
    await do(desk, Detach(kind="detach", line_id=line_id))
    await receipts.drop(desk, wrong.receipt_id)
    right = expected(FUND, "member_contributions", Fen(3_00), "BJ-0001-202611")
    await receipts.expect(desk, new_id(), [right])
    account.deposit(3_00, remark="BJ-0001-202611")
    await reconcile(desk)
    assert (await kept(desk))["2"] == MATCHED
    assert await booked(desk, Account.MEMBER_CONTRIBUTIONS) == -3_00


async def test_bank_and_book_agree_after_a_letter_that_a_batch_was_not_booked(
    desk: Desk, account: BankAccount, hands: SetClock, paid: Send
) -> None:
    day = clock.today()
    account.deposit(1_00)
    await paid(100_00, 20_00)
    async with desk.database.begin() as unit:
        batch_id = await unit.fetchval("select batch_id from batch")
    await do(desk, BatchLetter(kind="batch_letter", batch_id=batch_id, day=day))
    await reconcile(desk)
    hands.advance(timedelta(days=1))
    await reconcile(desk)
    [side_by_side] = await reconciled_days(desk, FUND, day, day)
    assert side_by_side.agrees is True


async def test_a_line_is_not_attached_to_a_transfer_the_wrong_way_round(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    [line] = await paid(100_00)
    odd = account.book(MovementKind.RETURN, 100_00)
    account.bank.moved[-1] = odd._replace(direction="debit")
    await reconcile(desk)
    [line_id] = await line_ids(desk)
    named = named_by(line.instruction_id)
    assert named is not None
    target = ToAttempt(to="attempt", payout_id=named[0], attempt_no=named[1])
    with pytest.raises(ActImpossible):
        await do(desk, Attach(kind="attach", line_ids=(line_id,), target=target))
    assert await kept(desk) == {"1": ("exception", "CONTRADICTS")}


@pytest.mark.parametrize("remark", ["会费\x00", "\ud800"])
async def test_a_sign_that_no_database_keeps_does_not_stop_the_account(
    desk: Desk, account: BankAccount, bank: ToldBank, remark: str
) -> None:
    account.deposit(1_00, remark=f"{remark}BJ-0001-202611", party="王\ud800")
    account.book(MovementKind.FEE, 1_50)
    assert len(bank.moved) == 2
    await reconcile(desk)
    assert await kept(desk) == {"1": ("exception", "UNEXPECTED_DEPOSIT"), "2": MATCHED}


async def test_a_line_that_cannot_be_taken_holds_up_no_other(
    desk: Desk, account: BankAccount, hands: SetClock, paid: Send
) -> None:
    first, second = await paid(100_00, 20_00)
    named = named_by(first.instruction_id)
    assert named is not None
    accounts = (Account.RETURNED, Account.BENEFITS_PAYABLE)
    stray = Posting(named[0], "returned.1", FUND, SCHEME, *accounts, Fen(1))
    async with desk.database.begin() as unit:
        await ledger.post(unit, [stray], clock.now())
    account.give_back(first.instruction_id, 100_00)
    account.give_back(second.instruction_id, 20_00)
    account.book(MovementKind.FEE, 1_50)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("new", None), "2": MATCHED, "3": MATCHED}
    hands.advance(timedelta(seconds=desk.settings.match_wait_s + 1))
    await reconcile(desk)
    assert (await kept(desk))["1"] == ("exception", "NOT_MATCHED"), "a person is told"
