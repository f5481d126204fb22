"""Units in the database."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, select
from sqlalchemy.dialects.postgresql import insert

from services.common.ids import new_ids
from services.common.kit.db import Unit
from services.enrollment.model import WorkplaceUnion
from services.enrollment.store.vault import Vault
from services.enrollment.tables import units


async def find(unit: Unit, vault: Vault, codes: Sequence[str]) -> dict[str, WorkplaceUnion]:
    rows = await unit.core.execute(select(units).where(units.c.code.in_(codes)))
    return {row["code"]: _opened(vault, row) for row in rows.mappings()}


async def make_missing(unit: Unit, vault: Vault, codes: Sequence[str]) -> set[str]:
    """Make the units that are not there, empty; give which."""
    ordered = sorted(set(codes))
    empty = [
        {
            "unit_id": unit_id,
            "code": code,
            "name": "",
            "staff_count": 0,
            "officers": vault.officers_to_keep(unit_id, ()),
            "officers_version": 0,
        }
        for code, unit_id in zip(ordered, new_ids(len(ordered)), strict=True)
    ]
    made = await unit.core.execute(
        insert(units).values(empty).on_conflict_do_nothing().returning(units.c.code)
    )
    return set(made.scalars())


async def lock(unit: Unit, vault: Vault, codes: Sequence[str]) -> dict[str, WorkplaceUnion]:
    rows = await unit.core.execute(
        select(units).where(units.c.code.in_(codes)).order_by(units.c.code).with_for_update()
    )
    return {row["code"]: _opened(vault, row) for row in rows.mappings()}


async def save(unit: Unit, vault: Vault, changed: Sequence[WorkplaceUnion]) -> None:
    await unit.execute(
        """
        update units u
        set name = n.name, staff_count = n.staff_count, officers = n.officers,
            officers_version = n.officers_version
        from unnest($1::uuid[], $2::text[], $3::int[], $4::bytea[], $5::int[])
             as n(unit_id, name, staff_count, officers, officers_version)
        where u.unit_id = n.unit_id
        """,
        [union.unit_id for union in changed],
        [union.name for union in changed],
        [union.staff_count for union in changed],
        [vault.officers_to_keep(union.unit_id, union.officers) for union in changed],
        [union.officers_version for union in changed],
    )


def _opened(vault: Vault, row: RowMapping) -> WorkplaceUnion:
    return WorkplaceUnion(
        unit_id=row["unit_id"],
        code=row["code"],
        name=row["name"],
        staff_count=row["staff_count"],
        officers=vault.officers(row["unit_id"], row["officers"]),
        officers_version=row["officers_version"],
    )
