"""What the bank says of a batch becomes fact: paid, refused, or still not known. A set at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.common.contracts.event import Event
from services.common.contracts.payments import PayoutPaid
from services.common.kit import clock, metrics
from services.common.kit.db import Unit
from services.common.kit.logs import get_logger
from services.common.money import Fen
from services.payments.channels.base import LineAnswer, Outcome, Result
from services.payments.model.batches import SENT, Batch, BatchState
from services.payments.model.ledger import Posting
from services.payments.model.payouts import (
    Attempt,
    AttemptState,
    BankException,
    Paid,
    PayoutState,
    Refused,
)
from services.payments.rules import postings
from services.payments.rules.refusals import refusal_for
from services.payments.store import attempts, batches, booked, doubts, ledger, odd, payouts
from services.payments.usecases import published
from services.payments.usecases.desk import Desk
from services.payments.usecases.reopening import Reopened, let_go, reopen

log = get_logger()

NOT_IN_RESULT = "NOT_IN_RESULT"
FILE_REFUSED = "FILE_REFUSED"


class Findings(NamedTuple):
    """A result held against the attempts of its batch."""

    paid: list[Paid]
    refused: list[Refused]
    exceptions: list[BankException]


async def apply_result(desk: Desk, batch_id: UUID, result: Result) -> bool:
    """Apply what a result file says; tell whether the batch is closed by it."""
    async with desk.database.begin() as unit:
        batch = await batches.lock(unit, batch_id)
        if batch.state is BatchState.CLOSED:
            return True
        findings = compare(await _tries(desk, unit, batch), result)
        in_process = any(map(_in_process, result.lines))
        return await apply(desk, unit, batch, findings, in_process=in_process)


async def refuse_whole(desk: Desk, batch_id: UUID, bank_code: str) -> None:
    """Refuse every line of a batch that the bank has refused whole, for certain."""
    refusal = refusal_for(FILE_REFUSED)
    async with desk.database.begin() as unit:
        batch = await batches.lock(unit, batch_id)
        if batch.state is BatchState.CLOSED:
            return
        tries = await _tries(desk, unit, batch)
        # What the bank had decided before (it may have lost its books since) stays decided.
        open_ = [attempt for attempt in tries if attempt.state is AttemptState.IN_FLIGHT]
        refused = [Refused(attempt, bank_code, refusal) for attempt in open_]
        contradicted = [
            BankException("contradicts", attempt.instruction_id)
            for attempt in tries
            if attempt.state is AttemptState.PAID
        ]
        await apply(desk, unit, batch, Findings([], refused, contradicted))


async def _tries(desk: Desk, unit: Unit, batch: Batch) -> Sequence[Attempt]:
    """Give the attempts of a locked batch that was sent.

    While none is decided they all are as they were cut, which may be just now, and here.
    """
    at_hand = desk.take_from_hand(batch.batch_id)
    if at_hand and batch.state in SENT and not batch.decided:
        return at_hand
    return await attempts.of_batch(unit, batch.batch_id)


async def list_exception(desk: Desk, batch_id: UUID, exception: BankException) -> None:
    """Put on the list what a person has to look at."""
    async with desk.database.begin() as unit:
        await _list(unit, batch_id, [exception], clock.now())


def compare(tries: Sequence[Attempt], result: Result) -> Findings:
    """Sort a result's lines; what does not fit an attempt in flight is never applied."""
    by_id = {attempt.instruction_id: attempt for attempt in tries}
    findings = Findings([], [], [])
    for answer in result.lines:
        attempt = by_id.pop(answer.instruction_id, None)
        _sort(findings, attempt, answer)
    strangers = any(odd.kind == "unknown_instruction" for odd in findings.exceptions)
    if result.final and not strangers:
        # A line of nobody may be ours under a garbled id, so nothing is missing for certain then.
        missing = refusal_for(NOT_IN_RESULT)
        findings.refused.extend(
            Refused(attempt, "", missing)
            for attempt in by_id.values()
            if attempt.state is AttemptState.IN_FLIGHT
        )
    return findings


def _sort(findings: Findings, attempt: Attempt | None, answer: LineAnswer) -> None:
    if attempt is None:
        odd = BankException("unknown_instruction", answer.instruction_id)
        findings.exceptions.append(odd)
        return
    if attempt.state is not AttemptState.IN_FLIGHT:
        if not _in_process(answer) and answer.outcome is not _OUTCOME_OF[attempt.state]:
            odd = BankException("contradicts", answer.instruction_id)
            findings.exceptions.append(odd)
        return
    if answer.amount_fen != attempt.payout.amount_fen:
        odd = BankException("amount_differs", answer.instruction_id)
        findings.exceptions.append(odd)
        return
    match answer.outcome:
        case Outcome.DONE:
            assert answer.paid_on is not None, "a booked line has a day"
            findings.paid.append(Paid(attempt, answer.bank_serial, answer.paid_on))
        case Outcome.REFUSED:
            refusal = refusal_for(answer.reason)
            findings.refused.append(Refused(attempt, answer.bank_code, refusal))
        case Outcome.UNKNOWN:
            if answer.moved_before:
                odd = BankException("moved_before", answer.instruction_id)
                findings.exceptions.append(odd)


def _in_process(answer: LineAnswer) -> bool:
    """Tell whether the bank has yet to decide: that contradicts nothing that is decided here."""
    return answer.outcome is Outcome.UNKNOWN and not answer.moved_before


_OUTCOME_OF = {
    AttemptState.PAID: Outcome.DONE,
    AttemptState.REFUSED: Outcome.REFUSED,
    # It was booked, says the result; that it came back, another line has said.
    AttemptState.RETURNED: Outcome.DONE,
}


async def apply(
    desk: Desk, unit: Unit, batch: Batch, findings: Findings, *, in_process: bool = False
) -> bool:
    """Make facts of what was found about a locked batch; tell whether it is closed by it.

    A batch that is asked about again stays open while the bank has lines of it in process.
    """
    paid, refused, exceptions = findings
    at = clock.now()
    if exceptions:
        await _list(unit, batch.batch_id, exceptions, at)
    if not paid and not refused:
        # Asked about again, and the bank says what it said before.
        return not in_process and await batches.close_decided(unit, batch.batch_id, at)
    members = {line.attempt.payout.member_id for line in (*paid, *refused)}
    await payouts.lock_balances(unit, members)
    # What was tried, before a refusal makes payouts smaller than their attempts.
    paid_fen = [line.attempt.payout.amount_fen for line in paid]
    refused_fen = [line.attempt.payout.amount_fen for line in refused]
    fund_id, day = batch.lane.fund_id, await ledger.open_day(unit, at)
    await booked.pay(unit, fund_id, paid, day, at)
    await attempts.decide_refused(unit, refused, at)
    closed = await batches.count_decided(
        unit, batch.batch_id, paid_fen, refused_fen, day=day, at=at
    )
    await doubts.end(unit, (line.attempt.payout.payout_id for line in (*paid, *refused)))
    entries, refusals = await _take_refused(desk, unit, batch, refused, at)
    await let_go(desk, unit, members, at)
    await unit.publish([*_take_paid(paid, at), *refusals])
    await ledger.write(unit, entries, day, at)
    paid_entry = postings.paid_in_all(batch.batch_id, fund_id, Fen(sum(paid_fen)))
    await ledger.move_cash(unit, [paid_entry, *entries])
    metrics.payouts.labels("paid").inc(len(paid))
    metrics.payouts.labels("refused").inc(len(refused))
    return closed


def _take_paid(paid: Sequence[Paid], at: datetime) -> list[PayoutPaid]:
    """Tell what was paid; `booked.pay` has written what becomes of the payouts."""
    for line in paid:
        payout = line.attempt.payout
        payout.state = PayoutState.PAID
        payout.version += 1
    return published.paid(paid, at)


async def _take_refused(
    desk: Desk,
    unit: Unit,
    batch: Batch,
    refused: Sequence[Refused],
    at: datetime,
) -> tuple[list[Posting], list[Event]]:
    """Release the money; what is still owed waits for its actor, or goes out to a newer payee."""
    if not refused:
        return [], []
    books = await payouts.lock_books(unit, {line.attempt.payout.member_id for line in refused})
    tried = [line.attempt.payout.amount_fen for line in refused]
    entries = [
        postings.released(batch.lane.fund_id, line.attempt.payout, line.attempt.attempt_no)
        for line in refused
    ]
    for line, amount in zip(refused, tried, strict=True):
        payout = line.attempt.payout
        payout.amount_fen = Fen(books.move(payout.account, in_flight=-amount))
    reopened = [Reopened(line.attempt, line.refusal, PayoutState.REFUSED) for line in refused]
    await reopen(desk, unit, reopened, books, at)
    await payouts.write_books(unit, books)
    events: list[Event] = [
        published.refused(line, amount, at)
        for line, amount in zip(refused, tried, strict=True)
        if line.attempt.payout.state is PayoutState.REFUSED
    ]
    return entries, events


async def _list(
    unit: Unit, batch_id: UUID, exceptions: Sequence[BankException], at: datetime
) -> None:
    new = await odd.note(unit, batch_id, exceptions, at)
    if new:
        log.warning("bank.exception", batch_id=batch_id, count=new)
