"""What a signed letter of the bank says of transfers; two people have read it."""

from typing import Final
from uuid import UUID

from services.common.kit.db import Unit
from services.payments.errors import ActImpossible
from services.payments.model.acts import BatchLetter, Letter
from services.payments.model.batches import UNSENT, Batch, BatchState
from services.payments.model.payouts import AttemptState, Paid, Refused, Returned
from services.payments.rules.refusals import refusal_for
from services.payments.store import attempts, batches, payouts
from services.payments.usecases.desk import Desk
from services.payments.usecases.results import Findings, apply
from services.payments.usecases.returns import lock_named, take_returned

NOT_BOOKED: Final = "NOT_BOOKED"


async def take_letter(desk: Desk, unit: Unit, letter: Letter) -> None:
    batch_id = await attempts.batch_of(unit, letter.payout_id, letter.attempt_no)
    if batch_id is None:
        raise ActImpossible
    batch = await _lock_sent(unit, batch_id)
    named = (letter.payout_id, letter.attempt_no)
    attempt = (await lock_named(unit, [named]))[named]
    refusal = refusal_for(letter.reason)
    match letter.outcome, attempt.state:
        case "paid", AttemptState.IN_FLIGHT:
            found = Findings([Paid(attempt, letter.bank_serial, letter.day)], [], [])
        case "refused", AttemptState.IN_FLIGHT:
            found = Findings([], [Refused(attempt, "", refusal)], [])
        case "returned", AttemptState.PAID:
            returned = Returned(attempt, "", refusal, letter.day)
            await take_returned(desk, unit, batch.lane.fund_id, [returned])
            return
        case _:
            raise ActImpossible
    await apply(desk, unit, batch, found)


async def take_batch_letter(desk: Desk, unit: Unit, letter: BatchLetter) -> None:
    """Take a whole batch for not booked: nothing of its bytes is sent again after this."""
    batch = await _lock_sent(unit, letter.batch_id)
    refusal = refusal_for(NOT_BOOKED)
    tries = await attempts.of_batch(unit, letter.batch_id)
    await payouts.lock_balances(unit, {one.payout.member_id for one in tries})
    paid = [one.named for one in tries if one.state is AttemptState.PAID]
    locked = await lock_named(unit, paid)
    returned = [Returned(one, "", refusal, letter.day) for one in locked.values()]
    in_doubt = [Refused(one, "", refusal) for one in tries if one.state is AttemptState.IN_FLIGHT]
    if not (returned or in_doubt):
        raise ActImpossible
    await take_returned(desk, unit, batch.lane.fund_id, returned)
    await apply(desk, unit, batch, Findings([], in_doubt, []))


async def _lock_sent(unit: Unit, batch_id: UUID) -> Batch:
    batch = await batches.lock(unit, batch_id)
    if batch.state in (*UNSENT, BatchState.RECALLED, BatchState.VOIDED):
        # Nothing of it has left: no bank can know of it, and its bytes may still go out.
        raise ActImpossible
    return batch
