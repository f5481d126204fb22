"""Cuts a batch: who is in it and every byte of its file are fixed before anything is sent."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.common.ids import new_id
from services.common.kit import clock, metrics
from services.common.kit.db import Unit
from services.common.kit.logs import get_logger
from services.common.money import Fen
from services.payments.errors import PayeeUnusable
from services.payments.model.batches import Batch, BatchState, Instruction, Lane
from services.payments.model.ledger import Posting
from services.payments.model.payouts import (
    Attempt,
    AttemptState,
    Payee,
    Payout,
    PayoutState,
    Refused,
    SealedPayee,
)
from services.payments.rules import postings
from services.payments.rules.refusals import refusal_for
from services.payments.rules.windows import business_day, cut_due, open_at
from services.payments.store import attempts, batches, ledger, payees, payouts, queue
from services.payments.usecases import published
from services.payments.usecases.desk import Desk
from services.payments.usecases.workdays import is_workday

log = get_logger()

NO_LINE = 0
BOOKS_DIFFER = "BOOKS_DIFFER"
# Fewer go at once where the bank has nothing of their lane: while it works, the next ones gather.
# More are a stream, which fills whole batches, and those cost a payout less. Where people approve
# batches, one of few is as much work to them as one of many.
FEW = 100


class Due(NamedTuple):
    """A lane in which payouts wait, how long until its next batch, and whether that is full."""

    lane: Lane
    until: timedelta
    full: bool


class Sorted(NamedTuple):
    """Ready payouts by what can be done with them now."""

    lines: list[tuple[Attempt, Payee]]
    without_payee: list[Payout]
    unusable: list[Attempt]
    # Another payout of the member is on its way to another card.
    held: list[Payout]
    # What the fund has no money for.
    too_much: list[queue.Queued]
    # Another lane's by now: its amount fell, its scheme moved to another fund, the tiers changed.
    elsewhere: list[tuple[Lane, Payout]]


async def lanes_due(desk: Desk) -> list[Due]:
    """Say in which lanes payouts wait, and how long it is until each one's next batch."""
    settings = desk.settings
    async with desk.database.begin() as unit:
        busy = await batches.lanes_under_way(unit)
        if len(busy) >= settings.batches_open_max:
            return []
        found = await queue.waiting(unit, settings.batch_payouts_max)
    now, wait = clock.now(), timedelta(milliseconds=settings.batch_wait_ms)
    return [
        Due(
            waiting.lane,
            max(timedelta(0), _due(desk, waiting, now, _wait_of(waiting, busy, wait)) - now),
            waiting.payouts >= rows_max(desk, waiting.lane),
        )
        for waiting in found
        if waiting.lane.fund_id in desk.channels
    ]


def _wait_of(waiting: queue.Waiting, busy: Collection[Lane], wait: timedelta) -> timedelta:
    """Say how long the first may wait for more to come."""
    few = waiting.payouts < FEW and not waiting.lane.tier and waiting.lane not in busy
    return timedelta(0) if few else wait


def _due(desk: Desk, waiting: queue.Waiting, now: datetime, wait: timedelta) -> datetime:
    fund = desk.funds.by_id[waiting.lane.fund_id]
    full = waiting.payouts >= rows_max(desk, waiting.lane)
    since = min(now, waiting.oldest)
    due = cut_due(fund, since, timedelta(0) if full else wait, is_workday)
    # What was due while nobody cut, or no money was there, keeps to the bank's hours as well.
    return max(due, open_at(fund.hours, now, is_workday))


def rows_max(desk: Desk, lane: Lane) -> int:
    """Say how many payouts a batch of the lane takes: what we, the fund and the bank allow."""
    of_fund = desk.funds.by_id[lane.fund_id].lines_max
    of_bank = desk.channels[lane.fund_id].lines_max
    return min(desk.settings.batch_payouts_max, of_bank, of_fund or of_bank)


async def cut_batch(desk: Desk, lane: Lane, payouts_max: int) -> UUID | None:
    """Cut one batch of what has waited longest; None where nothing was fit to go out."""
    async with desk.database.begin() as unit:
        places = await queue.take(unit, lane, payouts_max)
        moving = await payouts.lock_for_cut(unit, {place.member_id for place in places})
        ready = await queue.still_ready(unit, places)
        # Read after the balances are locked: a payee that comes later finds what is decided here.
        sorted_ = await _sort(desk, unit, lane, ready, moving)
        at = clock.now()
        await _set_aside(unit, lane, sorted_, at)
        if not sorted_.lines:
            return None
        batch_id = await _fix(desk, unit, lane, sorted_.lines, at)
    desk.keep_at_hand(batch_id, [attempt for attempt, _ in sorted_.lines])
    log.info("batch.fixed", batch_id=batch_id, lines=len(sorted_.lines))
    return batch_id


async def park_first(desk: Desk, lane: Lane) -> None:
    """Take the payout out of the lane that no batch can be cut with; finance has to look at it."""
    refusal = refusal_for(BOOKS_DIFFER)
    at = clock.now()
    async with desk.database.begin() as unit:
        places = await queue.take(unit, lane, 1)
        await payouts.lock_balances(unit, {place.member_id for place in places})
        parked = [ready.payout for ready in await queue.still_ready(unit, places)]
        for payout in parked:
            payout.state = PayoutState.REFUSED
            payout.version += 1
            log.error("invariant.broken", payout_id=payout.payout_id, reason=refusal.reason)
        await payouts.save(unit, parked, at)
        await payouts.put_on_refusal_list(unit, [(payout, refusal) for payout in parked], at)


async def _sort(
    desk: Desk, unit: Unit, lane: Lane, ready: Sequence[queue.Ready], moving: Collection[UUID]
) -> Sorted:
    """Sort payouts by what can be done; of the members in `moving` money is on its way."""
    waiting = [one.payout for one in ready]
    # A member's payouts stand side by side: what is the member's is looked at once.
    known = await _payees_of(unit, list({payout.member_id for payout in waiting}))
    opened = {
        member_id: _usable(desk, lane, member_id, payee) for member_id, payee in known.items()
    }
    other_cards = await queue.cards_on_their_way(unit, moving) if moving else {}
    reserve = desk.funds.by_id[lane.fund_id].reserve_fen
    free = (await ledger.cash_of(unit, lane.fund_id)).free_fen - reserve
    sorted_ = Sorted([], [], [], [], [], [])
    for one, (lane_now, payout) in zip(ready, desk.lanes(waiting), strict=True):
        payee = known.get(payout.member_id)
        if lane_now != lane:
            sorted_.elsewhere.append((lane_now, payout))
        elif payee is None:
            payout.version += 1
            payout.state = PayoutState.AWAITING_PAYEE
            sorted_.without_payee.append(payout)
        elif other_cards and other_cards.get(payout.member_id, set()) - {payee.version}:
            sorted_.held.append(payout)
        elif sorted_.too_much or payout.amount_fen > free:
            # Nothing smaller overtakes what waits for money.
            sorted_.too_much.append(one.place)
        elif _make_line(sorted_, one, payee.version, opened[payout.member_id]):
            free -= payout.amount_fen
    return sorted_


async def _payees_of(unit: Unit, members: Sequence[UUID]) -> Mapping[UUID, SealedPayee]:
    """Give the payees; where one lacks, it may be arriving at this moment."""
    known = await payees.of_members(unit, members)
    lacking = {*members} - known.keys()
    if not lacking:
        return known
    await payees.settle(unit, lacking)
    return await payees.of_members(unit, members)


def _usable(desk: Desk, lane: Lane, member_id: UUID, payee: SealedPayee) -> Payee | None:
    """Open a payee; None where the bank's file cannot hold it."""
    try:
        opened = desk.open_payee(member_id, payee)
        desk.channels[lane.fund_id].check(opened)
    except PayeeUnusable:
        return None
    return opened


def _make_line(sorted_: Sorted, one: queue.Ready, payee_version: int, opened: Payee | None) -> bool:
    """Make a line of a payout; tell whether the bank's file can hold it."""
    payout, attempt_no = one.payout, one.attempt_no + 1
    payout.version += 1
    if opened is None:
        payout.state = PayoutState.REFUSED
        sorted_.unusable.append(
            Attempt(payout, attempt_no, payee_version, NO_LINE, AttemptState.REFUSED)
        )
        return False
    payout.state = PayoutState.BATCHED
    line = len(sorted_.lines) + 1
    attempt = Attempt(payout, attempt_no, payee_version, line, AttemptState.IN_FLIGHT)
    sorted_.lines.append((attempt, opened))
    return True


async def _set_aside(unit: Unit, lane: Lane, sorted_: Sorted, at: datetime) -> None:
    """Let wait what lacks a payee, a settled card or money; refuse what no bank file can hold."""
    await queue.put(unit, sorted_.elsewhere, at)
    await payouts.save(unit, sorted_.without_payee, at)
    await queue.hold(unit, sorted_.held, at)
    if sorted_.too_much:
        await queue.put_back(unit, sorted_.too_much)
        if await ledger.tell_low(unit, lane.fund_id, at):
            log.warning("fund.low", fund_id=lane.fund_id)
            metrics.funds_low.labels(lane.fund_id).inc()
    unusable = sorted_.unusable
    if not unusable:
        return
    refusal = refusal_for(PayeeUnusable.code)
    await attempts.refuse_here(unit, unusable, at)
    await attempts.note_refused_here(unit, unusable, at, refusal.reason)
    await payouts.put_on_refusal_list(unit, [(a.payout, refusal) for a in unusable], at)
    await unit.publish(
        [
            published.refused(Refused(attempt, "", refusal), attempt.payout.amount_fen, at)
            for attempt in unusable
        ]
    )


async def _fix(
    desk: Desk,
    unit: Unit,
    lane: Lane,
    lines: Sequence[tuple[Attempt, Payee]],
    at: datetime,
) -> UUID:
    """Write the batch, its file and its attempts, and reserve the money."""
    batch_id = new_id()
    day = business_day(desk.funds.by_id[lane.fund_id], at, is_workday)
    instructions = [
        Instruction(attempt.line, attempt.instruction_id, payee, attempt.payout.amount_fen)
        for attempt, payee in lines
    ]
    file = desk.channels[lane.fund_id].fix(batch_id, day, instructions)
    batch = Batch(
        batch_id,
        lane,
        file.batch_no,
        file.name,
        day,
        hashlib.sha256(file.content).digest(),
        desk.seal_file(batch_id, file.content),
        BatchState.AWAITING_APPROVAL if lane.tier else BatchState.FIXED,
    )
    tries = [attempt for attempt, _ in lines]
    await batches.insert_batch(unit, batch, instructions, at)
    await attempts.set_out(unit, batch_id, tries, at)
    await ledger.post(unit, _reserved(batch_id, lane.fund_id, tries), at)
    return batch_id


def _reserved(batch_id: UUID, fund_id: str, tries: Sequence[Attempt]) -> list[Posting]:
    totals = by_scheme(tries)
    return [
        postings.reserved(batch_id, fund_id, scheme_id, fen) for scheme_id, fen in totals.items()
    ]


def by_scheme(tries: Sequence[Attempt]) -> dict[str, Fen]:
    """Add up what attempts pay, per scheme."""
    totals: defaultdict[str, int] = defaultdict(int)
    for attempt in tries:
        totals[attempt.payout.scheme_id] += attempt.payout.amount_fen
    return {scheme_id: Fen(fen) for scheme_id, fen in totals.items()}
