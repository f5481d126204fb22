"""What claims knows of members and their cover, and what a change of it means for claims."""

from collections.abc import Sequence

import msgspec

from services.claims.model import Person
from services.claims.store import members as store
from services.claims.store.members import Registered
from services.claims.store.settlements import Claim, lock_by_id
from services.claims.usecases.desk import Desk, Reader
from services.claims.usecases.intake import reconsider
from services.common.contracts.enrollment import CoverageActivated, MemberRegistered
from services.common.contracts.event import Event
from services.common.kit.db import Unit

RECIPIENT = "claims"
PERSON_FIELD = "person"
_PERSON = msgspec.json.Decoder(Person)


async def keep_members(unit: Unit, desk: Desk, read: Reader, events: Sequence[Event]) -> None:
    """Take over who is a member and who is covered; a new cover judges the claims of its days."""
    members = [event for event in events if isinstance(event, MemberRegistered)]
    coverages = [event for event in events if isinstance(event, CoverageActivated)]
    # All at once, before the first of them is written: their claims may be judged again below.
    await lock_by_id(unit, {event.member_id for event in (*members, *coverages)})
    if members:
        opened = [Registered(event, _person(desk, event)) for event in members]
        await store.put_members(unit, opened, RECIPIENT)
    if coverages:
        changed = await store.put_coverages(unit, coverages)
        claims = _not_counted(desk, changed, await store.judged_before(unit, changed))
        if claims:
            await reconsider(unit, desk, claims, read, members_final=True)


def _person(desk: Desk, event: MemberRegistered) -> Person:
    if not event.person:
        return Person()
    salt = desk.opener.open_salt(event.member_id, event.salts[RECIPIENT])
    return _PERSON.decode(desk.opener.open(PERSON_FIELD, event.member_id, salt, event.person))


def _not_counted(
    desk: Desk, changed: Sequence[CoverageActivated], claims: Sequence[Claim]
) -> list[Claim]:
    """Choose the claims that a scheme of the new covers does not count yet."""
    covered = {(event.member_id, plan) for event in changed for plan in _covers(desk, event)}
    return [
        claim
        for claim in claims
        if any(
            member_id == claim.member_id
            and not any(plan.scheme_id == scheme_id and plan.counted for plan in claim.plans)
            for member_id, scheme_id in covered
        )
    ]


def _covers(desk: Desk, event: CoverageActivated) -> tuple[str, ...]:
    """Give the schemes that a cover is of: a package is of each that it includes."""
    return event.scheme_id, *desk.rulebook.scheme(event.scheme_id).includes
