"""Payouts that wait for a batch, lane by lane, and those that are held back for a while."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from services.common.kit.db import Unit
from services.payments.model.batches import Lane
from services.payments.model.payouts import Payout
from services.payments.store.payouts import PAYOUT_COLUMNS, payout_of

# So many payouts to a row, which stays within a page and out of TOAST: 2,590,000 payouts pass
# through in some 52,000 rows.
SET_MAX: Final = 50


class Waiting(NamedTuple):
    """How many payouts wait in a lane, at most a batchful is counted, and since when the first."""

    lane: Lane
    payouts: int
    oldest: datetime


class Queued(msgspec.Struct, gc=False):
    """A payout's place in the queue."""

    lane: Lane
    queue_no: int
    payout_id: UUID
    member_id: UUID
    ready_at: datetime


class Ready(msgspec.Struct, gc=False):
    """A payout that the next batch may take, its place, and the number of its last attempt."""

    place: Queued
    payout: Payout
    attempt_no: int


async def waiting(unit: Unit, rows_max: int) -> list[Waiting]:
    """Say what waits in each lane, but where a fund waits for money."""
    rows = await unit.fetch(
        """
        with recursive lanes as (
            (select lane from ready_queue order by lane limit 1)
            union all
            select (select q.lane from ready_queue q where q.lane > l.lane order by q.lane limit 1)
            from lanes l where l.lane is not null)
        select l.lane, f.payouts, f.oldest from lanes l, lateral (
            select least(sum(payouts), $1) as payouts, min(ready_at) as oldest
            from (select payouts, ready_at from ready_queue q where q.lane = l.lane
                  order by queue_no limit $1) as first) as f
        where l.lane is not null
          and split_part(l.lane, '.', 1) not in
              (select fund_id from fund where low_since is not null)
        """,
        rows_max,
    )
    return [Waiting(Lane.parse(row["lane"]), row["payouts"], row["oldest"]) for row in rows]


async def put(unit: Unit, rows: Iterable[tuple[Lane, Payout]], at: datetime) -> None:
    """Line payouts up for the next batch of their lane."""
    by_lane: dict[Lane, list[Payout]] = {}
    for lane, payout in rows:
        by_lane.setdefault(lane, []).append(payout)
    queued = [
        (
            lane.text(),
            len(payouts),
            [payout.payout_id for payout in payouts],
            [payout.member_id for payout in payouts],
            at,
        )
        for lane, waiting in by_lane.items()
        for start in range(0, len(waiting), SET_MAX)
        for payouts in (waiting[start : start + SET_MAX],)
    ]
    if queued:
        columns = ("lane", "payouts", "payout_ids", "member_ids", "ready_at")
        await unit.copy("ready_queue", columns, queued)


async def take(unit: Unit, lane: Lane, rows_max: int) -> list[Queued]:
    """Take the first payouts off a lane, nobody else's; give them in order."""
    rows = await unit.fetch(
        """
        delete from ready_queue
        where lane = $1 and queue_no = any (array (
            select queue_no
            from (select queue_no, sum(payouts) over (order by queue_no) - payouts as before
                  from (select queue_no, payouts from ready_queue where lane = $1
                        order by queue_no limit $2 for update skip locked) as free) as counted
            where before < $2))
        returning queue_no, payout_ids, member_ids, ready_at
        """,
        lane.text(),
        rows_max,
    )
    rows.sort(key=lambda row: row["queue_no"])
    places = [
        Queued(lane, queue_no, payout_id, member_id, ready_at)
        for queue_no, payout_ids, member_ids, ready_at in rows
        for payout_id, member_id in zip(payout_ids, member_ids, strict=True)
    ]
    # Of the last set what is too much for the batch.
    await put_back(unit, places[rows_max:])
    return places[:rows_max]


async def put_back(unit: Unit, places: Iterable[Queued]) -> None:
    """Give payouts their places back, before those that are there of the same set."""
    for (lane, queue_no, ready_at), them in groupby(
        places, attrgetter("lane", "queue_no", "ready_at")
    ):
        together = list(them)
        await unit.execute(
            """
            insert into ready_queue as q
                (lane, queue_no, payouts, payout_ids, member_ids, ready_at)
            overriding system value values ($1, $2, $3, $4, $5, $6)
            on conflict (lane, queue_no) do update set
                payouts = excluded.payouts + q.payouts,
                payout_ids = excluded.payout_ids || q.payout_ids,
                member_ids = excluded.member_ids || q.member_ids
            """,
            lane.text(),
            queue_no,
            len(together),
            [place.payout_id for place in together],
            [place.member_id for place in together],
            ready_at,
        )


async def still_ready(unit: Unit, places: Sequence[Queued]) -> list[Ready]:
    """Give those that are still ready, in the order of the queue.

    They stay so: what is ready moves under the lock of its balance alone, which the caller has.
    """
    rows = await unit.fetch(
        f"select {PAYOUT_COLUMNS}, p.attempt_no from payout p"  # noqa: S608 - the names of columns
        " where payout_id = any($1) and state = 'ready'",
        [place.payout_id for place in places],
    )
    found = {row[0]: row for row in rows}
    return [
        Ready(place, payout_of(row), row[-1])
        for place in places
        if (row := found.get(place.payout_id)) is not None
    ]


async def hold(unit: Unit, payouts: Sequence[Payout], at: datetime) -> None:
    if payouts:
        rows = [(payout.payout_id, payout.member_id, at) for payout in payouts]
        await unit.copy("held", ("payout_id", "member_id", "held_at"), rows)


async def release(unit: Unit, member_ids: Collection[UUID]) -> list[Payout]:
    """Give what was held back for these members; it may be lined up again."""
    if not await unit.fetchval("select exists (select from held)"):
        return []
    rows = await unit.fetch(
        f"""
        with released as (
            delete from held where member_id = any($1) returning payout_id)
        select {PAYOUT_COLUMNS} from payout p join released using (payout_id)
        where p.state = 'ready' order by p.created_at, p.payout_id
        """,  # noqa: S608 - the names of columns
        list(member_ids),
    )
    return [payout_of(row) for row in rows]


async def cards_on_their_way(unit: Unit, member_ids: Collection[UUID]) -> dict[UUID, set[int]]:
    """Give the versions of the payees to which members' transfers are on their way."""
    rows = await unit.fetch(
        """
        select member_id, array_agg(distinct payee_version) as versions from payout
        where member_id = any($1) and state = 'batched' group by member_id
        """,
        list(member_ids),
    )
    return {row["member_id"]: set(row["versions"]) for row in rows}
