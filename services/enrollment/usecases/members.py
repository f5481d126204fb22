"""Members: found, shown, and their cards corrected."""

import hmac
from collections.abc import Sequence
from uuid import UUID

from services.common.identity import Phone
from services.common.kit.auth import Caller
from services.enrollment.errors import IdTailDiffers, PayeeMoved, UnknownMember
from services.enrollment.model import ID_TAIL_SIGNS, Correction, Member
from services.enrollment.store import books, members, units
from services.enrollment.usecases import announcements
from services.enrollment.usecases.desk import Desk


async def find_member(desk: Desk, id_number: str, caller: Caller) -> UUID:
    index = desk.vault.identity.of(id_number)
    async with desk.database.begin() as unit:
        found = await members.ids_and_units_by_identity(unit, [index])
    member_id, unit_code = found.get(index, (None, ""))
    if member_id is None or not may_see(caller, member_id, unit_code):
        raise UnknownMember
    return member_id


async def find_members_by_phone(desk: Desk, phones: Sequence[Phone]) -> list[UUID]:
    async with desk.database.begin() as unit:
        return await members.ids_by_phone(
            unit, [desk.vault.phone.of(phone.open()) for phone in phones]
        )


async def show_member(desk: Desk, member_id: UUID, caller: Caller) -> tuple[Member, str]:
    """Give a member and the name of the unit."""
    async with desk.database.begin() as unit:
        found = await members.find(unit, desk.vault, [member_id])
        member = _theirs(found.get(member_id), caller)
        union = await units.find(unit, desk.vault, [member.unit_code])
    return member, union[member.unit_code].name


async def prove_member(
    desk: Desk, member_id: UUID, id_tail: str, caller: Caller
) -> tuple[Member, str]:
    """Give a member and the name of the unit to who knows the end of the identity number."""
    member, unit_name = await show_member(desk, member_id, caller)
    own = member.person.id_number.open()[-ID_TAIL_SIGNS:]
    if not hmac.compare_digest(own.encode(), id_tail.encode()):
        raise IdTailDiffers
    return member, unit_name


async def correct_payees(
    desk: Desk, corrections: Sequence[Correction], caller: Caller
) -> list[Member]:
    """Correct cards; give the members in the order asked. The same card again changes nothing.

    So a correction `instead_of` a version that is gone is refused unless it was this one's doing.
    """
    async with desk.database.begin() as unit:
        before = await members.lock(
            unit, desk.vault, [correction.member_id for correction in corrections]
        )
        after = dict(before)
        for correction in corrections:
            member = _theirs(after.get(correction.member_id), caller)
            mended = member.with_payee(correction.of(member.person.payee))
            if mended != member and correction.instead_of not in (None, member.payee_version):
                raise PayeeMoved
            after[member.member_id] = mended
        changed = [member for member_id, member in after.items() if member != before[member_id]]
        await members.save(unit, desk.vault, changed)
        await unit.publish(announcements.of_payees(desk.vault, changed))
    return [after[correction.member_id] for correction in corrections]


def _theirs(member: Member | None, caller: Caller) -> Member:
    if member is None or not may_see(caller, member.member_id, member.unit_code):
        raise UnknownMember
    return member


def may_see(caller: Caller, member_id: UUID, unit_code: str) -> bool:
    """Members see themselves, staff their unit or the whole union, our own services everybody."""
    match caller.kind:
        case "member":
            return caller.uuid == member_id
        case "staff":
            return caller.sees_unit(unit_code)
        case "service":
            return True
        case "hospital":
            return False


async def count_books(desk: Desk) -> dict[str, int]:
    async with desk.database.report() as unit:
        return await books.sums(unit)
