"""Cuts a batch: who is in it and every byte of its file are fixed before anything is sent."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import Unit
from services.common.kit.logs import get_logger
from services.common.money import Fen
from services.payments import rules
from services.payments.errors import PayeeUnusable
from services.payments.model import (
    Attempt,
    AttemptState,
    Batch,
    BatchState,
    Instruction,
    Payee,
    Payout,
    PayoutState,
    Posting,
    Refused,
)
from services.payments.rules import Books
from services.payments.store import batches, payees, payouts
from services.payments.usecases import published
from services.payments.usecases.desk import Desk

log = get_logger()

NO_LINE = 0
BOOKS_DIFFER = "BOOKS_DIFFER"


class Sorted(NamedTuple):
    """Ready payouts by what can be done with them now."""

    lines: list[tuple[Attempt, Payee]]
    without_payee: list[Payout]
    unusable: list[Attempt]


async def time_to_cut(desk: Desk) -> timedelta | None:
    """Say how long until the next batch is to be cut; None where nothing waits."""
    settings = desk.settings
    async with desk.database.begin() as unit:
        waiting = await batches.waiting(unit, settings.batch_payouts_max)
    if waiting.oldest is None or waiting.batches_open >= settings.batches_open_max:
        return None
    if waiting.payouts >= settings.batch_payouts_max:
        return timedelta(0)
    due = waiting.oldest + timedelta(milliseconds=settings.batch_wait_ms)
    return max(timedelta(0), due - clock.now())


async def cut_batch(desk: Desk, payouts_max: int) -> UUID | None:
    """Cut one batch of what has waited longest; None where nothing was fit to go out."""
    async with desk.database.begin() as unit:
        taken = await batches.take_from_queue(unit, payouts_max)
        members = list({member_id for _, member_id in taken})
        books = await payouts.lock_books(unit, members)
        ready = await batches.lock_ready(unit, [payout_id for payout_id, _ in taken])
        # Read after the balances are locked: a payee that comes later finds what is decided here.
        sorted_ = await _sort(desk, unit, ready)
        at = clock.now()
        await _set_aside(unit, sorted_, at)
        if not sorted_.lines:
            return None
        batch_id = await _fix(desk, unit, sorted_.lines, books, at)
    log.info("batch.fixed", batch_id=batch_id, lines=len(sorted_.lines))
    return batch_id


async def park_first(desk: Desk) -> None:
    """Take the payout out of the queue that no batch can be cut with; finance has to look at it."""
    refusal = rules.refusal_for(BOOKS_DIFFER)
    at = clock.now()
    async with desk.database.begin() as unit:
        taken = await batches.take_from_queue(unit, 1)
        ready = await batches.lock_ready(unit, [payout_id for payout_id, _ in taken])
        for payout, _ in ready:
            payout.state = PayoutState.REFUSED
            payout.version += 1
            log.error("invariant.broken", payout_id=payout.payout_id, reason=refusal.reason)
        parked = [payout for payout, _ in ready]
        await payouts.save(unit, parked, at)
        await payouts.put_on_refusal_list(unit, [(payout, refusal) for payout in parked], at)


async def _sort(desk: Desk, unit: Unit, ready: Sequence[batches.Ready]) -> Sorted:
    known = await payees.of_members(unit, [payout.member_id for payout, _ in ready])
    sorted_ = Sorted([], [], [])
    for payout, last_attempt in ready:
        payee = known.get(payout.member_id)
        payout.version += 1
        if payee is None:
            payout.state = PayoutState.AWAITING_PAYEE
            sorted_.without_payee.append(payout)
            continue
        try:
            opened = desk.open_payee(payout.member_id, payee)
            desk.channel.check(opened)
        except PayeeUnusable:
            payout.state = PayoutState.REFUSED
            sorted_.unusable.append(
                Attempt(payout, last_attempt + 1, payee.version, NO_LINE, AttemptState.REFUSED)
            )
        else:
            payout.state = PayoutState.BATCHED
            line = len(sorted_.lines) + 1
            attempt = Attempt(payout, last_attempt + 1, payee.version, line, AttemptState.IN_FLIGHT)
            sorted_.lines.append((attempt, opened))
    return sorted_


async def _set_aside(unit: Unit, sorted_: Sorted, at: datetime) -> None:
    """Let payouts without a payee wait, and refuse here what no bank file can hold."""
    await payouts.save(unit, sorted_.without_payee, at)
    unusable = sorted_.unusable
    if not unusable:
        return
    refusal = rules.refusal_for(PayeeUnusable.code)
    await batches.begin_attempts(unit, unusable, at)
    await batches.insert_attempts(unit, None, unusable, at, refusal.reason)
    await payouts.put_on_refusal_list(unit, [(a.payout, refusal) for a in unusable], at)
    await unit.publish(
        [
            published.refused(Refused(attempt, "", refusal), attempt.payout.amount_fen, at)
            for attempt in unusable
        ]
    )


async def _fix(
    desk: Desk, unit: Unit, lines: Sequence[tuple[Attempt, Payee]], books: Books, at: datetime
) -> UUID:
    """Write the batch, its file and its attempts, and reserve the money."""
    batch_id = new_id()
    day = clock.today()
    instructions = [
        Instruction(attempt.line, attempt.instruction_id, payee, attempt.payout.amount_fen)
        for attempt, payee in lines
    ]
    file = desk.channel.fix(batch_id, day, instructions)
    batch = Batch(
        batch_id,
        file.batch_no,
        file.name,
        hashlib.sha256(file.content).digest(),
        desk.seal_file(batch_id, file.content),
        BatchState.FIXED,
    )
    attempts = [attempt for attempt, _ in lines]
    for attempt in attempts:
        payout = attempt.payout
        books.move(payout.account, in_flight=payout.amount_fen)
        books.opened(payout.account, -payout.amount_fen)
    await payouts.write_books(unit, books)
    await batches.insert_batch(unit, batch, day, instructions, at)
    await batches.begin_attempts(unit, attempts, at)
    await batches.insert_attempts(unit, batch_id, attempts, at)
    await payouts.post(unit, _reserved(batch_id, attempts), at)
    return batch_id


def _reserved(batch_id: UUID, attempts: Sequence[Attempt]) -> list[Posting]:
    totals: defaultdict[str, int] = defaultdict(int)
    for attempt in attempts:
        totals[attempt.payout.account.scheme_id] += attempt.payout.amount_fen
    return [rules.reserved(batch_id, scheme_id, Fen(fen)) for scheme_id, fen in totals.items()]
