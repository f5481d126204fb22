"""Which members a caller from the staff may see."""

from uuid import UUID

from gateway.errors import MemberNotFound
from gateway.schemas.staff import MemberUnit
from gateway.upstream import Desk
from services.common.kit.auth import WHOLE_UNION


async def must_see(desk: Desk, member_id: UUID) -> None:
    """Hide members of other units from who has a unit of their own."""
    if desk.caller.unit != WHOLE_UNION:
        found = await desk.get(desk.enrollment, f"/members/{member_id}", MemberUnit)
        if found.unit_code != desk.caller.unit:
            raise MemberNotFound
