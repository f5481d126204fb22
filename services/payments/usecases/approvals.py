"""Large payouts go out by the leave of several people, each for exactly the bytes they saw."""

from uuid import UUID

from services.common.kit import clock
from services.common.kit.logs import get_logger
from services.payments.errors import ApprovedAlready, NothingToApprove
from services.payments.model.batches import BatchState
from services.payments.rules.approvals import Approval, Part, approved, tier_numbered
from services.payments.store import batches
from services.payments.usecases.desk import Desk

log = get_logger()


async def approve(desk: Desk, batch_id: UUID, person_id: UUID, part: Part) -> BatchState:
    """Give one person's leave; the last one that is needed lets the batch go."""
    at = clock.now()
    async with desk.database.begin() as unit:
        batch = await batches.lock(unit, batch_id)
        if batch.state is not BatchState.AWAITING_APPROVAL:
            raise NothingToApprove
        mine = Approval(person_id, part, batch.sha256)
        if not await batches.approve(unit, batch_id, mine, at):
            raise ApprovedAlready
        tier = tier_numbered(desk.settings.approval_tiers, batch.lane.tier)
        if not approved(tier, batch.sha256, await batches.approvals_of(unit, batch_id)):
            return BatchState.AWAITING_APPROVAL
        awaiting = [BatchState.AWAITING_APPROVAL]
        await batches.move(unit, batch_id, awaiting, BatchState.FIXED, at=at)
        unit.wakes.add(desk.batch_moved)
    log.info("batch.approved", batch_id=batch_id)
    return BatchState.FIXED


async def refuse(desk: Desk, batch_id: UUID, person_id: UUID) -> None:
    """Refuse a batch whole: its payouts wait until finance lets them go again."""
    async with desk.database.begin() as unit:
        await batches.lock(unit, batch_id)
        if not await batches.refuse(unit, batch_id, person_id):
            raise NothingToApprove
        unit.wakes.add(desk.batch_moved)
    log.info("batch.refused", batch_id=batch_id)
