"""Carries out what one person proposed and another confirmed, in the transaction of confirming."""

from uuid import UUID

from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import Unit
from services.common.kit.logs import get_logger
from services.payments.errors import ActDecided, ActImpossible, TwoPeopleNeeded, UnknownAct
from services.payments.model.acts import (
    ActContent,
    AskAgain,
    Attach,
    BatchLetter,
    CloseMonth,
    Detach,
    Letter,
    Retry,
    SettleException,
    VoidLine,
)
from services.payments.store import acts, attempts, batches, odd, payouts
from services.payments.store.acts import Proposal
from services.payments.usecases.attaching import say_of_lines
from services.payments.usecases.desk import Desk
from services.payments.usecases.letters import take_batch_letter, take_letter
from services.payments.usecases.months import close_month
from services.payments.usecases.reopening import line_up

log = get_logger()


async def propose(desk: Desk, person_id: UUID, content: ActContent, reason: str) -> UUID:
    proposal = Proposal(new_id(), content, reason, person_id)
    async with desk.database.begin() as unit:
        await acts.propose(unit, proposal, clock.now())
    log.info("act.proposed", act_id=proposal.act_id, kind=content.kind)
    return proposal.act_id


async def confirm(desk: Desk, act_id: UUID, person_id: UUID) -> None:
    """Carry a proposal out; `ActImpossible` where things are no longer as they were."""
    async with desk.database.begin() as unit:
        proposal = await _open(unit, act_id)
        if proposal.proposed_by == person_id:
            raise TwoPeopleNeeded
        await _carry_out(desk, unit, proposal, person_id)
        await acts.decide(unit, act_id, "confirmed", person_id, clock.now())
    log.info("act.confirmed", act_id=act_id, kind=proposal.content.kind)


async def refuse(desk: Desk, act_id: UUID, person_id: UUID) -> None:
    """Drop a proposal; whoever made it may do so as well."""
    async with desk.database.begin() as unit:
        await _open(unit, act_id)
        await acts.decide(unit, act_id, "refused", person_id, clock.now())
    log.info("act.refused", act_id=act_id)


async def _open(unit: Unit, act_id: UUID) -> Proposal:
    found = await acts.lock(unit, act_id)
    if found is None:
        raise UnknownAct
    proposal, state = found
    if state != "proposed":
        raise ActDecided
    return proposal


async def _carry_out(desk: Desk, unit: Unit, proposal: Proposal, person_id: UUID) -> None:
    match proposal.content:
        case Letter() as letter:
            await take_letter(desk, unit, letter)
        case BatchLetter() as letter:
            await take_batch_letter(desk, unit, letter)
        case Retry(payout_ids=payout_ids):
            await _retry(desk, unit, payout_ids)
        case AskAgain(batch_id=batch_id):
            await _ask_again(desk, unit, batch_id)
        case SettleException() as looked_into:
            if not await odd.settle(unit, looked_into, person_id, clock.now()):
                raise ActImpossible
        case Attach() | Detach() | VoidLine() as told:
            await say_of_lines(desk, unit, told, person_id)
        case CloseMonth() as asked:
            await close_month(desk, unit, asked, proposal)


async def _ask_again(desk: Desk, unit: Unit, batch_id: UUID) -> None:
    await batches.lock(unit, batch_id)
    if not await batches.reopen(unit, batch_id):
        raise ActImpossible
    unit.wakes.add(desk.batch_moved)


async def _retry(desk: Desk, unit: Unit, payout_ids: tuple[UUID, ...]) -> None:
    """Let payouts go out once more to the card that failed."""
    await payouts.lock_balances(unit, await attempts.members_of(unit, payout_ids))
    failed = await payouts.retry(unit, payout_ids, clock.now())
    if len(failed) != len(set(payout_ids)):
        raise ActImpossible
    await line_up(desk, unit, failed, clock.now())
