"""The bank's lines about payouts: they confirm, they prove, they give back, or they are odd."""

from datetime import timedelta

import pytest

from services.common.kit import clock
from services.common.kit.clock import SetClock
from services.payments.model.statements import MovementKind
from services.payments.usecases import reading
from services.payments.usecases.desk import Desk
from services.payments.usecases.doubts import list_doubts
from services.payments.usecases.reconciliation import reconcile
from tests.payments.bank import ToldBank
from tests.payments.reconciliation.account import BankAccount, confirmed, kept
from tests.payments.reconciliation.conftest import Send
from tests.payments.steps import check_books, send


async def states(desk: Desk) -> dict[str, int]:
    return (await reading.books(desk))["payouts_by_state"]


async def test_a_batch_is_confirmed_by_one_debit_of_all_that_was_paid_of_it(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    await paid(100_00, 20_00)
    await reconcile(desk)
    assert await confirmed(desk) == [False]
    account.debit_batch(120_00)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("matched", None)}
    assert await confirmed(desk) == [True]


async def test_a_batch_is_confirmed_by_several_debits_once_the_last_has_come(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    await paid(100_00, 20_00)
    account.debit_batch(70_00)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("new", None)}
    account.debit_batch(50_00)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("matched", None), "2": ("matched", None)}
    assert await confirmed(desk) == [True]


async def test_what_was_refused_is_not_expected_in_the_debit(
    desk: Desk, account: BankAccount, sent: Send
) -> None:
    first, second = await sent(100_00, 20_00)
    first.pay()
    second.refuse()
    await send(desk)
    account.debit_batch(100_00)
    await reconcile(desk)
    assert await confirmed(desk) == [True]


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("days_later", [0, 1])
async def test_what_of_a_batch_was_booked_on_other_days_than_the_banks_lay_open_between_them(
    desk: Desk,
    account: BankAccount,
    sent: Send,
    hands: SetClock,
    *,
    days_later: int,
    remembered: bool,
) -> None:
    first, second = await sent(100_00, 20_00)
    first.pay()
    await send(desk)
    hands.advance(timedelta(days=days_later))
    second.pay()
    await send(desk)
    if not remembered:
        # As a batch that was paid before its row told of days.
        async with desk.database.begin() as unit:
            await unit.execute("update batch set paid_from = null, paid_until = null")
    hands.advance(timedelta(days=1))
    account.debit_batch(120_00)
    await reconcile(desk)
    assert await confirmed(desk) == [True]
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select side, until_day - from_day, amount_fen from outstanding order by amount_fen"
        )
    apart = [("book", 2, -100_00), ("book", 1, -20_00)]
    assert list(map(tuple, rows)) == (apart if days_later else [("book", 1, -120_00)])


async def test_a_debit_waits_for_the_result_of_its_batch(
    desk: Desk, account: BankAccount, sent: Send, bank: ToldBank
) -> None:
    await sent(100_00, 20_00)
    account.debit_batch(120_00)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("new", None)}
    assert await states(desk) == {"batched": 2}
    for line in bank.all_lines:
        line.pay()
    await send(desk)
    await reconcile(desk)
    assert await confirmed(desk) == [True]


async def test_a_debit_of_all_of_a_batch_in_doubt_proves_every_line_of_it_paid(
    desk: Desk, account: BankAccount, hands: SetClock, sent: Send, bank: ToldBank
) -> None:
    bank.lines_max = 10
    await sent(100_00, 20_00)
    bank.lines.clear()
    account.debit_batch(120_00)
    hands.advance(timedelta(seconds=desk.settings.doubt_after_s + 1))
    await list_doubts(desk)
    await reconcile(desk)
    assert await states(desk) == {"paid": 2}
    assert (await reading.books(desk))["payouts_in_doubt"] == 0
    assert await confirmed(desk) == [True]
    await check_books(desk)


async def test_a_debit_of_a_part_of_a_batch_in_doubt_proves_nothing(
    desk: Desk, account: BankAccount, hands: SetClock, sent: Send, bank: ToldBank
) -> None:
    await sent(100_00, 20_00)
    account.debit_batch(100_00)
    hands.advance(timedelta(seconds=desk.settings.doubt_after_s + 1))
    await list_doubts(desk)
    await reconcile(desk)
    assert await states(desk) == {"batched": 2}
    assert await kept(desk) == {"1": ("new", None)}
    assert bank.booked_fen == 0


async def test_the_debit_of_one_transfer_proves_it_paid(
    desk: Desk, account: BankAccount, sent: Send
) -> None:
    first, second = await sent(100_00, 20_00)
    account.debit_transfer(first.instruction_id, 100_00)
    await reconcile(desk)
    assert await states(desk) == {"paid": 1, "batched": 1}
    assert await confirmed(desk) == [False]
    second.refuse()
    first.pay()
    await send(desk)
    await reconcile(desk)
    assert await confirmed(desk) == [True], "the rest was refused"
    await check_books(desk)


@pytest.mark.parametrize("kind", [MovementKind.RETURN, MovementKind.REVERSAL])
async def test_what_comes_back_is_owed_again(
    desk: Desk, account: BankAccount, paid: Send, kind: MovementKind
) -> None:
    [line] = await paid(100_00)
    account.debit_batch(100_00)
    account.give_back(line.instruction_id, 100_00, kind=kind)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("matched", None), "2": ("matched", None)}
    assert await states(desk) == {"returned": 1}
    [refusal] = await reading.refused_payouts(desk, None, None)
    assert (refusal.reason, refusal.actor) == ("ACCOUNT_CLOSED", "member")
    await check_books(desk)


async def test_a_return_without_a_reason_is_for_finance(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    [line] = await paid(100_00)
    account.give_back(line.instruction_id, 100_00, reason="")
    await reconcile(desk)
    [refusal] = await reading.refused_payouts(desk, None, None)
    assert (refusal.reason, refusal.actor) == ("OTHER", "finance")


async def test_a_return_that_overtakes_the_result_waits_for_it(
    desk: Desk, account: BankAccount, sent: Send
) -> None:
    [line] = await sent(100_00)
    account.give_back(line.instruction_id, 100_00)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("new", None)}
    line.pay()
    await send(desk)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("matched", None)}
    assert await states(desk) == {"returned": 1}


async def test_a_transfer_comes_back_once(desk: Desk, account: BankAccount, paid: Send) -> None:
    [line] = await paid(100_00)
    account.give_back(line.instruction_id, 100_00)
    account.give_back(line.instruction_id, 100_00)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("matched", None), "2": ("exception", "RETURNED_TWICE")}
    await check_books(desk)


async def test_a_transfer_is_debited_once(desk: Desk, account: BankAccount, paid: Send) -> None:
    [line] = await paid(100_00)
    account.debit_transfer(line.instruction_id, 100_00)
    account.debit_transfer(line.instruction_id, 100_00)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("matched", None), "2": ("exception", "PAID_TWICE")}
    assert await confirmed(desk) == [True]


async def test_what_contradicts_or_is_of_another_amount_or_unknown_is_not_applied(
    desk: Desk, account: BankAccount, sent: Send
) -> None:
    refused, waiting = await sent(100_00, 20_00)
    refused.refuse()
    await send(desk)
    account.debit_transfer(refused.instruction_id, 100_00)
    account.give_back(refused.instruction_id, 100_00)
    account.debit_transfer(waiting.instruction_id, 20_01)
    account.give_back("f" * 32 + "1", 20_00)
    account.give_back("SOMETHING", 20_00)
    account.book(MovementKind.PAYOUT, 5_00, batch_no="12345")
    await reconcile(desk)
    assert [reason for _, reason in (await kept(desk)).values()] == [
        "CONTRADICTS",
        "CONTRADICTS",
        "AMOUNT_DIFFERS",
        "UNKNOWN_INSTRUCTION",
        "UNKNOWN_INSTRUCTION",
        "UNKNOWN_BATCH",
    ]
    assert await states(desk) == {"refused": 1, "batched": 1}
    await check_books(desk)


async def test_what_waits_too_long_is_listed_and_still_matched_when_its_counterpart_comes(
    desk: Desk, account: BankAccount, hands: SetClock, sent: Send
) -> None:
    [line] = await sent(100_00)
    account.debit_batch(100_00)
    account.give_back(line.instruction_id, 100_00)
    await reconcile(desk)
    hands.advance(timedelta(seconds=desk.settings.match_wait_s + 1))
    await reconcile(desk)
    waited = ("exception", "NOT_MATCHED")
    assert await kept(desk) == {"1": waited, "2": waited}
    line.pay()
    await send(desk)
    await reconcile(desk)
    assert await kept(desk) == {"1": ("matched", None), "2": ("matched", None)}
    assert clock.now() == hands.now()
