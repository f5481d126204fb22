"""What goes onto paper of payouts: a unit's list, and what a member is given for one."""

from datetime import datetime
from uuid import UUID

from services.common.kit.db import Row, Unit


async def members_of(unit: Unit, unit_code: str) -> list[UUID]:
    """Give the members of a workplace union, in a fixed order."""
    rows = await unit.fetch(
        "select member_id from payee where unit_code = $1 and member_version > 0"
        " order by member_id",
        unit_code,
    )
    return [row["member_id"] for row in rows]


async def made_between(
    unit: Unit, member_ids: list[UUID], since: datetime, until: datetime
) -> list[Row]:
    """Give the payouts of members that were made in a span of time, `until` not in it.

    `tail_known` where the payee kept is the one that was tried.
    """
    return await unit.fetch(
        """
        select p.payout_id, p.member_id, p.scheme_id, p.amount_fen, p.grant_fen, p.state,
               p.created_at, p.paid_on,
               p.payee_version in (0, e.version) as tail_known
        from payout p join payee e using (member_id)
        where p.member_id = any($1) and p.created_at >= $2 and p.created_at < $3
        order by p.created_at, p.payout_id
        """,
        member_ids,
        since,
        until,
    )


async def booked(unit: Unit, member_id: UUID, payout_id: UUID) -> Row | None:
    """Give a member's payout as the bank has booked it."""
    return await unit.fetchrow(
        """
        select p.scheme_id, p.amount_fen, p.paid_on, p.bank_serial, b.fund_id,
               p.payee_version in (0, e.version) as tail_known
        from payout p join batch b using (batch_id) left join payee e using (member_id)
        where p.payout_id = $1 and p.member_id = $2 and p.state = 'paid'
        """,
        payout_id,
        member_id,
    )
