"""Takes a batch apart that has not left: a card or an amount in it changed, or it was refused."""

from uuid import UUID

from services.common.kit import clock
from services.common.kit.logs import get_logger
from services.common.money import Fen
from services.payments.model.batches import BatchState
from services.payments.model.payouts import PayoutState
from services.payments.rules import postings
from services.payments.rules.refusals import refusal_for
from services.payments.store import attempts, batches, ledger, payouts
from services.payments.usecases.cut import by_scheme
from services.payments.usecases.desk import Desk
from services.payments.usecases.reopening import Reopened, let_go, line_up, reopen

log = get_logger()

NOT_APPROVED = "NOT_APPROVED"


async def take_apart(desk: Desk, batch_id: UUID) -> None:
    """Void a recalled batch; its payouts go into another, or wait for finance if it was refused."""
    at = clock.now()
    async with desk.database.begin() as unit:
        batch = await batches.lock(unit, batch_id)
        if batch.state is not BatchState.RECALLED:
            return
        tries = await attempts.of_batch(unit, batch_id)
        released = by_scheme(tries)
        await attempts.withdraw(unit, tries, at)
        books = await payouts.lock_books(unit, {one.payout.member_id for one in tries})
        for attempt in tries:
            payout = attempt.payout
            payout.amount_fen = Fen(books.move(payout.account, in_flight=-payout.amount_fen))
            # The same card may be tried again: nothing of this attempt has left.
            payout.round += 1
        if await batches.was_refused(unit, batch_id):
            refusal = refusal_for(NOT_APPROVED)
            failed = [Reopened(attempt, refusal, PayoutState.REFUSED) for attempt in tries]
            await reopen(desk, unit, failed, books, at)
        else:
            for attempt in tries:
                payout = attempt.payout
                books.opened(payout.account, payout.amount_fen)
                payout.state = PayoutState.READY if payout.amount_fen else PayoutState.CANCELLED
                payout.version += 1
            await payouts.save(unit, [attempt.payout for attempt in tries], at)
            ready = [one.payout for one in tries if one.payout.state is PayoutState.READY]
            if ready:
                # Their window has been: the next batch takes them at once.
                await line_up(desk, unit, ready, min(payout.created_at for payout in ready))
        await payouts.write_books(unit, books)
        await batches.void(unit, batch_id, at)
        await let_go(desk, unit, {one.payout.member_id for one in tries}, at)
        await ledger.post(
            unit,
            [
                postings.withdrawn(batch_id, batch.lane.fund_id, scheme_id, fen)
                for scheme_id, fen in released.items()
            ],
            at,
        )
    log.info("batch.voided", batch_id=batch_id, lines=len(tries))
