"""All SQL about feeds: how far each is, and the lines it was refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select, update

from services.claims import tables
from services.claims.errors import FeedMoved
from services.common.kit.db import Unit
from services.common.money import Fen

_feed = tables.feed.c
_refusal = tables.feed_refusal.c


@dataclass(frozen=True, slots=True)
class Feed:
    """How far a feed is; the counts add up to `done`."""

    feed_id: UUID
    status: str
    code: str | None
    lines: int
    done: int
    settled: int
    rejected: int
    reversed: int
    duplicate: int
    refused: int
    benefit_fen: Fen
    received_at: datetime


class Refused(NamedTuple):
    """One refused line."""

    line: int
    setl_id: str
    code: str


async def add(unit: Unit, feed_id: UUID, now: datetime) -> None:
    counts = dict.fromkeys(
        (
            "lines",
            "done",
            "settled",
            "rejected",
            "reversed",
            "duplicate",
            "refused",
            "benefit_fen",
        ),
        0,
    )
    await unit.core.execute(
        insert(tables.feed).values(feed_id=feed_id, status="queued", received_at=now, **counts)
    )


async def get(unit: Unit, feed_id: UUID) -> Feed | None:
    row = (await unit.core.execute(select(tables.feed).where(_feed.feed_id == feed_id))).first()
    return None if row is None else Feed(*row)


async def oldest_unfinished(unit: Unit) -> Feed | None:
    row = (
        await unit.core.execute(
            select(tables.feed)
            .where(_feed.status.in_(("queued", "running")))
            .order_by(_feed.received_at)
            .limit(1)
        )
    ).first()
    return None if row is None else Feed(*row)


async def start(unit: Unit, feed_id: UUID, lines: int) -> None:
    await unit.core.execute(
        update(tables.feed)
        .where(_feed.feed_id == feed_id, _feed.status == "queued")
        .values(status="running", lines=lines)
    )


async def refuse(unit: Unit, feed_id: UUID, code: str) -> None:
    await unit.core.execute(
        update(tables.feed)
        .where(_feed.feed_id == feed_id, _feed.status == "queued")
        .values(status="refused", code=code)
    )


async def finish(unit: Unit, feed_id: UUID) -> None:
    await unit.core.execute(
        update(tables.feed)
        .where(_feed.feed_id == feed_id, _feed.done == _feed.lines)
        .values(status="done")
    )


async def lock_at(unit: Unit, feed_id: UUID, done: int) -> None:
    """Hold the feed where this worker believes it to be, or raise `FeedMoved`."""
    found = await unit.fetchval(
        "select done from feed where feed_id = $1 and status = 'running' for no key update", feed_id
    )
    if found != done:
        raise FeedMoved


async def move(unit: Unit, feed_id: UUID, counts: Sequence[int], *, benefit: int) -> None:
    """Add a chunk's settled, rejected, reversed, duplicate and refused rows, and its benefit."""
    await unit.execute(
        """
        update feed set settled = settled + $2, rejected = rejected + $3, reversed = reversed + $4,
            duplicate = duplicate + $5, refused = refused + $6, benefit_fen = benefit_fen + $7,
            done = done + $2 + $3 + $4 + $5 + $6
        where feed_id = $1
        """,
        feed_id,
        *counts,
        benefit,
    )


async def add_refusals(unit: Unit, feed_id: UUID, refused: Sequence[Refused]) -> None:
    if refused:
        await unit.copy(
            "feed_refusal",
            ("feed_id", "line", "setl_id", "code"),
            [(feed_id, *line) for line in refused],
        )


async def refusals(unit: Unit, feed_id: UUID, rows_max: int) -> list[Refused]:
    rows = await unit.core.execute(
        select(_refusal.line, _refusal.setl_id, _refusal.code)
        .where(_refusal.feed_id == feed_id)
        .order_by(_refusal.line)
        .limit(rows_max)
    )
    return [Refused(*row) for row in rows]
