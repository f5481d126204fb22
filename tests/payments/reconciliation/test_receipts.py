"""Money that comes in or goes out finds what was expected by its reference."""

import pytest

from services.common.ids import new_id
from services.common.money import Fen
from services.payments.errors import ReceiptUnusable, ReferenceTaken, UnknownReceipt
from services.payments.model.ledger import Account
from services.payments.model.statements import MovementKind, ReceiptKind
from services.payments.usecases import receipts
from services.payments.usecases.desk import Desk
from services.payments.usecases.receipts import expected
from services.payments.usecases.reconciliation import reconcile
from tests.payments.reconciliation.account import FUND, BankAccount, balances, kept

FINANCE = new_id()
MATCHED = ("matched", None)


async def expect(
    desk: Desk, amount_fen: int, reference: str, kind: ReceiptKind = "member_contributions"
) -> None:
    receipt = expected(FUND, kind, Fen(amount_fen), reference, unit_code="BJ-0001")
    await receipts.expect(desk, FINANCE, [receipt])


async def moved(desk: Desk) -> dict[str, int]:
    """Give what was booked beside the opening."""
    found = await balances(desk)
    found[Account.BANK] += found.pop(Account.FUND)
    return {name: fen for name, fen in found.items() if fen}


@pytest.mark.parametrize(
    ("kind", "other_side"),
    [
        ("member_contributions", Account.MEMBER_CONTRIBUTIONS),
        ("union_subsidy", Account.UNION_SUBSIDY),
        ("membership_fees", Account.MEMBERSHIP_FEES),
        ("allotted", Account.DUE_FROM_ASSOCIATION),
    ],
)
async def test_a_deposit_is_booked_as_what_was_expected(
    desk: Desk, account: BankAccount, kind: ReceiptKind, other_side: Account
) -> None:
    await expect(desk, 300_00, "BJ-0001-202611", kind)
    account.deposit(300_00, remark="会费bj-0001-202611谢谢")
    await reconcile(desk)
    assert await kept(desk) == {"1": MATCHED}
    assert await moved(desk) == {Account.BANK: 300_00, other_side: -300_00}
    await reconcile(desk)
    assert await moved(desk) == {Account.BANK: 300_00, other_side: -300_00}


async def test_what_is_handed_up_is_matched_by_its_reference(
    desk: Desk, account: BankAccount
) -> None:
    await expect(desk, 300_00, "HANDUP-union-202611", "handed_up")
    account.book(MovementKind.TRANSFER, 300_00, remark="上交 HANDUP-UNION-202611")
    account.deposit(300_00, remark="HANDUP-UNION-202611")
    await reconcile(desk)
    assert await kept(desk) == {"1": MATCHED, "2": ("exception", "UNEXPECTED_DEPOSIT")}
    assert await moved(desk) == {Account.BANK: -300_00, Account.DUE_TO_ASSOCIATION: 300_00}


async def test_a_unit_may_pay_in_several_transfers(desk: Desk, account: BankAccount) -> None:
    await expect(desk, 300_00, "BJ-0001-202611")
    account.deposit(100_00, remark="BJ-0001-202611")
    await reconcile(desk)
    assert await kept(desk) == {"1": ("new", None)}
    account.deposit(200_00, remark="BJ-0001-202611")
    await reconcile(desk)
    assert await kept(desk) == {"1": MATCHED, "2": MATCHED}
    assert (await moved(desk))[Account.BANK] == 300_00


async def test_one_transfer_may_be_for_several_receipts(desk: Desk, account: BankAccount) -> None:
    await expect(desk, 300_00, "BJ-0001-202611")
    await expect(desk, 200_00, "BJ-0002-202611", "union_subsidy")
    account.deposit(500_00, remark="BJ-0001-202611，BJ-0002-202611")
    await reconcile(desk)
    assert await kept(desk) == {"1": MATCHED}
    assert await moved(desk) == {
        Account.BANK: 500_00,
        Account.MEMBER_CONTRIBUTIONS: -300_00,
        Account.UNION_SUBSIDY: -200_00,
    }


async def test_a_deposit_that_nobody_expects_is_listed_and_matched_once_somebody_does(
    desk: Desk, account: BankAccount
) -> None:
    account.deposit(300_00, remark="BJ-0001-202611")
    account.book(MovementKind.TRANSFER, 10_00)
    await reconcile(desk)
    assert await kept(desk) == {
        "1": ("exception", "UNEXPECTED_DEPOSIT"),
        "2": ("exception", "UNEXPECTED_TRANSFER"),
    }
    assert await moved(desk) == {}
    await expect(desk, 300_00, "BJ-0001-202611")
    await reconcile(desk)
    assert (await kept(desk))["1"] == MATCHED


async def test_a_sum_that_differs_is_not_booked(desk: Desk, account: BankAccount) -> None:
    await expect(desk, 300_00, "BJ-0001-202611")
    account.deposit(300_01, remark="BJ-0001-202611")
    await reconcile(desk)
    assert await moved(desk) == {}


async def test_a_fee_is_booked_as_it_comes(desk: Desk, account: BankAccount) -> None:
    account.book(MovementKind.FEE, 1_50)
    await reconcile(desk)
    assert await kept(desk) == {"1": MATCHED}
    assert await moved(desk) == {Account.BANK: -1_50, Account.BANK_CHARGES: 1_50}


async def test_a_reference_is_given_once_and_what_has_not_come_can_be_dropped(
    desk: Desk, account: BankAccount
) -> None:
    await expect(desk, 300_00, "BJ-0001-202611")
    with pytest.raises(ReferenceTaken):
        await expect(desk, 200_00, "bj-0001-202611")
    [shown] = await receipts.page(desk, FUND, None, open_only=True)
    assert (shown.receipt.amount_fen, shown.entered_by) == (300_00, FINANCE)
    await receipts.drop(desk, shown.receipt.receipt_id)
    assert await receipts.page(desk, FUND, None, open_only=True) == []
    await expect(desk, 200_00, "BJ-0001-202611")
    account.deposit(200_00, remark="BJ-0001-202611")
    await reconcile(desk)
    with pytest.raises(UnknownReceipt):
        await receipts.drop(desk, shown.receipt.receipt_id)
    [shown] = await receipts.page(desk, FUND, None, open_only=False)
    assert shown.matched


@pytest.mark.parametrize("reference", ["", "SHORT", "-UNION-1", "BJ 0001 2611", "单位二〇二六一一"])
async def test_a_reference_that_no_remark_can_name_is_refused(desk: Desk, reference: str) -> None:
    with pytest.raises(ReceiptUnusable):
        await expect(desk, 300_00, reference)


async def test_what_no_fund_can_receive_is_refused(desk: Desk) -> None:
    for receipt in (
        expected("nobody", "allotted", Fen(1), "ALLOT-202611"),
        expected(FUND, "allotted", Fen(0), "ALLOT-202611"),
    ):
        with pytest.raises(ReceiptUnusable):
            await receipts.expect(desk, FINANCE, [receipt])
