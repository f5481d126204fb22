"""Hands a fixed batch to the bank and asks what became of it; unknown is asked, never sent anew.

No transaction is open while the bank is spoken to. The batch is `submitting` in the database before
a byte leaves, so whoever finds it so knows that the bank may have it.
"""

import hashlib
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from services.common.kit import clock
from services.common.kit.crash import crashpoint
from services.common.kit.logs import get_logger
from services.payments.channels.base import Answer, Outcome
from services.payments.errors import ResultUnusable
from services.payments.model.batches import Batch, BatchFile, BatchState
from services.payments.model.payouts import BankException
from services.payments.rules.windows import business_day, open_at
from services.payments.store import attempts, batches
from services.payments.usecases import results
from services.payments.usecases.desk import Desk
from services.payments.usecases.recall import take_apart
from services.payments.usecases.workdays import is_workday

log = get_logger()


class Step(Enum):
    """What one step with a batch has come to."""

    MOVED = "moved"
    SENT = "sent"
    NOTHING_NEW = "nothing_new"
    CLOSED = "closed"


async def open_batches(desk: Desk) -> list[UUID]:
    """List the batches that somebody has to go on with, oldest first."""
    async with desk.database.begin(single=True) as unit:
        return await batches.under_way(unit)


class Progress(NamedTuple):
    """What a step has come to; a batch that was just sent, to be asked about without another look.

    Asking about one that others have settled meanwhile changes nothing.
    """

    step: Step
    sent: Batch | None = None


async def advance(desk: Desk, batch_id: UUID, sent: Batch | None = None) -> Progress:
    """Do the next thing for a batch: send it, ask about it, or apply its result."""
    if sent is not None:
        return Progress(await _ask(desk, sent))
    async with desk.database.begin(single=True) as unit:
        batch = await batches.read(unit, batch_id)
    step = await _step(desk, batch)
    if step is not Step.SENT:
        return Progress(step)
    return Progress(step, batch._replace(state=BatchState.SUBMITTED, sealed_file=None))


async def _step(desk: Desk, batch: Batch) -> Step:
    match batch.state:
        case BatchState.CLOSED | BatchState.VOIDED | BatchState.AWAITING_APPROVAL:
            return Step.CLOSED
        case BatchState.RECALLED:
            await take_apart(desk, batch.batch_id)
            return Step.CLOSED
        case BatchState.SUBMITTED:
            return await _ask(desk, batch)
        case BatchState.FIXED:
            return await _send_in_time(desk, batch)
        case BatchState.SUBMITTING | BatchState.UNKNOWN:
            # The same bytes under the same name: the bank books them once, however often they come.
            return await _submit(desk, batch, BatchState.UNKNOWN)


async def _send_in_time(desk: Desk, batch: Batch) -> Step:
    """Send a batch while its bank is open; one whose day has gone by is made anew."""
    fund, now = desk.funds.by_id[batch.lane.fund_id], clock.now()
    if business_day(fund, now, is_workday) > batch.business_day and fund.hours:
        await _move(desk, batch, BatchState.FIXED, BatchState.RECALLED)
        return Step.MOVED
    if open_at(fund.hours, now, is_workday) > now:
        return Step.NOTHING_NEW
    return await _submit(desk, batch, BatchState.SUBMITTING)


async def _submit(desk: Desk, batch: Batch, meanwhile: BatchState) -> Step:
    """Hand the batch over; `meanwhile` is what it is until the bank has answered."""
    assert batch.sealed_file is not None, "an open batch keeps its bytes"
    content = desk.open_file(batch.batch_id, batch.sealed_file)
    assert hashlib.sha256(content).digest() == batch.sha256, "the bytes are as they were fixed"
    async with desk.database.begin() as unit:
        at = clock.now()
        moved = await batches.move(unit, batch.batch_id, [batch.state], meanwhile, at=at)
        spent = await attempts.any_failed(unit, batch.batch_id)
    if not moved:
        return Step.MOVED
    if spent:
        # A bank that never got these bytes, or has forgotten them, would pay what is paid by
        # another attempt since: it is asked what it knows, and the rest is in doubt.
        return await _ask(desk, batch)
    file = BatchFile(batch.batch_no, batch.file_name, content)
    answer = await desk.channels[batch.lane.fund_id].submit(file)
    crashpoint("payments.file_sent")
    log.info("batch.sent", batch_id=batch.batch_id, state=answer.outcome.value, code=answer.code)
    match answer.outcome:
        case Outcome.DONE:
            await _move(desk, batch, meanwhile, BatchState.SUBMITTED)
            return Step.SENT
        case Outcome.REFUSED:
            await results.refuse_whole(desk, batch.batch_id, answer.code)
            return Step.CLOSED
        case Outcome.UNKNOWN:
            await _move(desk, batch, meanwhile, BatchState.UNKNOWN, answer.code)
            if answer.number_taken:
                odd = BankException("number_taken", batch.batch_no)
                await results.list_exception(desk, batch.batch_id, odd)
            return Step.NOTHING_NEW


async def _ask(desk: Desk, batch: Batch) -> Step:
    try:
        channel = desk.channels[batch.lane.fund_id]
        result = await channel.result(batch.batch_no, batch.file_name)
    except ResultUnusable as unusable:
        # Nothing of it is believed; the bank keeps the right one and is asked for it again.
        log.warning("batch.result_unusable", batch_id=batch.batch_id, error=unusable)
        return Step.NOTHING_NEW
    if not isinstance(result, Answer):
        closed = await results.apply_result(desk, batch.batch_id, result)
        return Step.CLOSED if closed else Step.NOTHING_NEW
    if result.outcome is Outcome.REFUSED:
        await results.refuse_whole(desk, batch.batch_id, result.code)
        return Step.CLOSED
    if result.not_found:
        # The bank had taken it and does not know it any more: the same bytes ask what became of it.
        await _move(desk, batch, BatchState.SUBMITTED, BatchState.UNKNOWN, result.code)
    return Step.NOTHING_NEW


async def _move(
    desk: Desk, batch: Batch, before: BatchState, after: BatchState, bank_code: str = ""
) -> bool:
    async with desk.database.begin(single=True) as unit:
        return await batches.move(
            unit, batch.batch_id, [before], after, at=clock.now(), bank_code=bank_code
        )
