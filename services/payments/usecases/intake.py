"""What happened elsewhere arrives: members, their cards, grants. One set, one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.common.contracts.claims import BenefitGranted
from services.common.contracts.enrollment import MemberRegistered, PayeeChanged
from services.common.contracts.event import Event
from services.common.ids import as_drivers
from services.common.kit import clock
from services.common.kit.db import Unit
from services.common.money import Fen
from services.payments.model.owed import AccountKey
from services.payments.model.payouts import Payout, PayoutState
from services.payments.rules.owed import Books, take_from_newest
from services.payments.store import batches, booked, ledger, payees, payouts, queue
from services.payments.usecases.desk import Desk


async def take_events(desk: Desk, unit: Unit, events: Sequence[Event]) -> None:
    """Take in a mixed set, in order; an unsent batch that holds what changes is recalled."""
    at = clock.now()
    grants = [event for event in events if isinstance(event, BenefitGranted)]
    # Also the balances of members whose payee changes, and before it does: whoever cuts a batch or
    # applies a result for one of them has read the payee before or reads it after, and either finds
    # the other's work.
    members = [event for event in events if isinstance(event, MemberRegistered)]
    cards = [event for event in events if isinstance(event, PayeeChanged)]
    told = (*members, *cards, *grants)
    books = await payouts.lock_books(unit, {as_drivers(event.member_id) for event in told})
    changed = await payees.keep(unit, members, cards)
    ready, lowered = await _take_grants(desk, unit, grants, books, at)
    if changed:
        ready += await payouts.wake(unit, changed, at)
    stale = {*changed, *lowered}
    if stale and await batches.recall_of_members(unit, stale):
        unit.wakes.add(desk.batch_moved)
    if ready:
        await queue.put(unit, desk.lanes(ready), at)
        unit.wakes.add(desk.payouts_ready)


async def _take_grants(
    desk: Desk, unit: Unit, grants: Sequence[BenefitGranted], books: Books, at: datetime
) -> tuple[list[Payout], set[UUID]]:
    """Make a payout of every grant that is new; give those that are ready, and whose fell."""
    ids = [as_drivers(grant.grant_id) for grant in grants]
    known = await payouts.known(unit, ids)
    fresh = {
        grant_id: grant
        for grant_id, grant in zip(ids, grants, strict=True)
        if not known or grant_id not in known
    }
    if not fresh:
        return [], set()
    lowered = {grant.member_id for grant in fresh.values() if grant.amount_fen < 0}
    stored = await payouts.lock_open(unit, lowered) if lowered else []
    made, changed = _work_through(fresh, lowered, stored, books, at)
    await payouts.write_books(unit, books)
    fund_ids = [desk.fund_of(payout.scheme_id).fund_id for payout in made]
    await booked.make(unit, made, fund_ids, await ledger.open_day(unit, at), at)
    await payouts.save(unit, changed, at)
    if changed:
        funds = {desk.fund_of(payout.scheme_id).fund_id for payout in changed}
        await ledger.try_again(unit, funds)
        unit.wakes.add(desk.payouts_ready)
    return [payout for payout in made if payout.state is PayoutState.READY], lowered


def _work_through(
    grants: Mapping[UUID, BenefitGranted],
    lowered: Collection[UUID],
    stored: Sequence[Payout],
    books: Books,
    at: datetime,
) -> tuple[list[Payout], list[Payout]]:
    """Work through grants in order; give the payouts made of them and the stored ones changed.

    `lowered` names the members of whom something may be taken back.
    """
    open_payouts: dict[AccountKey, list[Payout]] = {}
    for payout in stored:
        open_payouts.setdefault(payout.account, []).append(payout)
    made: list[Payout] = []
    touched: set[UUID] = set()
    for grant_id, grant in grants.items():
        account = AccountKey(as_drivers(grant.member_id), grant.scheme_id)
        standing = books.standing(account)
        to_open = standing.move(grant.amount_fen, 0, 0)
        standing.opened += to_open
        payout = _payout_of(grant_id, grant, account, to_open, at)
        made.append(payout)
        if not lowered or grant.member_id not in lowered:
            continue
        mine = open_payouts.setdefault(account, [])
        if to_open > 0:
            mine.append(payout)
        else:
            changed = take_from_newest(mine, -to_open)
            touched.update(payout.payout_id for payout in changed)
    return made, [payout for payout in stored if payout.payout_id in touched]


def _payout_of(
    grant_id: UUID, grant: BenefitGranted, account: AccountKey, to_open: int, at: datetime
) -> Payout:
    return Payout(
        grant_id,
        *account,
        as_drivers(grant.claim_id),
        grant.period,
        Fen(grant.amount_fen),
        Fen(max(0, to_open)),
        PayoutState.READY if to_open > 0 else PayoutState.NETTED,
        1,
        at,
    )
