"""What claims knows of members and their cover, and what a change of it means for claims."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from services.claims.model import Person
from services.claims.store import members as store
from services.claims.store.members import Cover, Registered
from services.claims.store.settlements import Claim
from services.claims.usecases.desk import Desk, Reader
from services.claims.usecases.intake import reconsider
from services.common.contracts.enrollment import CoverageActivated, MemberRegistered
from services.common.contracts.event import Event
from services.common.kit.db import Unit

RECIPIENT = "claims"
PERSON_FIELD = "person"
_PERSON = msgspec.json.Decoder(Person)


async def keep_members(unit: Unit, desk: Desk, read: Reader, events: Sequence[Event]) -> None:
    """Take over who is a member and who is covered; what is new judges claims again.

    A new cover judges those of its days. Who enters a register, or of whom a rule learns the day of
    birth, is judged again by all covers: which of the two is heard of first does not matter.
    """
    members = [event for event in events if isinstance(event, MemberRegistered)]
    coverages = [event for event in events if isinstance(event, CoverageActivated)]
    # All at once, before the first of them is written: their claims may be judged again below.
    known = await store.lock_known(unit, {event.member_id for event in (*members, *coverages)})
    met: list[Cover] = []
    if members:
        opened = [Registered(event, _person(desk, event)) for event in members]
        known_better = await store.put_members(unit, opened, known, RECIPIENT)
        met += await store.covers(unit, known_better) if known_better else []
    if coverages:
        changed = await store.put_coverages(unit, coverages)
        # No claim was judged as that of somebody who was not known until now.
        met += [
            Cover(event.member_id, event.scheme_id, event.starts_on)
            for event in changed
            if event.member_id in known
        ]
    if met:
        claims = _not_counted(desk, met, await store.judged_before(unit, met))
        if claims:
            await reconsider(unit, desk, claims, read, members_final=True)


def _person(desk: Desk, event: MemberRegistered) -> Person:
    if not event.person:
        return Person()
    salt = desk.opener.open_salt(event.member_id, event.salts[RECIPIENT])
    return _PERSON.decode(desk.opener.open(PERSON_FIELD, event.member_id, salt, event.person))


def _not_counted(desk: Desk, covers: Sequence[Cover], claims: Sequence[Claim]) -> list[Claim]:
    """Choose the claims that a scheme of these covers does not count yet."""
    schemes: dict[UUID, set[str]] = {}
    for cover in covers:
        schemes.setdefault(cover.member_id, set()).update(_schemes(desk, cover.scheme_id))
    return [
        claim
        for claim in claims
        if claim.member_id
        and schemes[claim.member_id] - {plan.scheme_id for plan in claim.plans if plan.counted}
    ]


def _schemes(desk: Desk, scheme_id: str) -> set[str]:
    """Give the schemes that a cover is of: a package is of each that it includes."""
    scheme = desk.rulebook.scheme(scheme_id)
    return {*scheme.includes, *([scheme_id] if scheme.benefits else ())}
