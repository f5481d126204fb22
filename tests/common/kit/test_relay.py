"""The relay loses nothing, keeps order, and publishes all again when the log has lost it."""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from uuid import UUID

import asyncpg
import pytest

from services.common.contracts.event import SET_EVENTS_MAX, partition_of
from services.common.ids import new_id
from services.common.kit import outbox, relay
from services.common.kit.db import Database, driver_dsn
from services.common.kit.health import Health
from services.common.kit.kafka import Cluster, LogReader, LogWriter, Outgoing
from services.common.kit.positions import Partition
from services.common.kit.relay import Relay
from tests.common.kit.stream import Desk, Knobs, lay_tables, running
from tests.conftest import MakeDatabase
from tests.servers import KafkaServer
from tests.told import events_in


@pytest.fixture
async def desk(make_database: MakeDatabase, kafka_server: KafkaServer) -> AsyncGenerator[Desk]:
    url = await make_database("relay")
    await lay_tables(url)
    knobs = Knobs(
        database_url=url, kafka_bootstrap_servers=kafka_server.bootstrap, database_pool_size=24
    )
    desk = Desk(knobs, await kafka_server.make_fresh_topic("relay"))
    yield desk
    await desk.close()


async def tell(desk: Desk, group: str, at: Mapping[Partition, int]) -> None:
    """Stand, as a group of its own, at these offsets."""
    reader = LogReader(desk.knobs, group)
    await reader.open(at)
    try:
        async with asyncio.timeout(30):
            while True:
                if await reader.tell(at):
                    return
                await asyncio.sleep(0.1)
    finally:
        await reader.close()


class NaiveCursor:
    """What the relay must not be: it asks for what comes after the last id it has seen."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.found: set[UUID] = set()

    async def run(self, stop: asyncio.Event) -> None:
        last = 0
        while not stop.is_set():
            async with self._database.begin() as unit:
                rows = await unit.fetch(
                    "select id, payload from outbox where id > $1 order by id", last
                )
            self.found |= {UUID(event["event_id"]) for event in events_in(rows)}
            last = rows[-1]["id"] if rows else last
            await asyncio.sleep(0.002)


async def test_what_commits_out_of_order_is_published_once_and_in_each_members_order(
    desk: Desk,
) -> None:
    dice = random.Random(7)  # noqa: S311 - a scene, not a secret
    members = [new_id() for _ in range(16)]
    locks = {member: asyncio.Lock() for member in members}
    counters = dict.fromkeys(members, 0)
    committed: list[tuple[UUID, int]] = []

    async def write_some() -> None:
        for _ in range(40):
            member = dice.choice(members)
            async with locks[member]:  # stands for the row lock of the aggregate
                number = counters[member]
                try:
                    async with desk.database.begin() as unit:
                        await unit.publish([desk.note(number, member)])
                        await asyncio.sleep(dice.random() * 0.02)
                        if dice.random() < 0.1:
                            raise RuntimeError  # noqa: TRY301 - a use case that refuses
                except RuntimeError:
                    continue
                counters[member] += 1
                committed.append((member, number))

    naive = NaiveCursor(desk.database)
    async with running(desk.relay().run, naive.run):
        await asyncio.gather(*(write_some() for _ in range(16)))
        records = await desk.on_topic(len(committed))

    assert len(records) == len(committed)
    assert len({heard.event.event_id for heard in records}) == len(committed)
    order: dict[UUID, list[int]] = {}
    for heard in records:
        order.setdefault(heard.event.member_id, []).append(heard.event.number)
    assert all(numbers == sorted(numbers) for numbers in order.values())
    assert len(naive.found) < len(committed), "the scene must be one in which a cursor loses"


async def test_a_page_that_was_acked_and_not_remembered_comes_again(desk: Desk) -> None:
    await desk.write([1, 2, 3])
    async with desk.database.begin() as unit:
        before = await unit.fetchrow("select * from relay_state")
    assert before is not None
    async with running(desk.relay().run):
        await desk.on_topic(3)
    async with desk.database.begin() as unit:  # as if killed after the ack, before the move
        await unit.execute(
            "update relay_state set prev = $1, cur = $2, last_id = 0", before["prev"], before["cur"]
        )
        await unit.execute("update relay_state set acked = '{}'")
    async with running(desk.relay().run):
        records = await desk.on_topic(6)
    assert len({heard.event.event_id for heard in records}) == 3


async def test_another_cluster_is_given_everything_that_is_kept(desk: Desk) -> None:
    await desk.write([1, 2, 3])
    async with running(desk.relay().run):
        await desk.on_topic(3)
    async with desk.database.begin() as unit:
        await unit.execute("update relay_state set cluster_id = 'the one before'")
    await desk.write([4])
    async with running(desk.relay().run):
        records = await desk.on_topic(7)
    assert len({heard.event.event_id for heard in records}) == 4


async def test_a_log_that_ends_before_its_last_ack_is_given_everything_again(desk: Desk) -> None:
    await desk.write([1, 2])
    async with running(desk.relay().run):
        await desk.on_topic(2)
    async with desk.database.begin() as unit:
        await unit.execute(
            "update relay_state set acked = regexp_replace(acked, ':[0-9]+', ':900', 'g')"
        )
    async with running(desk.relay().run):
        records = await desk.on_topic(4)
    assert len({heard.event.event_id for heard in records}) == 2


async def test_a_log_replaced_between_two_writes_is_given_everything_again(desk: Desk) -> None:
    member = new_id()
    async with running(desk.relay().run):
        await desk.write([1, 2, 3], member)
        await desk.on_topic(3)
        await desk.replace_log()
        await desk.write([4, 5, 6, 7, 8], member)  # more than were acknowledged before
        records = await desk.on_topic(5, settle_s=5)
    assert len({heard.event.event_id for heard in records}) == 8


async def test_events_of_a_clock_that_is_hours_ahead_are_published_all_the_same(desk: Desk) -> None:
    await desk.write([1, 2])
    async with desk.database.begin() as unit:
        await unit.execute("update outbox set created_at = now() + interval '8 hours'")
    async with running(desk.relay().run):
        assert len(await desk.on_topic(2)) == 2


async def test_a_broker_that_goes_away_amid_work_does_not_end_the_process(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = LogWriter.write

    async def write_once(
        self: LogWriter, lanes: Mapping[Partition, Sequence[Outgoing]]
    ) -> dict[Partition, tuple[int, int]]:
        monkeypatch.setattr(LogWriter, "write", unanswered)
        return await write(self, lanes)

    async def unanswered(*_: object) -> None:
        raise TimeoutError

    desk.knobs = desk.knobs.model_copy(update={"relay_page_rows": 1})
    health = Health(stall_s=1.0)
    monkeypatch.setattr(LogWriter, "write", write_once)
    await desk.write([1, 2, 3])
    async with running(desk.relay(health).run):
        await desk.on_topic(1)
        await asyncio.sleep(3)
        assert health.stalled() == []
        monkeypatch.undo()
        await desk.on_topic(3)


async def test_relayed_is_told_only_of_what_was_acknowledged(desk: Desk) -> None:
    async with desk.database.begin() as unit:
        await unit.publish([desk.note(1)])
        xid = await unit.fetchval("select pg_current_xact_id()::text")
    async with desk.database.begin() as unit:
        assert not await unit.fetchval(outbox.RELAYED, xid)
    async with running(desk.relay().run):
        await desk.on_topic(1)
        async with asyncio.timeout(10), desk.database.begin() as unit:
            while True:
                if await unit.fetchval(outbox.RELAYED, xid):
                    break
                await asyncio.sleep(0.02)


async def test_one_member_keeps_one_partition_and_the_event_arrives_as_written(
    desk: Desk,
) -> None:
    member = new_id()
    event = desk.note(1, member)
    async with desk.database.begin() as unit:
        await unit.publish([event])
    await desk.write([2, 3], member)
    async with running(desk.relay().run):
        records = await desk.on_topic(3)
    assert {heard.partition for heard in records} == {(desk.kind.topic, partition_of(member))}
    assert records[0].event == event


async def test_a_transactions_events_go_in_one_set_a_partition_in_their_order(desk: Desk) -> None:
    members = [new_id() for _ in range(50)]
    events = [desk.note(number, members[number % 50]) for number in range(1_000)]
    async with desk.database.begin() as unit:
        await unit.publish(events)
        sizes = [row["events"] for row in await unit.fetch("select events from outbox")]
    assert sum(sizes) == len(events)
    assert max(sizes) <= SET_EVENTS_MAX
    async with running(desk.relay().run):
        records = await desk.on_topic(len(events))
    assert len({(heard.partition, heard.offset) for heard in records}) == len(sizes)
    for member in members:
        numbers = [heard.event.number for heard in records if heard.event.member_id == member]
        assert numbers == sorted(numbers)
        assert len(numbers) == 20


async def test_a_long_backlog_is_published_a_page_of_events_at_a_time(desk: Desk) -> None:
    desk.knobs = desk.knobs.model_copy(update={"relay_page_rows": 100})
    member = new_id()
    for first in range(0, 900, 90):
        await desk.write(range(first, first + 90), member)
    async with running(desk.relay().run):
        records = await desk.on_topic(900)
    assert [heard.event.number for heard in records] == list(range(900))


async def test_what_an_older_outbox_holds_becomes_sets_of_one(make_database: MakeDatabase) -> None:
    connection = await asyncpg.connect(driver_dsn(await make_database("older")))
    member = new_id()
    for statement in outbox.DDL:
        await connection.execute(statement)
    await connection.execute(
        "insert into outbox (topic, key, event_id, type, payload)"
        " values ('things', $1, $1, 'thing', '{\"a\": 1}')",
        member,
    )
    for statement in outbox.SETS_DDL:
        await connection.execute(statement)
    (row,) = await connection.fetch("select * from outbox")
    assert (row["topic"], row["events"], row["payload"]) == ("things", 1, b'[{"a": 1}]')
    assert row["partition"] == partition_of(member)
    storage = "select distinct attstorage from pg_attribute where attname = 'payload'"
    assert [kept[0] for kept in await connection.fetch(storage)] == [b"e"]
    await connection.close()


async def old_month(desk: Desk) -> None:
    """Lay a month that ended years ago, and write events into it."""
    async with desk.database.begin() as unit:
        await unit.execute(
            "create table outbox_202001 partition of outbox"
            " for values from ('2020-01-01+00') to ('2020-02-01+00')"
        )
    await desk.write([1, 2, 3])
    async with desk.database.begin() as unit:
        await unit.execute("update outbox set created_at = '2020-01-15+00'")


async def all_that_began_before_is_over(desk: Desk) -> None:
    """Wait for what holds snapshots back, in other tests' databases on this server too."""
    async with desk.database.begin() as unit:
        last = await unit.fetchval("select pg_current_xact_id()::text")
    async with asyncio.timeout(60):
        over = False
        while not over:
            async with desk.database.begin() as unit:
                over = await unit.fetchval(
                    "select pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8", last
                )
            await asyncio.sleep(0.02)


async def months(desk: Desk) -> list[str]:
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select inhrelid::regclass::text as name from pg_inherits"
            " where inhparent = 'outbox'::regclass order by 1"
        )
    return [row["name"] for row in rows]


async def test_an_old_month_goes_once_every_group_has_passed_it(
    desk: Desk, kafka_server: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MONTHS_EVERY_S", 0.2)
    behind, elsewhere = f"behind-{new_id()}", f"elsewhere-{new_id()}"
    await tell(desk, elsewhere, {(await kafka_server.make_fresh_topic("elsewhere"), 0): 0})
    await tell(desk, behind, {(desk.kind.topic, number): 0 for number in range(12)})
    await old_month(desk)
    async with running(desk.relay().run, desk.consumer().run):
        await desk.seen_in_all(3)
        await asyncio.sleep(2)
        assert "outbox_202001" in await months(desk)
        await tell(desk, behind, {(desk.kind.topic, number): 3 for number in range(12)})
        async with asyncio.timeout(20):
            while True:
                if "outbox_202001" not in await months(desk):
                    break
                await asyncio.sleep(0.1)
    assert len(await months(desk)) == 2


async def test_what_nobody_was_told_yet_is_not_dropped_however_old(desk: Desk) -> None:
    await old_month(desk)
    async with desk.database.begin() as unit:
        assert await unit.fetchval("select outbox_drop_months('3:3:')") == 0
    await all_that_began_before_is_over(desk)
    async with desk.database.begin() as unit:
        now = await unit.fetchval("select pg_current_snapshot()::text")
        assert await unit.fetchval("select outbox_drop_months($1::text::pg_snapshot)", now) == 1


async def drop_months(desk: Desk) -> list[str]:
    """Leave the outbox as it is after months in which nothing ran; give what there was."""
    before = await months(desk)
    await desk.database.close()
    connection = await asyncpg.connect(driver_dsn(desk.knobs.database_url))
    for month in before:
        await connection.execute(f"drop table {month}")
    await connection.close()
    desk.database = Database(desk.knobs, application="tests")
    return before


async def test_after_months_off_the_first_event_is_written_before_any_relay_has_run(
    desk: Desk,
) -> None:
    before = await drop_months(desk)
    await asyncio.gather(*(desk.write([number]) for number in range(8)))
    assert await months(desk) == before


async def test_a_relay_makes_the_months_while_kafka_is_away(desk: Desk) -> None:
    before = await drop_months(desk)
    away = {"kafka_bootstrap_servers": "127.0.0.1:9", "kafka_timeout_s": 0.5}
    knobs = desk.knobs.model_copy(update=away)
    cluster, connection = Cluster(knobs), await asyncpg.connect(driver_dsn(knobs.database_url))
    there = "select count(*) from pg_inherits where inhparent = 'outbox'::regclass"
    async with running(Relay(knobs, desk.database, cluster, Health()).run), asyncio.timeout(20):
        while await connection.fetchval(there) < len(before):  # noqa: ASYNC110 - another's table
            await asyncio.sleep(0.05)
    await cluster.close()
    await connection.close()


async def test_of_two_months_the_next_one_waits_for_who_writes_and_this_one_fails(
    desk: Desk,
) -> None:
    this, following = await drop_months(desk)
    make = "select outbox_ensure_partitions()"
    url = driver_dsn(desk.knobs.database_url)
    writer, maker = await asyncpg.connect(url), await asyncpg.connect(url)
    async with writer.transaction():
        await writer.execute("lock table outbox in row exclusive mode")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await maker.execute(make)
    await maker.execute(make)
    await maker.execute(f"drop table {following}")
    async with writer.transaction():
        await writer.execute("lock table outbox in row exclusive mode")
        await maker.execute(make)
        assert await months(desk) == [this]
    await maker.execute(make)
    assert await months(desk) == [this, following]
    await writer.close()
    await maker.close()
