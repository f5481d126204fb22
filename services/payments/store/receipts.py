"""What is expected to come in or to go out."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.model.statements import Receipt

_COLUMNS: Final = "receipt_id, fund_id, kind, scheme_id, unit_code, amount_fen, reference, round"


async def insert(
    unit: Unit, receipts: Sequence[Receipt], person_id: UUID, at: datetime
) -> set[UUID]:
    """Enter what is expected; give what is new. A fund's reference is given once."""
    if not receipts:
        return set()
    rows = await unit.fetch(
        """
        insert into receipt (receipt_id, fund_id, kind, scheme_id, unit_code, amount_fen,
            reference, round, entered_by, entered_at)
        select u.*, $9, $10
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
            $7::text[], $8::smallint[]) as u
        on conflict do nothing returning receipt_id
        """,
        *zip(*receipts, strict=True),
        person_id,
        at,
    )
    return {row["receipt_id"] for row in rows}


async def drop(unit: Unit, receipt_id: UUID) -> bool:
    """Expect it no longer; tell whether it had not come yet."""
    return bool(
        await unit.execute(
            "delete from receipt where receipt_id = $1 and match_id is null", receipt_id
        )
    )


async def referred_to(unit: Unit, fund_id: str, references: Collection[str]) -> list[Receipt]:
    """Give what has not come yet of what is named so."""
    rows = await unit.fetch(
        f"select {_COLUMNS} from receipt"  # noqa: S608 - the names of columns
        " where fund_id = $1 and reference = any($2) and match_id is null order by receipt_id",
        fund_id,
        list(references),
    )
    return [Receipt(*row) for row in rows]


async def lock_open(unit: Unit, receipt_ids: Collection[UUID]) -> list[Receipt]:
    """Lock what has not come yet."""
    rows = await unit.fetch(
        f"select {_COLUMNS} from receipt"  # noqa: S608 - the names of columns
        " where receipt_id = any($1) and match_id is null order by receipt_id for update",
        list(receipt_ids),
    )
    return [Receipt(*row) for row in rows]


async def of_match(unit: Unit, match_id: UUID) -> list[Receipt]:
    rows = await unit.fetch(
        f"select {_COLUMNS} from receipt where match_id = $1"  # noqa: S608 - the names of columns
        " order by receipt_id for update",
        match_id,
    )
    return [Receipt(*row) for row in rows]


async def match(unit: Unit, matched: Mapping[UUID, UUID]) -> None:
    """Note under which match locked receipts have come."""
    if not matched:
        return
    done = await unit.execute(
        """
        update receipt r set match_id = u.match_id
        from unnest($1::uuid[], $2::uuid[]) as u(receipt_id, match_id)
        where r.receipt_id = u.receipt_id and r.match_id is null
        """,
        list(matched),
        list(matched.values()),
    )
    assert done == len(matched), "what is expected comes once, under its lock"


async def reopen(unit: Unit, match_id: UUID) -> None:
    """Expect again what had come by mistake; what nobody had announced is forgotten."""
    await unit.execute("delete from receipt where match_id = $1 and reference = ''", match_id)
    await unit.execute(
        "update receipt set match_id = null, round = round + 1 where match_id = $1", match_id
    )


async def page(
    unit: Unit,
    fund_id: str | None,
    after: tuple[datetime, UUID] | tuple[None, None],
    rows_max: int,
    *,
    open_only: bool,
) -> list[Row]:
    """Give what is expected, in the order in which it was entered."""
    which = "match_id is null" if open_only else "true"
    return await unit.fetch(
        f"""
        select {_COLUMNS}, entered_by, entered_at, match_id from receipt
        where ($1::text is null or fund_id = $1) and {which}
          and ($2::timestamptz is null or (entered_at, receipt_id) > ($2, $3::uuid))
        order by entered_at, receipt_id limit $4
        """,  # noqa: S608 - constants
        fund_id,
        *after,
        rows_max,
    )
