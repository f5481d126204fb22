"""Publishes the outbox by snapshot difference: nothing lost, nothing out of order.

A row is a set of events and becomes one record. A tick is what rows are visible in the snapshot
`cur` and not in `prev`; asking for "what is after X" instead loses what commits late. The relay may
publish a row twice, after a crash or when the log was wiped; it never leaves one out. One relay
leads per service, by advisory lock.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import asyncpg
import msgspec

from services.common.kit import metrics, outbox
from services.common.kit.crash import crashpoint
from services.common.kit.db import TRANSIENT, Database, DatabaseBounds, Row
from services.common.kit.health import Health
from services.common.kit.kafka import (
    EVENTS_HEADER,
    BrokerTrouble,
    Cluster,
    Header,
    KafkaBounds,
    LogEnds,
    LogWriter,
    Outgoing,
)
from services.common.kit.leadership import leadership
from services.common.kit.logs import get_logger
from services.common.kit.pauses import pause
from services.common.kit.positions import Partition

log = get_logger()

_CONTENT_TYPE: Final[Header] = ("content-type", b"application/json")

FROM_THE_FIRST_ROW = "3:3:"
STAND_BY_S = 1.0
RETRY_S = 0.5
MONTHS_EVERY_S = 3600.0
# A tick costs the relay, the broker and every consumer some ms however few events it has. So what
# comes after a rest goes at once, and what follows it is gathered a little; what streams in is
# gathered for as long as the tick before had events.
GATHER_MIN_S = 0.02
GATHER_FROM_EVENTS = 100
GATHER_S_PER_EVENT = 0.001
GATHER_MAX_S = 0.2

# The rows of the tick after last_id. In-progress transactions of prev are asked for one by one:
# a range from xmin(prev) would be scanned again and again behind one long-open transaction.
# A page is as many rows as it takes to have so many events: what it takes in memory is known.
PAGE = """
    select id, topic, partition, events, payload, created_at from (
        select *, sum(events) over (order by id) - events as events_before from (
            select id, topic, partition, events, payload, created_at from outbox
            where (xid = any (array (select pg_snapshot_xip($1::text::pg_snapshot)))
                   or (xid >= (select pg_snapshot_xmax($1::text::pg_snapshot))
                       and xid < (select pg_snapshot_xmax($2::text::pg_snapshot))))
              and pg_visible_in_snapshot(xid, (select $2::text::pg_snapshot))
              and id > $3
            order by id limit $4) as found) as counted
    where events_before < $4
    order by id
    """
MOVE = """
    update relay_state set prev = $4, cur = $5, last_id = $6, cluster_id = $7, acked = $8
    where prev = $1 and cur = $2 and last_id = $3
    """


class RelayBounds(DatabaseBounds, KafkaBounds, Protocol):
    """What the settings say about the relay."""

    @property
    def relay_poll_ms(self) -> int: ...
    @property
    def relay_page_rows(self) -> int: ...


@dataclass(frozen=True, slots=True)
class State:
    """How far the relay is, as its row in the database says."""

    prev: str
    cur: str
    last_id: int
    cluster_id: str
    acked: dict[Partition, int]

    @property
    def between_ticks(self) -> bool:
        return self.prev == self.cur


class StateMoved(Exception):
    """Another relay has moved the state; read it again."""


class LogReplaced(Exception):
    """The log is not the one that acknowledged what went before: publish all that is kept."""


class Relay:
    """Carries one service's events from its outbox to Kafka until it is stopped."""

    def __init__(
        self, bounds: RelayBounds, database: Database, cluster: Cluster, health: Health
    ) -> None:
        self._bounds = bounds
        self._service = database.application
        self._database = database
        self._cluster = cluster
        self._ends = LogEnds(bounds)
        self._health = health
        self._writer: LogWriter | None = None
        self._months_seen_to_at = float("-inf")
        self._an_hour_ago: State | None = None
        self._nothing_in = ""

    async def run(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                try:
                    await self._lead(stop)
                except (*BrokerTrouble, *TRANSIENT, StateMoved) as trouble:
                    log.warning("relay.retry", error=trouble)
                    self._health.waiting("relay")  # for the other side; restarting us mends nothing
                    await self._drop_writer()
                    await pause(RETRY_S, stop)
        finally:
            await self._drop_writer()
            await self._ends.close()

    async def _lead(self, stop: asyncio.Event) -> None:
        """Publish tick after tick on the connection that holds the lead."""
        async with leadership(self._bounds, "relay") as lead:
            if lead is None:
                self._health.waiting("relay")
                await pause(STAND_BY_S, stop)
                return
            log.info("relay.leading")
            # Before Kafka is asked anything: events are written while it is away, too.
            await lead.connection.execute(outbox.MONTHS_MADE)
            state = await self._verified(lead.connection, await _read_state(lead.connection))
            tick_events = 0
            while not stop.is_set():
                self._database.outbox_filled.clear()
                try:
                    state, published = await self._step(lead.connection, state)
                except LogReplaced:
                    state = await self._rewound(lead.connection, state)
                    continue
                tick_events += published
                if not published:
                    self._health.waiting("relay")
                    # Short enough for the stop to wait.
                    await pause(self._bounds.relay_poll_ms / 1000, self._database.outbox_filled)
                elif state.between_ticks:
                    await pause(_gather_s(tick_events), stop)
                    tick_events = 0

    async def _step(self, connection: "asyncpg.Connection[Row]", state: State) -> tuple[State, int]:
        """Publish the next page of the tick under way, or of a new one; say how many events."""
        if time.monotonic() - self._months_seen_to_at > MONTHS_EVERY_S and state.between_ticks:
            self._months_seen_to_at = time.monotonic()
            await self._see_to_months(connection, state)
        if await self._cluster.id() != state.cluster_id:
            raise LogReplaced
        cur = (
            await connection.fetchval("select pg_current_snapshot()::text")
            if state.between_ticks
            else state.cur
        )
        if cur == self._nothing_in:
            return state, 0
        rows = await connection.fetch(
            PAGE, state.prev, cur, state.last_id, self._bounds.relay_page_rows
        )
        if not rows and state.between_ticks:
            # Nothing to say: remembered here only, so that idle relays do not write snapshots
            # that wake each other. As long as nobody writes, the snapshot stays the same.
            self._nothing_in = cur
            return state, 0
        acked = {**state.acked, **await self._publish(rows, state.acked)} if rows else state.acked
        crashpoint("relay.produced")
        events = sum(row["events"] for row in rows)
        last = events < self._bounds.relay_page_rows
        after = State(
            prev=cur if last else state.prev,
            cur=cur,
            last_id=0 if last else rows[-1]["id"],
            cluster_id=state.cluster_id,
            acked=acked,
        )
        await _move(connection, state, after)
        metrics.relay_rows.labels(self._service).inc(events)
        if rows:
            self._health.progress("relay")
        return after, events

    async def _see_to_months(self, connection: "asyncpg.Connection[Row]", state: State) -> None:
        """Make the month and the year to come, and drop months old and passed by everybody.

        Groups stand a little behind the relay as long as events come; so they are asked whether
        they have passed what it had published the last time.
        """
        await connection.execute(outbox.MONTHS_MADE)
        with contextlib.suppress(asyncpg.LockNotAvailableError):
            await connection.execute("select make_years()")
        earlier, self._an_hour_ago = self._an_hour_ago, state
        if earlier is None or await self._is_lost(state):
            return  # a log that is lost is told everything anew, the old months too
        if not await self._passed_by_all(earlier.acked):
            return
        # Whoever holds a lock on the outbox is not waited for: in an hour is soon enough.
        with contextlib.suppress(asyncpg.LockNotAvailableError):
            count = await connection.fetchval(
                "select outbox_drop_months($1::text::pg_snapshot)", earlier.prev
            )
            if count:
                log.info("outbox.dropped", count=count)

    async def _passed_by_all(self, acked: Mapping[Partition, int]) -> bool:
        """Ask whether every group that reads one of the topics stands beyond these offsets."""
        for group in await self._cluster.groups():
            told = await self._cluster.told_positions(group)
            topics = {topic for topic, _ in told}
            if any(
                told.get(partition, 0) <= offset
                for partition, offset in acked.items()
                if partition[0] in topics
            ):
                return False
        return True

    async def _publish(
        self, rows: Sequence[Row], acked: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        """Write the rows to the log; give the last acknowledged offset of each partition."""
        if self._writer is None:
            writer = LogWriter(self._bounds)
            self._writer = writer
            await writer.open()
        lanes: defaultdict[Partition, list[Outgoing]] = defaultdict(list)
        for _, topic, partition, events, payload, at in rows:
            headers = [_CONTENT_TYPE, (EVENTS_HEADER, b"%d" % events)]
            lanes[topic, partition].append(Outgoing(payload, int(at.timestamp() * 1000), headers))
        offsets = await self._writer.write(lanes)
        if any(first <= acked.get(partition, -1) for partition, (first, _) in offsets.items()):
            raise LogReplaced
        return {partition: last for partition, (_, last) in offsets.items()}

    async def _verified(self, connection: "asyncpg.Connection[Row]", state: State) -> State:
        """Compare the log with what it acknowledged; rewind to the first kept row if it lost any.

        Another cluster id, or a log that ends before the last acknowledged offset, is a new log.
        """
        return await self._rewound(connection, state) if await self._is_lost(state) else state

    async def _is_lost(self, state: State) -> bool:
        if await self._cluster.id() != state.cluster_id:
            return True
        if not state.acked:
            return False
        ends = await self._ends.read({topic for topic, _ in state.acked})
        return any(ends[partition] <= offset for partition, offset in state.acked.items())

    async def _rewound(self, connection: "asyncpg.Connection[Row]", state: State) -> State:
        """Begin again with the first row that is kept."""
        await self._drop_writer()
        self._an_hour_ago = None
        cluster_id = await self._cluster.id()
        log.warning("relay.rewound", cluster_id=cluster_id)
        rewound = State(FROM_THE_FIRST_ROW, FROM_THE_FIRST_ROW, 0, cluster_id, {})
        await _move(connection, state, rewound)
        return rewound

    async def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()


def _gather_s(events: int) -> float:
    """Say how long to gather after a tick of so many events."""
    if events < GATHER_FROM_EVENTS:
        return GATHER_MIN_S
    return min(events * GATHER_S_PER_EVENT, GATHER_MAX_S)


async def _read_state(connection: "asyncpg.Connection[Row]") -> State:
    row = await connection.fetchrow("select * from relay_state")
    assert row is not None, "the migration writes the row"
    return State(
        row["prev"],
        row["cur"],
        row["last_id"],
        row["cluster_id"],
        _acked_of(row["acked"]),
    )


async def _move(connection: "asyncpg.Connection[Row]", before: State, after: State) -> None:
    done = await connection.execute(
        MOVE,
        before.prev,
        before.cur,
        before.last_id,
        after.prev,
        after.cur,
        after.last_id,
        after.cluster_id,
        _text_of(after.acked),
    )
    if done != "UPDATE 1":
        raise StateMoved


def _text_of(acked: Mapping[Partition, int]) -> str:
    named = {f"{topic}/{number}": offset for (topic, number), offset in acked.items()}
    return msgspec.json.encode(named).decode()


def _acked_of(text: str) -> dict[Partition, int]:
    named = msgspec.json.decode(text, type=dict[str, int])
    lanes = ((lane.partition("/"), offset) for lane, offset in named.items())
    return {(topic, int(number)): offset for (topic, _, number), offset in lanes}
