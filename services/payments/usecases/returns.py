"""What the bank had booked it gives back (退票, 冲账): the money is here again, and owed again."""

from collections.abc import Mapping, Sequence

from services.common.contracts.event import Event
from services.common.kit import clock, metrics
from services.common.kit.db import Unit
from services.common.money import Fen
from services.payments.model.payouts import Attempt, Named, PayoutState, Returned
from services.payments.rules import postings
from services.payments.store import attempts, ledger, payouts
from services.payments.usecases import published
from services.payments.usecases.desk import Desk
from services.payments.usecases.reopening import Reopened, let_go, reopen


async def lock_named(unit: Unit, named: Sequence[Named]) -> Mapping[Named, Attempt]:
    """Lock what a return may concern (balances, then payouts); give the attempts that exist."""
    members = await attempts.members_of(unit, [payout_id for payout_id, _ in named])
    await payouts.lock_balances(unit, members)
    found = await attempts.named(unit, named)
    return {attempt.named: attempt for attempt in found}


async def take_returned(desk: Desk, unit: Unit, fund_id: str, returned: Sequence[Returned]) -> None:
    """Reverse paid transfers, locked by `lock_named`: booked back, the payout open again, once."""
    if not returned:
        return
    at = clock.now()
    members = {line.attempt.payout.member_id for line in returned}
    books = await payouts.lock_books(unit, members)
    entries = [
        entry
        for line in returned
        for entry in postings.returned(fund_id, line.attempt.payout, line.attempt.attempt_no)
    ]
    given_back = [line.attempt.payout.amount_fen for line in returned]
    await attempts.decide_returned(unit, returned, at)
    for line, amount in zip(returned, given_back, strict=True):
        payout = line.attempt.payout
        payout.amount_fen = Fen(books.move(payout.account, paid=-amount))
    reopened = [Reopened(line.attempt, line.refusal, PayoutState.RETURNED) for line in returned]
    await reopen(desk, unit, reopened, books, at)
    await payouts.write_books(unit, books)
    await let_go(desk, unit, members, at)
    events: list[Event] = [
        published.returned(line, amount, at)
        for line, amount in zip(returned, given_back, strict=True)
        if line.attempt.payout.state is not PayoutState.CANCELLED
    ]
    await unit.publish(events)
    await ledger.post(unit, entries, at)
    metrics.payouts.labels("returned").inc(len(returned))
