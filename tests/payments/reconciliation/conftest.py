"""An account at the bank, a noon that stands still, and members who are paid."""

from collections.abc import Awaitable, Callable, Generator, Sequence
from datetime import datetime

import pytest

from services.common.kit import clock
from services.common.kit.clock import BUSINESS_ZONE, SetClock
from services.payments.usecases.desk import Desk
from tests.payments.bank import DAY, Line, ToldBank
from tests.payments.people import Member, deliver
from tests.payments.reconciliation.account import BankAccount
from tests.payments.steps import cut, send

Send = Callable[..., Awaitable[Sequence[Line]]]


@pytest.fixture(autouse=True)
def hands() -> Generator[SetClock]:
    """Stop the clock before anything is booked: of itself a test would belong to today."""
    with clock.set_to(datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=BUSINESS_ZONE)) as hands:
        yield hands


@pytest.fixture
def account(bank: ToldBank, hands: SetClock, desk: Desk) -> BankAccount:
    assert clock.now() == hands.now()
    bank.opening_fen = desk.settings.fund_opening_fen
    return BankAccount(bank)


@pytest.fixture
def sent(desk: Desk, bank: ToldBank, new_member: Callable[..., Member]) -> Send:
    """Give what sends payouts of these amounts in a batch; nothing is decided yet."""

    async def send_out(*amounts: int) -> Sequence[Line]:
        before = len(bank.all_lines)
        for amount_fen in amounts:
            member = new_member()
            await deliver(desk, member.registered(), member.payee(), member.grant(amount_fen))
        await cut(desk)
        await send(desk)
        return bank.all_lines[before:]

    return send_out


@pytest.fixture
def paid(desk: Desk, sent: Send) -> Send:
    """Give what sends payouts of these amounts and has the bank book them all."""

    async def pay_out(*amounts: int) -> Sequence[Line]:
        lines = await sent(*amounts)
        for line in lines:
            line.pay()
        await send(desk)
        return lines

    return pay_out
