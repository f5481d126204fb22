"""Lines that say more, less or otherwise than they should; none of them holds up the others."""

from services.payments.model.statements import MovementKind
from services.payments.usecases.desk import Desk
from services.payments.usecases.reconciliation import reconcile
from tests.payments.reconciliation.account import BankAccount, kept
from tests.payments.reconciliation.conftest import Send

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
