"""What the bank says of a batch becomes fact: paid, refused, or still not known. A set at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.common.contracts.event import Event
from services.common.kit import clock, metrics
from services.common.kit.db import Unit
from services.common.kit.logs import get_logger
from services.common.money import Fen
from services.payments import rules
from services.payments.channels.base import LineAnswer, Outcome, Result
from services.payments.model import (
    Attempt,
    AttemptState,
    BankException,
    BatchState,
    Paid,
    Payout,
    PayoutState,
    Posting,
    Refusal,
    Refused,
)
from services.payments.rules import Books
from services.payments.store import batches, payees, payouts
from services.payments.usecases import published
from services.payments.usecases.desk import Desk

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
        if await batches.lock(unit, batch_id) is BatchState.CLOSED:
            return True
        findings = compare(await batches.attempts_of(unit, batch_id), result)
        return await _apply(desk, unit, batch_id, findings)


async def refuse_whole(desk: Desk, batch_id: UUID, bank_code: str) -> None:
    """Refuse every line of a batch that the bank has refused whole, for certain."""
    refusal = rules.refusal_for(FILE_REFUSED)
    async with desk.database.begin() as unit:
        if await batches.lock(unit, batch_id) is BatchState.CLOSED:
            return
        attempts = await batches.attempts_of(unit, batch_id)
        refused = [Refused(attempt, bank_code, refusal) for attempt in attempts]
        await _apply(desk, unit, batch_id, Findings([], refused, []))


async def list_exception(desk: Desk, batch_id: UUID, exception: BankException) -> None:
    """Put on the list what a person has to look at."""
    async with desk.database.begin() as unit:
        await _list(unit, batch_id, [exception], clock.now())


def compare(attempts: Sequence[Attempt], result: Result) -> Findings:
    """Sort a result's lines; what does not fit an attempt in flight is never applied."""
    by_id = {attempt.instruction_id: attempt for attempt in attempts}
    findings = Findings([], [], [])
    for answer in result.lines:
        attempt = by_id.pop(answer.instruction_id, None)
        _sort(findings, attempt, answer)
    if result.final:
        missing = rules.refusal_for(NOT_IN_RESULT)
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
        if answer.outcome is not _OUTCOME_OF[attempt.state]:
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
            refusal = rules.refusal_for(answer.reason)
            findings.refused.append(Refused(attempt, answer.bank_code, refusal))
        case Outcome.UNKNOWN:
            if answer.moved_before:
                odd = BankException("moved_before", answer.instruction_id)
                findings.exceptions.append(odd)


_OUTCOME_OF = {AttemptState.PAID: Outcome.DONE, AttemptState.REFUSED: Outcome.REFUSED}


async def _apply(desk: Desk, unit: Unit, batch_id: UUID, findings: Findings) -> bool:
    paid, refused, exceptions = findings
    at = clock.now()
    if exceptions:
        await _list(unit, batch_id, exceptions, at)
    if not paid and not refused:
        return False
    members = {line.attempt.payout.member_id for line in (*paid, *refused)}
    books = await payouts.lock_books(unit, members)
    # What was tried, before a refusal makes payouts smaller than their attempts.
    paid_fen = [line.attempt.payout.amount_fen for line in paid]
    refused_fen = [line.attempt.payout.amount_fen for line in refused]
    await batches.decide_paid(unit, batch_id, paid, at)
    await batches.decide_refused(unit, batch_id, refused, at)
    closed = await batches.count_decided(unit, batch_id, paid_fen, refused_fen, at)
    events = [
        *await _take_paid(unit, paid, books, at),
        *await _take_refused(desk, unit, refused, books, at),
    ]
    await payouts.write_books(unit, books)
    await unit.publish(events)
    metrics.payouts.labels("paid").inc(len(paid))
    metrics.payouts.labels("refused").inc(len(refused))
    return closed


async def _take_paid(unit: Unit, paid: Sequence[Paid], books: Books, at: datetime) -> list[Event]:
    postings: list[Posting] = []
    events: list[Event] = []
    for line in paid:
        payout = line.attempt.payout
        amount = payout.amount_fen
        books.move(payout.account, paid=amount, in_flight=-amount)
        payout.state = PayoutState.PAID
        payout.version += 1
        postings.append(rules.paid(payout, line.attempt.attempt_no, amount))
        events.append(published.paid(line, at))
    await payouts.save(unit, [line.attempt.payout for line in paid], at)
    await payouts.post(unit, postings, at)
    return events


async def _take_refused(
    desk: Desk, unit: Unit, refused: Sequence[Refused], books: Books, at: datetime
) -> list[Event]:
    """Release the money; what is still owed waits for its actor, or goes out to a newer payee."""
    if not refused:
        return []
    # Read after the balances are locked: a payee that comes later finds what is decided here.
    known = await payees.of_members(unit, [line.attempt.payout.member_id for line in refused])
    postings: list[Posting] = []
    events: list[Event] = []
    waiting: list[tuple[Payout, Refusal]] = []
    ready: list[Payout] = []
    for line in refused:
        payout, attempt_no = line.attempt.payout, line.attempt.attempt_no
        tried = payout.amount_fen
        payout.amount_fen = Fen(books.move(payout.account, in_flight=-tried))
        books.opened(payout.account, payout.amount_fen)
        payee = known.get(payout.member_id)
        newer = payee is not None and payee.version > line.attempt.payee_version
        payout.state = rules.after_refusal(payout.amount_fen, newer_payee=newer)
        payout.version += 1
        postings.append(rules.released(payout, attempt_no, tried))
        if payout.state is PayoutState.REFUSED:
            waiting.append((payout, line.refusal))
            events.append(published.refused(line, tried, at))
        elif payout.state is PayoutState.READY:
            ready.append(payout)
    await payouts.save(unit, [line.attempt.payout for line in refused], at)
    await payouts.post(unit, postings, at)
    await payouts.put_on_refusal_list(unit, waiting, at)
    await payouts.queue(unit, ready, at)
    if ready:
        unit.wakes.add(desk.payouts_ready)
    return events


async def _list(
    unit: Unit, batch_id: UUID, exceptions: Sequence[BankException], at: datetime
) -> None:
    new = await batches.list_exceptions(unit, batch_id, exceptions, at)
    if new:
        log.warning("bank.exception", batch_id=batch_id, count=new)
