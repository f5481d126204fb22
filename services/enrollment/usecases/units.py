"""Units and their officers: stated, and shown."""

from collections.abc import Sequence

from services.enrollment.errors import UnknownUnit
from services.enrollment.model import UnitEntry, WorkplaceUnion
from services.enrollment.store import units
from services.enrollment.usecases import announcements
from services.enrollment.usecases.desk import Desk


async def put_units(
    desk: Desk, entries: Sequence[UnitEntry]
) -> tuple[list[WorkplaceUnion], set[str]]:
    """State units as they are now; give them, and the codes of those that were not known."""
    codes = [entry.code for entry in entries]
    async with desk.database.begin() as unit:
        made = await units.make_missing(unit, desk.vault, codes)
        known = await units.lock(unit, desk.vault, codes)
        after = {entry.code: known[entry.code].restated(entry) for entry in entries}
        changed = [union for code, union in sorted(after.items()) if union != known[code]]
        await units.save(unit, desk.vault, changed)
        told = [
            union
            for union in changed
            if union.officers_version > known[union.code].officers_version
        ]
        await unit.publish(announcements.of_officers(desk.vault, told))
    return [after[code] for code in codes], made


async def find_units(desk: Desk, codes: Sequence[str]) -> dict[str, WorkplaceUnion]:
    async with desk.database.begin() as unit:
        return await units.find(unit, desk.vault, codes)


async def the_unit(desk: Desk, code: str) -> WorkplaceUnion:
    found = await find_units(desk, [code])
    if code not in found:
        raise UnknownUnit
    return found[code]
