"""Two people say what a line stands for, take it back, or strike out what the bank withdrew."""

from collections.abc import Callable
from uuid import UUID

import pytest

from services.common.ids import new_id
from services.common.money import Fen
from services.payments.errors import ActImpossible, TwoPeopleNeeded
from services.payments.model.acts import (
    ActContent,
    Attach,
    Detach,
    ToAccount,
    ToAttempt,
    ToReceipts,
    ToRecovery,
    VoidLine,
)
from services.payments.model.ledger import Account
from services.payments.model.payouts import named_by
from services.payments.model.statements import MovementKind
from services.payments.usecases import acts, reading, receipts
from services.payments.usecases.desk import Desk
from services.payments.usecases.receipts import expected
from services.payments.usecases.reconciliation import reconcile
from tests.payments.bank import ToldBank
from tests.payments.people import SCHEME, Member, deliver, states
from tests.payments.reconciliation.account import FUND, BankAccount, booked, confirmed, kept
from tests.payments.reconciliation.conftest import Send
from tests.payments.steps import benefits_of, cut, send

FINANCE, CHECKER = new_id(), new_id()
MATCHED = ("matched", None)


async def do(desk: Desk, content: ActContent) -> None:
    act_id = await acts.propose(desk, FINANCE, content, "by letter")
    await acts.confirm(desk, act_id, CHECKER)


async def line_ids(desk: Desk) -> list[UUID]:
    async with desk.database.begin() as unit:
        rows = await unit.fetch("select line_id from bank_line order by bank_ref::int")
    return [row["line_id"] for row in rows]


def attached(ids: list[UUID], target: ToReceipts | ToAccount | ToRecovery | ToAttempt) -> Attach:
    return Attach(kind="attach", line_ids=tuple(ids), target=target)


async def test_one_person_alone_attaches_nothing(desk: Desk, account: BankAccount) -> None:
    account.deposit(3_00)
    await reconcile(desk)
    content = attached(await line_ids(desk), ToAccount(to="account", account="union_subsidy"))
    act_id = await acts.propose(desk, FINANCE, content, "a gift")
    with pytest.raises(TwoPeopleNeeded):
        await acts.confirm(desk, act_id, FINANCE)
    assert await booked(desk, Account.UNION_SUBSIDY) == 0


async def test_lines_without_a_reference_are_attached_to_what_was_expected(
    desk: Desk, account: BankAccount
) -> None:
    receipt = expected(FUND, "membership_fees", Fen(3_00), "BJ-0001-202611")
    await receipts.expect(desk, FINANCE, [receipt])
    account.deposit(1_00)
    account.deposit(2_00)
    await reconcile(desk)
    target = ToReceipts(to="receipts", receipt_ids=(receipt.receipt_id,))
    first, second = await line_ids(desk)
    with pytest.raises(ActImpossible):
        await do(desk, attached([first], target))
    await do(desk, attached([first, second], target))
    assert await kept(desk) == {"1": MATCHED, "2": MATCHED}
    assert await booked(desk, Account.MEMBERSHIP_FEES) == -3_00


async def test_a_deposit_that_nobody_announced_is_booked_as_two_people_say_and_taken_back(
    desk: Desk, account: BankAccount
) -> None:
    account.deposit(3_00)
    await reconcile(desk)
    [line_id] = await line_ids(desk)
    wrong = ToAccount(to="account", account="union_subsidy", scheme_id=SCHEME)
    await do(desk, attached([line_id], wrong))
    assert await booked(desk, Account.UNION_SUBSIDY) == -3_00
    await do(desk, Detach(kind="detach", line_id=line_id))
    assert await booked(desk, Account.UNION_SUBSIDY) == 0
    assert await kept(desk) == {"1": ("exception", "DETACHED")}
    await reconcile(desk)
    assert await kept(desk) == {"1": ("exception", "DETACHED")}, "it waits for people"
    for _ in range(2):
        await do(desk, attached([line_id], wrong))
        await do(desk, Detach(kind="detach", line_id=line_id))
    await do(desk, attached([line_id], ToAccount(to="account", account="member_contributions")))
    assert await booked(desk, Account.MEMBER_CONTRIBUTIONS) == -3_00
    assert await booked(desk, Account.BANK) == desk.settings.fund_opening_fen + 3_00


async def test_money_out_is_not_booked_as_money_in(desk: Desk, account: BankAccount) -> None:
    account.book(MovementKind.TRANSFER, 3_00)
    account.deposit(3_00)
    await reconcile(desk)
    out, come = await line_ids(desk)
    for ids, target in (
        ([out], ToAccount(to="account", account="union_subsidy")),
        ([come], ToAccount(to="account", account="handed_up")),
        ([out, come], ToAccount(to="account", account="handed_up")),
        ([new_id()], ToAccount(to="account", account="handed_up")),
    ):
        with pytest.raises(ActImpossible):
            await do(desk, attached(ids, target))
    await do(desk, attached([out], ToAccount(to="account", account="handed_up")))
    assert await booked(desk, Account.DUE_TO_ASSOCIATION) == 3_00


async def test_what_is_expected_is_expected_again_when_its_match_is_taken_back(
    desk: Desk, account: BankAccount
) -> None:
    receipt = expected(FUND, "membership_fees", Fen(3_00), "BJ-0001-202611")
    await receipts.expect(desk, FINANCE, [receipt])
    account.deposit(3_00, remark="BJ-0001-202611")
    await reconcile(desk)
    [line_id] = await line_ids(desk)
    await do(desk, Detach(kind="detach", line_id=line_id))
    assert await booked(desk, Account.MEMBERSHIP_FEES) == 0
    account.deposit(3_00, remark="BJ-0001-202611")
    await reconcile(desk)
    assert await kept(desk) == {"1": ("exception", "DETACHED"), "2": MATCHED}
    assert await booked(desk, Account.MEMBERSHIP_FEES) == -3_00


@pytest.fixture
async def overpaid(desk: Desk, bank: ToldBank, new_member: Callable[..., Member]) -> Member:
    """Give a member who was paid 100 yuan and is granted only 40 of them by now."""
    member = new_member()
    await deliver(desk, member.registered(), member.payee(), member.grant(100_00))
    await cut(desk)
    await send(desk)
    bank.all_lines[0].pay()
    await send(desk)
    await deliver(desk, member.grant(-60_00))
    return member


async def paid_net(desk: Desk, member: Member) -> tuple[int, int]:
    async with desk.database.begin() as unit:
        row = await unit.fetchrow(
            "select paid_fen, open_fen from balance where member_id = $1", member.member_id
        )
    assert row is not None
    return row["paid_fen"], row["open_fen"]


async def test_a_member_repays_what_was_paid_too_much_and_no_more(
    desk: Desk, account: BankAccount, overpaid: Member
) -> None:
    account.deposit(60_00, party="王小明")
    account.deposit(1, party="王小明")
    await reconcile(desk)
    first, second = await line_ids(desk)
    target = ToRecovery(to="recovery", member_id=overpaid.member_id, scheme_id=SCHEME)
    with pytest.raises(ActImpossible):
        await do(desk, attached([first, second], target))
    await do(desk, attached([first], target))
    assert await paid_net(desk, overpaid) == (40_00, 0)
    assert (await kept(desk))["1"] == MATCHED
    assert await booked(desk, Account.BENEFITS_PAYABLE) == 0
    with pytest.raises(ActImpossible):
        await do(desk, attached([second], target))


async def test_a_repayment_taken_back_takes_back_what_became_owed_through_it(
    desk: Desk, account: BankAccount, overpaid: Member
) -> None:
    account.deposit(60_00)
    await reconcile(desk)
    [line_id] = await line_ids(desk)
    target = ToRecovery(to="recovery", member_id=overpaid.member_id, scheme_id=SCHEME)
    await do(desk, attached([line_id], target))
    await deliver(desk, overpaid.grant(25_00))
    assert await paid_net(desk, overpaid) == (40_00, 25_00)
    await do(desk, Detach(kind="detach", line_id=line_id))
    assert await paid_net(desk, overpaid) == (100_00, 0)
    assert (await states(desk, overpaid))[-1] == ("cancelled", 0)
    assert await benefits_of(desk, overpaid) == (65_00, 100_00, 35_00)
    await do(desk, attached([line_id], ToAccount(to="account", account="union_subsidy")))
    assert await booked(desk, Account.RECOVERIES) == 0


async def test_a_repayment_taken_back_takes_what_is_owed_no_more_out_of_a_batch_that_has_not_left(
    desk: Desk, bank: ToldBank, account: BankAccount, overpaid: Member
) -> None:
    account.deposit(60_00)
    await reconcile(desk)
    [line_id] = await line_ids(desk)
    target = ToRecovery(to="recovery", member_id=overpaid.member_id, scheme_id=SCHEME)
    await do(desk, attached([line_id], target))
    await deliver(desk, overpaid.grant(25_00))
    await cut(desk)
    await do(desk, Detach(kind="detach", line_id=line_id))
    await send(desk)
    assert len(bank.all_lines) == 1, "the second payout has not left"
    assert await benefits_of(desk, overpaid) == (65_00, 100_00, 35_00)
    assert (await states(desk, overpaid))[-1] == ("cancelled", 0)


async def test_a_return_that_names_nothing_is_attached_to_its_transfer(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    [line] = await paid(100_00)
    account.give_back("", 100_00)
    await reconcile(desk)
    [line_id] = await line_ids(desk)
    named = named_by(line.instruction_id)
    assert named is not None
    target = ToAttempt(to="attempt", payout_id=named[0], attempt_no=named[1])
    with pytest.raises(ActImpossible):
        await do(desk, attached([line_id], target.model_copy(update={"attempt_no": 2})))
    await do(desk, attached([line_id], target))
    assert await kept(desk) == {"1": MATCHED}
    assert (await reading.books(desk))["payouts_by_state"] == {"returned": 1}
    with pytest.raises(ActImpossible):
        await do(desk, Detach(kind="detach", line_id=line_id))


async def test_a_debit_that_names_nothing_is_attached_to_its_transfer(
    desk: Desk, account: BankAccount, sent: Send
) -> None:
    [line] = await sent(100_00)
    account.book(MovementKind.PAYOUT, 100_00)
    account.book(MovementKind.PAYOUT, 99_00)
    await reconcile(desk)
    good, bad = await line_ids(desk)
    named = named_by(line.instruction_id)
    assert named is not None
    target = ToAttempt(to="attempt", payout_id=named[0], attempt_no=named[1])
    with pytest.raises(ActImpossible):
        await do(desk, attached([bad], target))
    assert (await kept(desk))["2"] == ("exception", "UNKNOWN_BATCH")
    await do(desk, attached([good], target))
    assert (await reading.books(desk))["payouts_by_state"] == {"paid": 1}
    assert await confirmed(desk) == [True]


async def test_a_line_that_the_bank_has_withdrawn_is_struck_out_and_booked_back(
    desk: Desk, account: BankAccount, paid: Send
) -> None:
    account.deposit(3_00)
    account.book(MovementKind.FEE, 1_50)
    await paid(100_00)
    account.debit_batch(100_00)
    await reconcile(desk)
    deposit, fee, debit = await line_ids(desk)
    for line_id in (deposit, fee):
        await do(desk, VoidLine(kind="void_line", line_id=line_id))
        with pytest.raises(ActImpossible):
            await do(desk, VoidLine(kind="void_line", line_id=line_id))
    with pytest.raises(ActImpossible):
        await do(desk, VoidLine(kind="void_line", line_id=debit))
    await reconcile(desk)
    assert await kept(desk) == {"1": ("void", None), "2": ("void", None), "3": MATCHED}
    assert await booked(desk, Account.BANK_CHARGES) == 0
