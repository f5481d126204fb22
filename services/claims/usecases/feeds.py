"""The bureau's feed: kept, read in chunks that are each one transaction, resumed where it was."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from services.claims.errors import UnknownFeed
from services.claims.model import Outcome
from services.claims.store import feeds as store
from services.claims.store.feeds import Feed, Refused
from services.claims.usecases.desk import Desk, Incoming
from services.claims.usecases.intake import take_in
from services.common.kit import clock, metrics
from services.common.kit.db import Database

COUNTED = ("settled", "rejected", "reversed", "duplicate", "refused")


async def receive(database: Database, feed_id: UUID) -> None:
    """Queue a feed whose file is safe on disk."""
    async with database.begin() as unit:
        await store.add(unit, feed_id, clock.now())


async def next_feed(database: Database) -> Feed | None:
    """Give the feed to work on: the oldest that is not finished."""
    async with database.begin() as unit:
        return await store.oldest_unfinished(unit)


async def start(database: Database, feed_id: UUID, lines: int) -> None:
    async with database.begin() as unit:
        await store.start(unit, feed_id, lines)


async def refuse(database: Database, feed_id: UUID, code: str) -> None:
    """Refuse a feed whole, before anything of it was booked."""
    async with database.begin() as unit:
        await store.refuse(unit, feed_id, code)


async def settle_chunk(
    database: Database,
    desk: Desk,
    feed_id: UUID,
    done: int,
    chunk: Sequence[Incoming],
    *,
    presumed_new: bool = False,
) -> int:
    """Take in the rows after the first `done` ones; gives how many are done now.

    The progress moves in the transaction of the effects, and only from where this worker saw it.
    Raises `FeedMoved` where another worker has done these rows, and what `take_in` raises.
    """
    async with database.begin() as unit:
        await store.lock_at(unit, feed_id, done)
        outcomes = await take_in(unit, desk, chunk, members_final=True, presumed_new=presumed_new)
        counts = Counter(outcome.status for outcome in outcomes)
        assert counts.keys() <= set(COUNTED), counts
        await store.move(
            unit,
            feed_id,
            [counts[name] for name in COUNTED],
            benefit=sum(o.benefit for o in outcomes if o.status != "duplicate"),
        )
        await store.add_refusals(unit, feed_id, _refused(chunk, outcomes))
    for status, count in counts.items():
        metrics.feed_rows.labels(status).inc(count)
    return done + len(chunk)


def _refused(chunk: Sequence[Incoming], outcomes: Sequence[Outcome]) -> list[Refused]:
    return [
        Refused(row.line, outcome.setl_id, outcome.code or "")
        for row, outcome in zip(chunk, outcomes, strict=True)
        if outcome.status == "refused"
    ]


async def finish(database: Database, feed_id: UUID) -> None:
    async with database.begin() as unit:
        await store.finish(unit, feed_id)


async def progress(database: Database, feed_id: UUID) -> Feed:
    """Tell how far a feed is; raises `UnknownFeed`."""
    async with database.begin() as unit:
        feed = await store.get(unit, feed_id)
    if feed is None:
        raise UnknownFeed
    return feed


async def refusals(database: Database, feed_id: UUID, rows_max: int) -> list[Refused]:
    await progress(database, feed_id)
    async with database.begin() as unit:
        return await store.refusals(unit, feed_id, rows_max)
