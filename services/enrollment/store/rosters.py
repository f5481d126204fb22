"""Rosters and their refusals in the database."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, insert, select

from services.common.kit import outbox
from services.common.kit.db import Row, Unit
from services.enrollment.model import FileCode, Refusal, Roster, RosterStatus, RowCode
from services.enrollment.tables import roster_refusals, rosters


async def add(unit: Unit, received: Sequence[Roster]) -> None:
    await unit.core.execute(
        insert(rosters),
        [
            {
                "roster_id": roster.roster_id,
                "unit_code": roster.unit_code,
                "starts_on": roster.starts_on,
                "status": roster.status,
                "encoding": roster.encoding,
                "rows": roster.rows,
                "done": roster.done,
                "accepted": roster.accepted,
                "refused": roster.refused,
                "unchanged": roster.unchanged,
            }
            for roster in received
        ],
    )


async def find(unit: Unit, roster_id: UUID) -> Roster | None:
    rows = await unit.core.execute(select(rosters).where(rosters.c.roster_id == roster_id))
    row = rows.mappings().first()
    return None if row is None else _roster(row)


async def relayed(unit: Unit, roster_id: UUID) -> bool:
    """Tell whether all that rosters have written up to this one has been published."""
    xid = await unit.fetchval(
        """
        select events_xid from rosters where roster_id <= $1 and events_xid is not null
        order by roster_id desc limit 1
        """,
        roster_id,
    )
    return xid is None or bool(await unit.fetchval(outbox.RELAYED, xid))


async def first_refusals(unit: Unit, roster_id: UUID, limit: int) -> list[Refusal]:
    refusals = roster_refusals.c
    rows = await unit.core.execute(
        select(refusals.row, refusals.field, refusals.code)
        .where(refusals.roster_id == roster_id)
        .order_by(refusals.row, refusals.field)
        .limit(limit)
    )
    return [Refusal(row.row, row.field, RowCode(row.code)) for row in rows]


async def next_open(unit: Unit) -> Roster | None:
    """Give the oldest roster that is not finished; ids are in the order of time."""
    row = await unit.fetchrow(
        """
        select * from rosters where status in ('queued', 'running') order by roster_id limit 1
        """
    )
    return None if row is None else _roster(row)


async def lock(unit: Unit, roster_id: UUID) -> Roster | None:
    row = await unit.fetchrow("select * from rosters where roster_id = $1 for update", roster_id)
    return None if row is None else _roster(row)


async def save(unit: Unit, roster: Roster, *, published: bool = False) -> None:
    """Write how far the roster has got; `published` where this transaction writes its events."""
    await unit.execute(
        """
        update rosters
        set status = $2, code = $3, encoding = $4, rows = $5, done = $6, accepted = $7,
            refused = $8, unchanged = $9,
            events_xid = case when $10 then pg_current_xact_id()::text else events_xid end
        where roster_id = $1
        """,
        roster.roster_id,
        roster.status,
        roster.code,
        roster.encoding,
        roster.rows,
        roster.done,
        roster.accepted,
        roster.refused,
        roster.unchanged,
        published,
    )


async def add_refusals(unit: Unit, roster_id: UUID, refusals: Sequence[Refusal]) -> None:
    await unit.copy(
        "roster_refusals",
        ("roster_id", "row", "field", "code"),
        [(roster_id, refusal.row, refusal.column, refusal.code) for refusal in refusals],
    )


def _roster(row: Row | RowMapping) -> Roster:
    return Roster(
        roster_id=row["roster_id"],
        unit_code=row["unit_code"],
        starts_on=row["starts_on"],
        status=RosterStatus(row["status"]),
        code=None if row["code"] is None else FileCode(row["code"]),
        encoding=row["encoding"],
        rows=row["rows"],
        done=row["done"],
        accepted=row["accepted"],
        refused=row["refused"],
        unchanged=row["unchanged"],
    )
