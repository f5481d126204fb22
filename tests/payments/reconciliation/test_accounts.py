"""Lines come by movements and by statements, twice, late and changed: each is kept once."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from services.common.kit.clock import SetClock
from services.common.money import Fen
from services.payments.errors import ResultUnusable
from services.payments.model.statements import DayStatement, Movement, Movements
from services.payments.usecases.desk import Desk
from services.payments.usecases.reconciled import bank_lines
from services.payments.usecases.reconciliation import reconcile
from services.payments.usecases.statements import take_statement
from tests.payments.bank import DAY, ToldBank
from tests.payments.reconciliation.account import FUND, BankAccount, exceptions, kept
from tests.payments.reconciliation.conftest import Send

NEXT = timedelta(days=1)


def statement_of(bank: ToldBank, lines: Sequence[Movement], day: date = DAY) -> DayStatement:
    closing = bank.opening_fen + sum(line.signed_fen for line in lines)
    return DayStatement(day, Fen(bank.opening_fen), Fen(closing), lines)


async def statements(desk: Desk) -> dict[date, int | None]:
    async with desk.database.begin() as unit:
        rows = await unit.fetch("select day, closing_fen from bank_statement")
    return {row["day"]: row["closing_fen"] for row in rows}


async def test_a_line_that_comes_by_movement_and_by_statement_is_one(
    desk: Desk, account: BankAccount, bank: ToldBank
) -> None:
    account.deposit(5_00)
    await reconcile(desk)
    await take_statement(desk, FUND, statement_of(bank, bank.moved))
    await take_statement(desk, FUND, statement_of(bank, bank.moved))
    await reconcile(desk)
    assert len(await kept(desk)) == 1
    assert await exceptions(desk) == []


async def test_the_mark_moves_with_the_lines_and_reading_goes_on_behind_it(
    desk: Desk, account: BankAccount, bank: ToldBank
) -> None:
    account.deposit(5_00)
    await reconcile(desk)
    bank.moved[0] = bank.moved[0]._replace(amount_fen=Fen(6_00))
    account.deposit(7_00)
    await reconcile(desk)
    assert list(await kept(desk)) == ["1", "2"]
    assert await exceptions(desk) == [], "the first was not told again"


async def test_a_line_that_the_bank_tells_in_two_ways_is_stopped_and_listed_once(
    desk: Desk, account: BankAccount, bank: ToldBank
) -> None:
    account.deposit(5_00, remark="BJ-0001-202611")
    await reconcile(desk)
    other = bank.moved[0]._replace(amount_fen=Fen(6_00))
    await take_statement(desk, FUND, statement_of(bank, [other]))
    assert await kept(desk) == {"1": ("exception", "CHANGED_LINE")}
    [(kind, _, bank_ref)] = await exceptions(desk)
    assert (kind, bank_ref) == ("changed_line", "1")
    [shown] = await bank_lines(desk, FUND, None, None)
    assert shown.amount_fen == 5_00, "what was kept stays"


async def test_a_line_that_was_told_and_that_the_statement_lacks_is_listed(
    desk: Desk, account: BankAccount, bank: ToldBank
) -> None:
    account.deposit(5_00)
    account.deposit(6_00)
    await reconcile(desk)
    await take_statement(desk, FUND, statement_of(bank, bank.moved[:1]))
    assert (await kept(desk))["2"] == ("exception", "CHANGED_LINE")
    assert [(kind, ref) for kind, _, ref in await exceptions(desk)] == [("changed_line", "2")]


async def test_every_day_that_is_over_is_asked_for_until_it_is_there(
    desk: Desk, account: BankAccount, bank: ToldBank, hands: SetClock
) -> None:
    account.deposit(5_00)
    await reconcile(desk)
    assert await statements(desk) == {}
    hands.advance(2 * NEXT)
    account.deposit(6_00)
    await reconcile(desk)
    first = bank.opening_fen + 5_00
    # The bank of these tests has no statement of a day on which nothing moved.
    assert await statements(desk) == {DAY: first, DAY + NEXT: None}
    account.deposit(7_00)
    bank.moved[-1] = bank.moved[-1]._replace(booked_on=DAY + NEXT)
    await reconcile(desk)
    assert (await statements(desk))[DAY + NEXT] is None, "not asked again at once"
    hands.advance(timedelta(seconds=desk.settings.statement_ask_s + 1))
    await reconcile(desk)
    assert (await statements(desk))[DAY + NEXT] == first + 7_00


async def test_a_day_that_does_not_begin_as_the_last_one_ended_is_listed(
    desk: Desk, account: BankAccount, bank: ToldBank
) -> None:
    account.deposit(5_00)
    late, early = DAY + NEXT, DAY
    opening = Fen(bank.opening_fen + 6_00)
    await take_statement(desk, FUND, DayStatement(late, opening, opening, []))
    assert await exceptions(desk) == []
    await take_statement(desk, FUND, statement_of(bank, bank.moved, early))
    assert [(kind, day) for kind, _, day in await exceptions(desk)] == [
        ("balance_breaks", late.isoformat())
    ]


async def test_a_payment_that_no_statement_shows_for_days_is_listed_for_finance(
    desk: Desk, account: BankAccount, bank: ToldBank, paid: Send
) -> None:
    await paid(100_00)
    empty = bank.opening_fen
    for days in range(3):
        day = DAY + days * NEXT
        await take_statement(desk, FUND, DayStatement(day, Fen(empty), Fen(empty), []))
    assert await exceptions(desk) == []
    day = DAY + 3 * NEXT
    await take_statement(desk, FUND, DayStatement(day, Fen(empty), Fen(empty), []))
    [(kind, batch_id, instruction_id)] = await exceptions(desk)
    async with desk.database.begin() as unit:
        assert batch_id == await unit.fetchval("select batch_id from batch")
    assert (kind, instruction_id) == ("missing_in_statement", "")
    assert account.balance_fen == empty


async def test_a_single_transfer_that_no_statement_shows_is_listed_by_its_id(
    desk: Desk, account: BankAccount, bank: ToldBank, paid: Send
) -> None:
    shown, missing = await paid(100_00, 20_00)
    account.debit_transfer(shown.instruction_id, 100_00)
    await reconcile(desk)
    closing = Fen(account.balance_fen)
    await take_statement(desk, FUND, DayStatement(DAY + 3 * NEXT, closing, closing, []))
    assert [(kind, ref) for kind, _, ref in await exceptions(desk)] == [
        ("missing_in_statement", missing.instruction_id)
    ]
    assert bank.booked_fen == 120_00


async def test_who_is_behind_a_line_lies_sealed_and_is_shown_masked(
    desk: Desk, account: BankAccount
) -> None:
    account.deposit(5_00, remark="互助金", party="王小明")
    await reconcile(desk)
    async with desk.database.begin() as unit:
        row = await unit.fetchval("select bank_line::text from bank_line")
    assert "王" not in row
    assert "互助金" in row
    [shown] = await bank_lines(desk, None, DAY, None)
    assert (shown.party, shown.party_account_tail) == ("王*", "2222")


async def test_a_page_that_cannot_be_used_is_asked_for_again_and_holds_nothing_up(
    desk: Desk, account: BankAccount, bank: ToldBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def garbled(_mark: str) -> Movements:
        raise ResultUnusable

    account.deposit(5_00)
    with monkeypatch.context() as spoilt:
        spoilt.setattr(bank, "movements", garbled)
        await reconcile(desk)
        assert await kept(desk) == {}
    await reconcile(desk)
    assert len(await kept(desk)) == 1
