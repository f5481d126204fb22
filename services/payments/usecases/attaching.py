"""Two people say for what a line of the bank's stands, or that it does not stand for it after all.

What was booked by mistake is booked back by opposite entries; nothing is struck out.
"""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from services.common.ids import derived_id
from services.common.kit import clock
from services.common.kit.db import Unit
from services.common.money import Fen
from services.payments.errors import ActImpossible
from services.payments.model.acts import (
    Attach,
    Detach,
    ToAccount,
    ToAttempt,
    ToReceipts,
    ToRecovery,
    VoidLine,
)
from services.payments.model.ledger import Account, Posting
from services.payments.model.owed import AccountKey
from services.payments.model.statements import (
    BankLine,
    LineState,
    MovementKind,
    Outstanding,
    Receipt,
)
from services.payments.rules import line_postings, postings
from services.payments.rules.matching import OF_OURS, Group
from services.payments.rules.owed import Books, take_from_newest
from services.payments.store import (
    attempts,
    batches,
    ledger,
    lines,
    payouts,
    receipts,
    reconciling,
    recoveries,
)
from services.payments.store.reconciling import Entry
from services.payments.store.recoveries import Recovery
from services.payments.usecases.desk import Desk
from services.payments.usecases.receipts import check
from services.payments.usecases.reconciliation import (
    Matched,
    book,
    note_outstanding,
    take_debits,
    take_returns,
)
from services.payments.usecases.returns import lock_named

_OF_OTHERS: Final = (MovementKind.DEPOSIT, MovementKind.TRANSFER)


async def say_of_lines(
    desk: Desk, unit: Unit, told: Attach | Detach | VoidLine, person_id: UUID
) -> None:
    """Carry out what two people say of lines, or raise `ActImpossible`."""
    match told:
        case Attach():
            await attach(desk, unit, told, person_id)
        case Detach(line_id=line_id):
            await detach(desk, unit, line_id)
        case VoidLine(line_id=line_id):
            await void_line(desk, unit, line_id)


async def attach(desk: Desk, unit: Unit, act: Attach, person_id: UUID) -> None:
    """Match open lines with what two people say; `ActImpossible` where it does not add up."""
    match act.target:
        case ToAttempt() as target:
            await _to_attempt(desk, unit, act.line_ids, target)
        case ToReceipts(receipt_ids=receipt_ids):
            expected = await receipts.lock_open(unit, receipt_ids)
            if len(expected) != len(set(receipt_ids)):
                raise ActImpossible
            await _to_receipts(unit, await _lock(unit, act.line_ids), expected)
        case ToAccount() as target:
            came = await _lock(unit, act.line_ids)
            receipt = _unannounced(came, target)
            check(desk, receipt)
            await receipts.insert(unit, [receipt], person_id, clock.now())
            await _to_receipts(unit, came, [receipt])
        case ToRecovery(member_id=member_id, scheme_id=scheme_id):
            account = AccountKey(member_id, scheme_id)
            books = await payouts.lock_books(unit, [member_id])
            await _to_recovery(desk, unit, await _lock(unit, act.line_ids), account, books)


async def _lock(unit: Unit, line_ids: Collection[UUID]) -> list[BankLine]:
    """Lock lines of others than us, of one account and one direction, that are open."""
    came = await lines.lock_open(unit, line_ids)
    alike = {(line.fund_id, line.direction) for line in came}
    of_others = all(line.kind in _OF_OTHERS for line in came)
    if len(came) != len(set(line_ids)) or len(alike) != 1 or not of_others:
        raise ActImpossible
    return came


async def _to_attempt(desk: Desk, unit: Unit, line_ids: Sequence[UUID], target: ToAttempt) -> None:
    """Take a line as if the bank had named the transfer."""
    named = (target.payout_id, target.attempt_no)
    batch_id = await attempts.batch_of(unit, *named)
    if batch_id is None or len(line_ids) != 1:
        raise ActImpossible
    fund_id = (await batches.lock(unit, batch_id)).lane.fund_id
    await lock_named(unit, [named])
    for line in await lines.lock_open(unit, line_ids):
        as_paid = line.kind is MovementKind.PAYOUT
        if (
            line.fund_id != fund_id
            or line.kind not in OF_OURS
            or as_paid != (line.direction == "debit")
        ):
            raise ActImpossible
        await lines.name(unit, line.line_id, named, batch_id)
        if as_paid:
            await take_debits(desk, unit, batch_id, line_ids)
        else:
            await take_returns(desk, unit, fund_id, line_ids)
    if [line.state for line in await lines.lock(unit, line_ids)] != [LineState.MATCHED]:
        raise ActImpossible


def _source(kind: str, came: Sequence[BankLine]) -> UUID:
    """Name what is made of lines; once their match was taken back, another name."""
    return derived_id(kind, *(f"{line.line_id}.{line.round}" for line in came))


def _sum(came: Sequence[BankLine]) -> Fen:
    return Fen(sum(line.amount_fen for line in came))


def _unannounced(came: Sequence[BankLine], target: ToAccount) -> Receipt:
    """Make of lines what somebody should have announced."""
    return Receipt(
        _source("receipt", came),
        came[0].fund_id,
        target.account,
        target.scheme_id,
        target.unit_code,
        _sum(came),
        reference="",
    )


async def _to_receipts(unit: Unit, came: Sequence[BankLine], expected: Sequence[Receipt]) -> None:
    group = Group(came, expected)
    of_line = (came[0].fund_id, came[0].direction)
    if not group.agrees or any((one.fund_id, one.direction) != of_line for one in expected):
        raise ActImpossible
    await book(unit, came[0].fund_id, [group], [])


async def _to_recovery(
    desk: Desk, unit: Unit, came: Sequence[BankLine], account: AccountKey, books: Books
) -> None:
    """Set what a member pays back off against what was paid too much, and not beyond."""
    fund_id, amount, at = came[0].fund_id, _sum(came), clock.now()
    if (
        came[0].direction == "debit"
        or desk.fund_of(account.scheme_id).fund_id != fund_id
        or amount > await recoveries.overpaid_fen(unit, account)
    ):
        raise ActImpossible
    opened = books.move(account, paid=-amount)
    assert opened == 0, "nothing is owed where too much was paid"
    recovery = Recovery(_source("recovery", came), account, amount)
    await payouts.write_books(unit, books)
    await recoveries.insert(unit, recovery, at)
    await lines.match(unit, {line.line_id: recovery.source_id for line in came}, at)
    entries = postings.recovered(recovery.source_id, fund_id, account, amount)
    await ledger.post(unit, entries, at)
    pair = Matched(came, [entry.key for entry in entries if entry.debit is Account.BANK])
    await note_outstanding(unit, fund_id, [pair])


async def detach(desk: Desk, unit: Unit, line_id: UUID) -> None:
    """Take back the match of a line and of all that was matched with it, by opposite entries.

    The lines are open again, for people alone; what was expected is expected again. What a line
    says of a payout is not taken back so: `ActImpossible`.
    """
    match_id = await lines.match_of(unit, line_id)
    if match_id is None:
        raise ActImpossible
    recovery = await recoveries.of_match(unit, match_id)
    books = await payouts.lock_books(unit, [recovery.account.member_id]) if recovery else None
    if recovery and books:
        await _owe_again(desk, unit, recovery, books)
    expected = await receipts.of_match(unit, match_id)
    came = await lines.of_match(unit, match_id)
    if not came:
        raise ActImpossible
    keys: list[Entry] = [(one.receipt_id, f"received.{one.round}") for one in expected]
    if recovery:
        keys = [(match_id, "recovered"), (match_id, "set_off")]
    elif not expected:
        keys = [(line.line_id, f"charged.{line.round}") for line in came]
    await lines.detach(unit, [line.line_id for line in came])
    await receipts.reopen(unit, match_id)
    await _book_back(unit, came, await reconciling.entries(unit, keys))


async def _owe_again(desk: Desk, unit: Unit, recovery: Recovery, books: Books) -> None:
    """Count as paid again what was not repaid; what became owed through it is so no longer."""
    account = recovery.account
    opened = books.move(account, paid=recovery.amount_fen)
    mine = [
        payout
        for payout in await payouts.lock_open(unit, [account.member_id])
        if payout.account == account
    ]
    changed = take_from_newest(mine, -opened)
    books.opened(account, opened)
    await payouts.write_books(unit, books)
    await payouts.save(unit, changed, clock.now())
    await recoveries.delete(unit, recovery.source_id)
    # What has not left yet may be owed no more.
    if await batches.recall_of_members(unit, [account.member_id]):
        unit.wakes.add(desk.batch_moved)


async def _book_back(unit: Unit, came: Sequence[BankLine], entries: Sequence[Posting]) -> None:
    fund_id = came[0].fund_id
    back = [line_postings.opposite(entry) for entry in entries]
    await ledger.post(unit, back, clock.now())
    on_account = [entry for entry in entries if Account.BANK in (entry.debit, entry.credit)]
    await note_outstanding(
        unit, fund_id, [Matched(came, [entry.key for entry in on_account])], sign=-1
    )
    # Between an entry and its opposite the book had what no line of the bank's stands for.
    days = await reconciling.days_of(unit, [entry.key for entry in (*on_account, *back)])
    spans: list[Outstanding] = []
    for entry in on_account:
        booked_on, fen = days[entry.key]
        undone_on, _ = days[line_postings.opposite(entry).key]
        if booked_on < undone_on:
            spans.append(Outstanding("book", booked_on, undone_on, fen))
    await reconciling.add_outstanding(unit, fund_id, spans)


async def void_line(desk: Desk, unit: Unit, line_id: UUID) -> None:
    """Strike out a line that the bank has withdrawn; what was booked for it is booked back."""
    if await lines.match_of(unit, line_id):
        await detach(desk, unit, line_id)
    if not await lines.void(unit, line_id):
        raise ActImpossible
