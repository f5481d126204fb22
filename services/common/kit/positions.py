"""Where a consumer stands, kept in its own database and moved with the effects of the events.

A position belongs to one Kafka cluster: an unknown cluster, or a wiped one under a new storage
format, starts at 0. It only saves work; the defence against repeats is every effect's own key.
"""

from collections.abc import Mapping
from typing import Final

from services.common.kit.db import Unit

Partition = tuple[str, int]

DDL: Final = (
    """
    create table positions (
        group_name text not null,
        cluster_id text not null,
        topic text not null,
        partition integer not null,
        next_offset bigint not null,
        primary key (group_name, cluster_id, topic, partition)
    ) with (fillfactor = 50)
    """,
)


class PositionMoved(Exception):
    """Another worker has handled these events; take up its position."""


async def load(
    unit: Unit, group: str, cluster_id: str, partitions: list[Partition]
) -> dict[Partition, int]:
    """Give the next offset of each partition, 0 where none is known."""
    topics, numbers = [t for t, _ in partitions], [n for _, n in partitions]
    await unit.execute(
        """
        insert into positions
        select $1, $2, t, p, 0 from unnest($3::text[], $4::int[]) as u(t, p) order by t, p
        on conflict do nothing
        """,
        group,
        cluster_id,
        topics,
        numbers,
    )
    rows = await unit.fetch(
        "select topic, partition, next_offset from positions"
        " where group_name = $1 and cluster_id = $2",
        group,
        cluster_id,
    )
    known = {(r["topic"], r["partition"]): r["next_offset"] for r in rows}
    return {partition: known[partition] for partition in partitions}


async def move(
    unit: Unit,
    group: str,
    cluster_id: str,
    steps: Mapping[Partition, tuple[int, int]],
) -> None:
    """Move each partition from one offset to the next, all or none.

    Raises `PositionMoved` where a position is not where this consumer believed it to be.
    """
    ordered = sorted(steps.items())
    moved = await unit.execute(
        """
        update positions p set next_offset = u.after
        from unnest($3::text[], $4::int[], $5::bigint[], $6::bigint[])
             as u(topic, partition, before, after)
        where p.group_name = $1 and p.cluster_id = $2 and p.topic = u.topic
          and p.partition = u.partition and p.next_offset = u.before
        """,
        group,
        cluster_id,
        [topic for (topic, _), _ in ordered],
        [number for (_, number), _ in ordered],
        [before for _, (before, _) in ordered],
        [after for _, (_, after) in ordered],
    )
    if moved != len(ordered):
        raise PositionMoved


async def restart(
    unit: Unit, group: str, cluster_id: str, bounds: Mapping[Partition, tuple[int, int]]
) -> None:
    """Put back to its log's first event whatever stands before it or beyond the log's end.

    A log that ends earlier is another one: some of what it holds may never have been seen.
    """
    ordered = sorted(bounds.items())
    await unit.execute(
        """
        update positions p set next_offset = u.starts
        from unnest($3::text[], $4::int[], $5::bigint[], $6::bigint[])
             as u(topic, partition, starts, ends)
        where p.group_name = $1 and p.cluster_id = $2 and p.topic = u.topic
          and p.partition = u.partition and p.next_offset not between u.starts and u.ends
        """,
        group,
        cluster_id,
        [topic for (topic, _), _ in ordered],
        [number for (_, number), _ in ordered],
        [starts for _, (starts, _) in ordered],
        [ends for _, (_, ends) in ordered],
    )
