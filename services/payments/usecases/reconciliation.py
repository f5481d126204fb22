"""Every line of the bank's finds its counterpart, or a person is told why it has none.

Rows are locked in the order of everybody: batch, balances, payouts; then what is expected, then
lines; the ledger and its funds last.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple, TypeVar, TypeVarTuple, Unpack
from uuid import UUID

from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import TRANSIENT, Unit
from services.common.kit.logs import get_logger
from services.payments.model.batches import BatchState
from services.payments.model.ledger import Posting
from services.payments.model.payouts import Attempt, AttemptState, Paid, Returned
from services.payments.model.statements import (
    BankLine,
    Direction,
    LineReason,
    LineState,
    MovementKind,
    Receipt,
)
from services.payments.rules import line_postings
from services.payments.rules.matching import (
    Group,
    Match,
    Transfer,
    Verdict,
    agreeing,
    judge_batch,
    judge_debit,
    judge_return,
    once_given_back,
    once_shown,
    references,
)
from services.payments.rules.outstanding import outstanding
from services.payments.rules.refusals import refusal_for
from services.payments.store import (
    attempts,
    batches,
    ledger,
    lines,
    matchable,
    payouts,
    receipts,
    reconciling,
)
from services.payments.store.reconciling import Entry
from services.payments.usecases.desk import Desk
from services.payments.usecases.results import Findings, apply
from services.payments.usecases.returns import lock_named, take_returned
from services.payments.usecases.statements import read_accounts

log = get_logger()

JOB: Final = "accounts"
OTHER: Final = "OTHER"
# One transaction's worth of lines.
ROWS_MAX: Final = 1_000
OTHERS_MAX: Final = 10_000
# So many pages a turn: then the accounts are looked at again.
PAGES_MAX: Final = 100

# A line, and the transfer that it names.
Fit = tuple[BankLine, Attempt]
# A batch, or a fund.
Key = TypeVar("Key")
# Whose lines, and which.
Args = TypeVarTuple("Args")


class Matched(NamedTuple):
    """Lines and the entries of the ledger that stand for them; both make the same sum."""

    lines: Sequence[BankLine]
    entries: Sequence[Entry]


async def reconcile(desk: Desk) -> None:
    """Read on in the accounts, match what can be matched, list what has waited too long."""
    await read_accounts(desk)
    now = clock.now()
    async with desk.database.begin() as unit:
        await matchable.confirm_batches(unit, now)
        if not await matchable.any_waits(unit):
            return
    await match_lines(desk)
    before = now - timedelta(seconds=desk.settings.match_wait_s)
    async with desk.database.begin() as unit:
        _tell(await lines.give_up_waiting(unit, before))


async def match_lines(desk: Desk) -> None:
    """Match all lines that can be matched now; debits first, so that returns find them paid."""
    async with desk.database.begin() as unit:
        shown = await matchable.batches_shown(unit)
    for batch_id in shown:
        await _alone(desk, take_batch_debits, batch_id)
    await _page_by_page(desk, matchable.debits_decided, take_debits)
    await _page_by_page(desk, matchable.returns_decided, take_returns)
    async with desk.database.begin() as unit:
        others = await matchable.not_payouts(unit, OTHERS_MAX)
    for fund_id in {line.fund_id for line in others}:
        theirs = [line for line in others if line.fund_id == fund_id]
        await _alone(desk, _take_others, fund_id, theirs)


async def _alone(
    desk: Desk, take: Callable[[Desk, Unit, Unpack[Args]], Awaitable[None]], *args: *Args
) -> bool:
    """Take lines in a transaction of their own; what cannot be taken holds up nothing else."""
    try:
        async with desk.database.begin() as unit:
            await take(desk, unit, *args)
    except TRANSIENT:
        raise
    except Exception as failure:  # noqa: BLE001 - it waits, and in the end a person is told
        log.warning("timer.failed", job=JOB, error=failure)
        return False
    return True


async def _page_by_page(
    desk: Desk,
    decided: Callable[[Unit, int], Awaitable[Mapping[Key, Collection[UUID]]]],
    take: Callable[[Desk, Unit, Key, Collection[UUID]], Awaitable[None]],
) -> None:
    """Take all lines that are decided, a transaction for each key of a page.

    Where that fails each line is taken for itself, so that the one at fault is left alone.
    """
    for _ in range(PAGES_MAX):
        async with desk.database.begin() as unit:
            found = await decided(unit, ROWS_MAX)
        for key, line_ids in found.items():
            if not await _alone(desk, take, key, line_ids) and len(line_ids) > 1:
                for line_id in line_ids:
                    await _alone(desk, take, key, [line_id])
        if sum(map(len, found.values())) < ROWS_MAX:
            return


async def take_batch_debits(desk: Desk, unit: Unit, batch_id: UUID) -> None:
    """Match a batch with its debits, where they are all that was paid of it.

    Where they prove that all of a batch in doubt was paid, they make it so.
    """
    at = clock.now()
    batch = await batches.lock(unit, batch_id)
    # Of a closed batch every transfer is decided.
    tries = [] if batch.state is BatchState.CLOSED else await attempts.of_batch(unit, batch_id)
    in_flight = [one for one in tries if one.state is AttemptState.IN_FLIGHT]
    if in_flight:
        await payouts.lock_balances(unit, {one.payout.member_id for one in in_flight})
    shown = await lines.lock_whole_debits(unit, batch_id)
    shown_fen = sum(line.amount_fen for line in shown)
    verdict = judge_batch(shown_fen, await matchable.sums_of(unit, batch_id))
    if verdict is None or not shown:
        return
    await lines.match(unit, dict.fromkeys((line.line_id for line in shown), None), at)
    if verdict is Match.PROVES:
        first = shown[0]
        paid = [Paid(one, first.bank_ref, first.booked_on) for one in in_flight]
        await apply(desk, unit, batch, Findings(paid, [], []))
    booked = await reconciling.unshown_of_batch(unit, batch_id)
    await matchable.count_shown(unit, batch_id, shown_fen, at)
    spans = outstanding([(line.booked_on, line.signed_fen) for line in shown], booked)
    await reconciling.add_outstanding(unit, batch.lane.fund_id, spans)


async def take_debits(desk: Desk, unit: Unit, batch_id: UUID, line_ids: Collection[UUID]) -> None:
    """Hold debits of single transfers of a batch against them; what is not decided yet, they do."""
    batch = await batches.lock(unit, batch_id)
    fits, proven = await _hold_against(unit, line_ids, judge_debit, once_shown)
    if proven:
        paid = [Paid(attempt, line.bank_ref, line.booked_on) for line, attempt in proven]
        await apply(desk, unit, batch, Findings(paid, [], []))
    shown_fen = sum(line.amount_fen for line, _ in fits)
    await matchable.count_shown(unit, batch_id, shown_fen, clock.now())
    pairs = [Matched([line], [_paid_entry(attempt)]) for line, attempt in fits]
    await note_outstanding(unit, batch.lane.fund_id, pairs)


async def take_returns(desk: Desk, unit: Unit, fund_id: str, line_ids: Collection[UUID]) -> None:
    """Hold what the bank gave back against the transfers; give back what was taken for paid."""
    fits, proven = await _hold_against(unit, line_ids, judge_return, once_given_back)
    returned = [
        Returned(attempt, line.bank_code, refusal_for(line.return_reason or OTHER), line.booked_on)
        for line, attempt in proven
    ]
    await take_returned(desk, unit, fund_id, returned)
    pairs = [
        Matched([line], [(attempt.payout.payout_id, f"returned.{attempt.attempt_no}")])
        for line, attempt in fits
    ]
    await note_outstanding(unit, fund_id, pairs)


async def _hold_against(
    unit: Unit,
    line_ids: Collection[UUID],
    judge: Callable[[int, Transfer], Verdict],
    after: Callable[[Transfer], Transfer],
) -> tuple[list[Fit], list[Fit]]:
    """Match lines with the transfers they name, or say why not; give those, and what they prove.

    `after` is what a transfer is to the lines behind one that fits.
    """
    tries = await lock_named(unit, await lines.names(unit, line_ids))
    waiting = await lines.lock_waiting(unit, line_ids)
    known = await matchable.transfers(unit, list(tries))
    fits: list[Fit] = []
    proven: list[Fit] = []
    reasons: dict[UUID, LineReason] = {}
    for line in waiting:
        assert line.named is not None, "it names a transfer"
        verdict = judge(line.amount_fen, known[line.named])
        if isinstance(verdict, LineReason):
            reasons[line.line_id] = verdict
        elif verdict is not None:
            fits.append((line, tries[line.named]))
            known[line.named] = after(known[line.named])
            if verdict is Match.PROVES:
                proven.append(fits[-1])
    await lines.match(unit, {line.line_id: None for line, _ in fits}, clock.now())
    _tell(await lines.refuse(unit, reasons))
    return fits, proven


async def _take_others(_: Desk, unit: Unit, fund_id: str, waiting: Sequence[BankLine]) -> None:
    """Match deposits and transfers with what is expected; fees are booked as they come."""
    fees = [line for line in waiting if line.kind is MovementKind.FEE]
    rest = [line for line in waiting if line.kind is not MovementKind.FEE]
    named = {word for line in rest for word in references(line.remark)}
    expected = await receipts.referred_to(unit, fund_id, named) if named else []
    groups = agreeing(rest, expected)
    strangers = _strangers(rest, expected)
    if not (fees or groups or strangers):
        return
    entered = [receipt.receipt_id for group in groups for receipt in group.receipts]
    came = [line.line_id for group in groups for line in group.lines]
    came += [*(line.line_id for line in fees), *strangers]
    still = {receipt.receipt_id for receipt in await receipts.lock_open(unit, entered)}
    still |= {line.line_id for line in await lines.lock_waiting(unit, came)}
    whole = [group for group in groups if still.issuperset(group.ids)]
    await book(unit, fund_id, whole, [line for line in fees if line.line_id in still])
    reasons = {line_id: why for line_id, why in strangers.items() if line_id in still}
    _tell(await lines.refuse(unit, reasons))


def _strangers(waiting: Iterable[BankLine], expected: Iterable[Receipt]) -> dict[UUID, LineReason]:
    """Give the lines that nobody has announced, as far as that is news."""
    announced: dict[Direction, set[str]] = {"credit": set(), "debit": set()}
    for receipt in expected:
        announced[receipt.direction].add(receipt.reference)
    return {
        line.line_id: LineReason.UNEXPECTED_DEPOSIT
        if line.kind is MovementKind.DEPOSIT
        else LineReason.UNEXPECTED_TRANSFER
        for line in waiting
        if line.state is LineState.NEW
        and references(line.remark).isdisjoint(announced[line.direction])
    }


async def book(unit: Unit, fund_id: str, groups: Sequence[Group], fees: Sequence[BankLine]) -> None:
    """Book what has come of what was expected, and what the bank took; all of it is locked."""
    at = clock.now()
    entries: list[Posting] = []
    pairs: list[Matched] = []
    taken = {line.line_id: line.line_id for line in fees}
    met: dict[UUID, UUID] = {}
    for line in fees:
        entries.append(line_postings.charged(line))
        pairs.append(Matched([line], [entries[-1].key]))
    for group in groups:
        match_id = new_id()
        taken.update((line.line_id, match_id) for line in group.lines)
        met.update((receipt.receipt_id, match_id) for receipt in group.receipts)
        booked = [line_postings.received(receipt) for receipt in group.receipts]
        entries += booked
        pairs.append(Matched(group.lines, [entry.key for entry in booked]))
    await receipts.match(unit, met)
    await lines.match(unit, taken, at)
    await ledger.post(unit, entries, at)
    await note_outstanding(unit, fund_id, pairs)


async def note_outstanding(
    unit: Unit, fund_id: str, pairs: Sequence[Matched], *, sign: int = 1
) -> None:
    """Note what lay open before it was matched now; with `sign` -1 that it is matched no more."""
    if not pairs:
        return
    days = await reconciling.days_of(unit, [entry for pair in pairs for entry in pair.entries])
    spans = [
        span._replace(amount_fen=sign * span.amount_fen, items=sign * span.items)
        for pair in pairs
        for span in outstanding(
            [(line.booked_on, line.signed_fen) for line in pair.lines],
            [days[entry] for entry in pair.entries],
        )
    ]
    await reconciling.add_outstanding(unit, fund_id, spans)


def _tell(new: int) -> None:
    if new:
        log.warning("account.exception", count=new)


def _paid_entry(attempt: Attempt) -> Entry:
    return attempt.payout.payout_id, f"paid.{attempt.attempt_no}"
