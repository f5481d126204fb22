"""All SQL about drafts of scheme files and the editions that were published of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select

from services.claims import tables
from services.common.kit.db import Unit

_draft = tables.scheme_draft.c
_edition = tables.scheme_edition.c


@dataclass(frozen=True, slots=True)
class Draft:
    """A scheme file as somebody wants it, and the digest of the one that it was made of."""

    draft_id: UUID
    scheme_id: str
    content: str
    base_sha256: bytes
    drafted_by: UUID
    drafted_at: datetime


@dataclass(frozen=True, slots=True)
class Edition:
    """A draft that was published; `first_day` is None where it changes words alone."""

    scheme_id: str
    number: int
    draft_id: UUID
    content: str
    first_day: date | None
    drafted_by: UUID
    drafted_at: datetime
    published_by: UUID
    published_at: datetime
    backtest_id: UUID
    report: str


async def add_draft(unit: Unit, draft: Draft) -> None:
    await unit.core.execute(
        insert(tables.scheme_draft).values(
            draft_id=draft.draft_id,
            scheme_id=draft.scheme_id,
            content=draft.content,
            base_sha256=draft.base_sha256,
            drafted_by=draft.drafted_by,
            drafted_at=draft.drafted_at,
        )
    )


async def draft(unit: Unit, draft_id: UUID) -> Draft | None:
    found = select(tables.scheme_draft).where(_draft.draft_id == draft_id)
    row = (await unit.core.execute(found)).first()
    return None if row is None else Draft(*row)


async def newest_drafts(unit: Unit, scheme_id: str, limit: int) -> list[Draft]:
    rows = await unit.core.execute(
        select(tables.scheme_draft)
        .where(_draft.scheme_id == scheme_id)
        .order_by(_draft.drafted_at.desc(), _draft.draft_id)
        .limit(limit)
    )
    return [Draft(*row) for row in rows]


async def newest_numbers(unit: Unit) -> dict[str, int]:
    """Give the number of the newest edition of each scheme that has one."""
    rows = await unit.fetch(
        "select scheme_id, max(number) as number from scheme_edition group by scheme_id"
    )
    return {row["scheme_id"]: row["number"] for row in rows}


async def newest(unit: Unit) -> list[Edition]:
    """Give the newest edition of each scheme that has one."""
    rows = await unit.fetch(
        "select distinct on (scheme_id) * from scheme_edition order by scheme_id, number desc"
    )
    return [Edition(*row) for row in rows]


async def of_scheme(unit: Unit, scheme_id: str) -> Sequence[Edition]:
    rows = await unit.core.execute(
        select(tables.scheme_edition)
        .where(_edition.scheme_id == scheme_id)
        .order_by(_edition.number)
    )
    return [Edition(*row) for row in rows]


async def add(unit: Unit, edition: Edition) -> None:
    """Publish; raises `asyncpg.UniqueViolationError` where the number is taken."""
    await unit.execute(
        """
        insert into scheme_edition (scheme_id, number, draft_id, content, first_day, drafted_by,
            drafted_at, published_by, published_at, backtest_id, report)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        edition.scheme_id,
        edition.number,
        edition.draft_id,
        edition.content,
        edition.first_day,
        edition.drafted_by,
        edition.drafted_at,
        edition.published_by,
        edition.published_at,
        edition.backtest_id,
        edition.report,
    )
