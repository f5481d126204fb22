"""The same lines in any order, however often and whatever comes between, end in the same books."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.common.ids import new_id
from services.common.kit import clock
from services.common.money import Fen
from services.payments.model.ledger import Account
from services.payments.model.statements import Movement, MovementKind
from services.payments.usecases import receipts
from services.payments.usecases.desk import Desk
from services.payments.usecases.receipts import expected
from services.payments.usecases.reconciled import reconciled_days
from services.payments.usecases.reconciliation import match_lines
from services.payments.usecases.statements import keep_lines
from tests.payments.reconciliation.account import FUND, BankAccount, balances, kept
from tests.payments.reconciliation.conftest import Send
from tests.payments.steps import send

MATCHED = ("matched", None)
Event = Callable[[], Awaitable[None]]


@dataclass
class World:
    """A batch whose result comes at some time, one that its lines alone prove, and some income."""

    desk: Desk
    account: BankAccount
    told: dict[str, Movement]
    reference: str

    async def tell(self, *lines: Movement) -> None:
        async with self.desk.database.begin() as unit:
            await keep_lines(self.desk, unit, FUND, lines)

    async def expect(self, amount_fen: int, number: int) -> None:
        reference = f"{self.reference}-{number}"
        receipt = expected(FUND, "membership_fees", Fen(amount_fen), reference)
        await receipts.expect(self.desk, new_id(), [receipt])


async def a_world(desk: Desk, account: BankAccount, sent: Send) -> tuple[World, list[Event]]:
    """Give a world, and what is still to happen in it: in any order, all but the results twice."""
    paid, refused, returned = await sent(100_00, 20_00, 3_00)
    by_batch = len(account.batch_nos) - 1
    first, second = await sent(7_00, 11_00)
    reference = new_id().hex[-12:].upper()
    bank = account.bank
    seen = len(bank.moved)
    account.debit_batch(3_00, by_batch)
    account.debit_batch(100_00, by_batch)
    account.give_back(returned.instruction_id, 3_00)
    account.debit_transfer(first.instruction_id, 7_00)
    account.debit_transfer(second.instruction_id, 11_00)
    account.give_back(second.instruction_id, 11_00)
    account.deposit(40_00, remark=f"{reference}-1")
    account.deposit(2_00, remark=f"{reference}-1")
    account.deposit(9_00, remark=f"{reference}-2 {reference}-3")
    account.book(MovementKind.FEE, 1_50)
    account.deposit(6_00, remark="nobody knows")
    world = World(desk, account, {one.bank_ref: one for one in bank.moved[seen:]}, reference)

    async def result() -> None:
        paid.pay()
        returned.pay()
        refused.refuse()
        await send(desk)

    events: list[Event] = [
        result,
        lambda: world.expect(42_00, 1),
        lambda: world.expect(5_00, 2),
        lambda: world.expect(4_00, 3),
    ]
    return world, events


def telling(world: World, line: Movement) -> Event:
    return lambda: world.tell(line)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_any_order_and_repetition_of_the_same_lines_ends_in_the_same_books(
    desk: Desk, account: BankAccount, sent: Send, data: st.DataObject
) -> None:
    before = await balances(desk)
    world, events = await a_world(desk, account, sent)
    lines = list(world.told.values())
    events += [telling(world, line) for line in (*lines, *lines)]
    order: Sequence[Event] = data.draw(st.permutations(events))
    for event in order:
        await event()
        if data.draw(st.booleans()):
            await match_lines(desk)
    for _ in range(2):
        await match_lines(desk)
    found = {ref: state for ref, state in (await kept(desk)).items() if ref in world.told}
    *known, stranger = found.values()
    assert known == [MATCHED] * len(known)
    assert stranger == ("exception", "UNEXPECTED_DEPOSIT")
    after = await balances(desk)
    moved = {name: fen - before.get(name, 0) for name, fen in after.items()}
    assert {name: fen for name, fen in moved.items() if fen} == {
        Account.BANK: -100_00 - 7_00 + 42_00 + 9_00 - 1_50,
        Account.BENEFIT_EXPENSE: 141_00,
        Account.BENEFITS_PAYABLE: -20_00 - 3_00 - 11_00,
        Account.MEMBERSHIP_FEES: -42_00 - 9_00,
        Account.BANK_CHARGES: 1_50,
    }
    [day] = await reconciled_days(desk, FUND, clock.today(), clock.today())
    assert day.book_only.number == 0
    assert day.book_fen + day.bank_only.signed_fen == account.balance_fen
