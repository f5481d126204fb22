"""Transfers of which nobody knows what became: since when, and whose they are to find out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from services.common.kit.db import Row, Unit

# When a bank is away all batches come into doubt: a statement's worth of them at a time.
BATCHES_MAX: Final = 20


async def note(unit: Unit, before: datetime, at: datetime) -> int:
    """List the transfers that are under way since before a moment; give how many are new.

    The batches are locked first: what is being decided of one now is never listed afterwards.
    """
    rows = await unit.fetch(
        """
        select batch_id from batch b
        where b.state not in ('closed', 'voided')
          and b.state in ('submitting', 'submitted', 'unknown')
          and greatest(b.cut_at,
              (select max(approved_at) from approval a where a.batch_id = b.batch_id)) < $1
          and not exists (select from doubt d where d.batch_id = b.batch_id)
        order by cut_at limit $2 for share of b skip locked
        """,
        before,
        BATCHES_MAX,
    )
    if not rows:
        return 0
    return await unit.execute(
        """
        insert into doubt (payout_id, attempt_no, batch_id, since)
        select payout_id, attempt_no, batch_id, $2 from batch_attempt
        where batch_id = any($1) and state = 'in_flight'
        on conflict (payout_id) do nothing
        """,
        [row["batch_id"] for row in rows],
        at,
    )


async def end(unit: Unit, payout_ids: Iterable[UUID]) -> None:
    """Take off the list what is known now."""
    if await unit.fetchval("select exists (select from doubt)"):
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
        from doubt d join payout p using (payout_id) join batch b on b.batch_id = d.batch_id
        where $1::timestamptz is null or (d.since, d.payout_id) > ($1, $2::uuid)
        order by d.since, d.payout_id limit $3
        """,
        *after,
        rows_max,
    )
