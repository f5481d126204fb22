"""Transfers of which nobody knows what became: since when, and whose they are to find out."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.common.kit.db import Row, Unit


async def note(unit: Unit, before: datetime, at: datetime) -> int:
    """List the transfers that are under way since before a moment; give how many are new."""
    return await unit.execute(
        """
        insert into doubt (payout_id, attempt_no, batch_id, since)
        select a.payout_id, a.attempt_no, a.batch_id, $2
        from batch b join attempt a using (batch_id)
        where b.state not in ('closed', 'voided')
          and b.state in ('submitting', 'submitted', 'unknown')
          and b.cut_at < $1 and a.state = 'in_flight'
        on conflict (payout_id) do nothing
        """,
        before,
        at,
    )


async def end(unit: Unit, payout_ids: Collection[UUID]) -> None:
    """Take off the list what is known now."""
    await unit.execute("delete from doubt where payout_id = any($1)", list(payout_ids))


async def own(unit: Unit, payout_id: UUID, person_id: UUID) -> bool:
    """Make it somebody's to find out; tell whether it is on the list."""
    return bool(
        await unit.execute("update doubt set owner = $2 where payout_id = $1", payout_id, person_id)
    )


async def page(
    unit: Unit, after: tuple[datetime, UUID] | tuple[None, None], rows_max: int
) -> list[Row]:
    """Give doubts, oldest first."""
    return await unit.fetch(
        """
        select d.payout_id, d.attempt_no, d.batch_id, d.since, d.owner, p.amount_fen, b.batch_no,
               b.fund_id, b.state as batch_state
        from doubt d join payout p using (payout_id) join batch b using (batch_id)
        where $1::timestamptz is null or (d.since, d.payout_id) > ($1, $2::uuid)
        order by d.since, d.payout_id limit $3
        """,
        *after,
        rows_max,
    )
