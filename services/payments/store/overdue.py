"""Refused and returned payouts that have waited too long for whoever has to act."""

from datetime import datetime

from services.common.kit.db import Row, Unit


async def take(unit: Unit, every_days: int, now: datetime, rows_max: int) -> list[Row]:
    """Note that it is said once more of each that it waits; give them with the days it was said.

    The payout's version is raised, so that the event about it is the newest of its payout; like
    everybody, this locks the payout before its place on the list.
    """
    return await unit.fetch(
        """
        with late as (
            select payout_id,
                   extract(epoch from $2 - since)::bigint / 86400 / $1 * $1 as days
            from refusal
            where since + make_interval(days => (reminded_days + $1)::int) <= $2
            order by payout_id limit $3),
        waiting as (
            select payout_id from payout
            where payout_id = any (array (select payout_id from late))
              and state in ('refused', 'returned')
            order by payout_id for update skip locked),
        told as (
            update refusal r set reminded_days = l.days from late l join waiting using (payout_id)
            where r.payout_id = l.payout_id returning r.payout_id, r.reason, r.actor,
                r.reminded_days)
        update payout p set version = p.version + 1, changed_at = $2
        from told t where p.payout_id = t.payout_id
        returning p.payout_id, p.member_id, p.claim_id, p.version, p.attempt_no, p.payee_version,
            p.amount_fen, t.reason, t.actor, t.reminded_days
        """,
        every_days,
        now,
        rows_max,
    )
