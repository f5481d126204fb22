"""Bank and book, day by day: what one has and the other lacks explains all of the difference."""

from datetime import date, timedelta

from services.common.ids import new_id
from services.common.kit.clock import SetClock
from services.common.money import Fen
from services.payments.model.acts import Attach, Detach, Letter, ToAccount
from services.payments.model.payouts import named_by
from services.payments.model.statements import Items, MovementKind, ReconciledDay
from services.payments.usecases import acts, receipts
from services.payments.usecases.desk import Desk
from services.payments.usecases.receipts import expected
from services.payments.usecases.reconciled import reconciled_days
from services.payments.usecases.reconciliation import reconcile
from services.payments.usecases.statements import take_statement
from tests.payments.bank import DAY, ToldBank
from tests.payments.reconciliation.account import FUND, BankAccount
from tests.payments.reconciliation.conftest import Send
from tests.payments.reconciliation.test_people import CHECKER, FINANCE, do, line_ids
from tests.payments.steps import send

NEXT = timedelta(days=1)
NOTHING = Items()


async def days(desk: Desk, bank: ToldBank, last: date) -> list[ReconciledDay]:
    """Read the statements of all days and hold them against the book."""
    for number in range((last - DAY).days + 1):
        statement = await bank.statement(DAY + number * NEXT, upto_now=True)
        assert statement is not None
        await take_statement(desk, FUND, statement)
    return await reconciled_days(desk, FUND, DAY, last)


async def test_a_day_on_which_both_have_the_same_has_nothing_left_over(
    desk: Desk, account: BankAccount, bank: ToldBank, paid: Send
) -> None:
    [line, _] = await paid(100_00, 20_00)
    account.debit_batch(120_00)
    account.give_back(line.instruction_id, 100_00)
    account.book(MovementKind.FEE, 1_50)
    await reconcile(desk)
    await reconcile(desk)
    [day] = await days(desk, bank, DAY)
    assert day == ReconciledDay(
        DAY, Fen(account.balance_fen), Fen(account.balance_fen), NOTHING, NOTHING
    )
    assert day.agrees


async def test_a_day_without_a_statement_shows_the_book_alone(
    desk: Desk, account: BankAccount
) -> None:
    account.deposit(5_00)
    [day] = await reconciled_days(desk, FUND, DAY, DAY)
    assert (day.bank_fen, day.agrees) == (None, None)
    assert day.book_fen == desk.settings.fund_opening_fen


async def test_a_deposit_that_is_booked_two_days_later_is_the_banks_alone_until_then(
    desk: Desk, account: BankAccount, bank: ToldBank, hands: SetClock
) -> None:
    account.deposit(5_00, remark="BJ-0001-202611")
    await reconcile(desk)
    hands.advance(2 * NEXT)
    receipt = expected(FUND, "membership_fees", Fen(5_00), "BJ-0001-202611")
    await receipts.expect(desk, FINANCE, [receipt])
    await reconcile(desk)
    found = await days(desk, bank, DAY + 2 * NEXT)
    waiting = Items(1, credit_fen=5_00)
    assert [day.bank_only for day in found] == [waiting, waiting, NOTHING]
    assert all(day.agrees for day in found)
    assert await reconciled_days(desk, FUND, DAY + NEXT, DAY + NEXT) == [found[1]]


async def test_a_payment_that_the_bank_books_tomorrow_is_the_books_alone_today(
    desk: Desk, account: BankAccount, bank: ToldBank, hands: SetClock, paid: Send
) -> None:
    await paid(100_00, 20_00)
    ahead = await days(desk, bank, DAY)
    assert [(day.book_only, day.agrees) for day in ahead] == [(Items(1, debit_fen=120_00), True)]
    account.debit_batch(120_00, on=DAY + NEXT)
    hands.advance(NEXT)
    await reconcile(desk)
    first, second = await days(desk, bank, DAY + NEXT)
    assert (first.book_only, first.agrees) == (Items(1, debit_fen=120_00), True)
    assert (second.book_only, second.bank_only, second.agrees) == (NOTHING, NOTHING, True)


async def test_of_a_batch_that_is_half_known_only_the_rest_is_open(
    desk: Desk, account: BankAccount, bank: ToldBank, hands: SetClock, sent: Send
) -> None:
    first, second = await sent(100_00, 20_00)
    account.debit_batch(120_00)
    first.pay()
    await send(desk)
    await reconcile(desk)
    [day] = await days(desk, bank, DAY)
    assert (day.bank_only, day.book_only) == (Items(1, debit_fen=20_00), NOTHING)
    assert day.agrees
    hands.advance(NEXT)
    second.pay()
    await send(desk)
    await reconcile(desk)
    before, now = await days(desk, bank, DAY + NEXT)
    assert before == day
    assert (now.bank_only, now.book_only, now.agrees) == (NOTHING, NOTHING, True)


async def test_a_letter_is_the_books_alone_until_the_bank_shows_it(
    desk: Desk, account: BankAccount, bank: ToldBank, hands: SetClock, paid: Send
) -> None:
    [line] = await paid(100_00)
    account.debit_batch(100_00)
    named = named_by(line.instruction_id)
    assert named is not None
    await do(
        desk,
        Letter(
            kind="letter",
            payout_id=named[0],
            attempt_no=named[1],
            outcome="returned",
            day=DAY,
            reason="ACCOUNT_CLOSED",
        ),
    )
    await reconcile(desk)
    [day] = await days(desk, bank, DAY)
    assert (day.book_only, day.agrees) == (Items(1, credit_fen=100_00), True)
    hands.advance(NEXT)
    account.give_back(line.instruction_id, 100_00)
    await reconcile(desk)
    before, now = await days(desk, bank, DAY + NEXT)
    assert before == day
    assert (now.book_only, now.bank_only, now.agrees) == (NOTHING, NOTHING, True)


async def test_a_mistake_that_was_booked_back_agrees_on_every_day(
    desk: Desk, account: BankAccount, bank: ToldBank, hands: SetClock
) -> None:
    account.deposit(5_00)
    await reconcile(desk)
    [line_id] = await line_ids(desk)
    attach = Attach(
        kind="attach",
        line_ids=(line_id,),
        target=ToAccount(to="account", account="union_subsidy"),
    )
    for content in (attach, Detach(kind="detach", line_id=line_id), attach):
        hands.advance(NEXT)
        await do(desk, content)
    found = await days(desk, bank, DAY + 3 * NEXT)
    assert all(day.agrees for day in found)
    assert [day.bank_only.number for day in found] == [1, 1, 1, 0]
    assert [day.book_only.number for day in found] == [0, 1, 0, 0]


async def test_what_nothing_explains_is_seen(
    desk: Desk, account: BankAccount, bank: ToldBank
) -> None:
    account.deposit(5_00)
    await reconcile(desk)
    bank.opening_fen += 1
    [day] = await days(desk, bank, DAY)
    assert day.agrees is False
    assert await acts.propose(desk, CHECKER, Detach(kind="detach", line_id=new_id()), "no line")
