"""What claims knows of members and their cover, and what a change of it means for claims."""

from collections.abc import Sequence

from services.claims.store import settlements as store
from services.claims.usecases.desk import Desk, Reader
from services.claims.usecases.intake import reconsider
from services.common.contracts.enrollment import CoverageActivated, MemberRegistered
from services.common.contracts.event import Event
from services.common.kit.db import Unit

RECIPIENT = "claims"


async def keep_members(unit: Unit, desk: Desk, read: Reader, events: Sequence[Event]) -> None:
    """Take over who is a member and who is covered; claims that lacked cover are judged again."""
    members = [event for event in events if isinstance(event, MemberRegistered)]
    coverages = [event for event in events if isinstance(event, CoverageActivated)]
    # All at once, before the first of them is written: their claims may be judged again below.
    await store.lock_by_id(unit, {event.member_id for event in (*members, *coverages)})
    if members:
        await store.put_members(unit, members, RECIPIENT)
    if coverages:
        changed = await store.put_coverages(unit, coverages)
        claims = await store.outside_coverage(unit, changed)
        if claims:
            await reconsider(unit, desk, claims, read, members_final=True)
