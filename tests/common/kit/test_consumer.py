"""A consumer goes on where it stood, and one bad event holds up its own member only."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import msgspec
import pytest

from services.common.contracts.event import Event
from services.common.ids import new_id
from services.common.kit import consumer
from services.common.kit.db import Unit
from services.common.kit.kafka import Cluster, LogReader, Outgoing, Record
from tests.common.kit.stream import Desk, Knobs, Noted, keep_seen, lay_tables, running
from tests.conftest import MakeDatabase
from tests.servers import KafkaServer

POISON = 13


@pytest.fixture
async def desk(make_database: MakeDatabase, kafka_server: KafkaServer) -> AsyncGenerator[Desk]:
    url = await make_database("consumer")
    await lay_tables(url)
    knobs = Knobs(database_url=url, kafka_bootstrap_servers=kafka_server.bootstrap)
    desk = Desk(knobs, await kafka_server.make_fresh_topic("consumer"))
    yield desk
    await desk.close()


async def refuse_poison(unit: Unit, events: Sequence[Event]) -> None:
    if any(isinstance(event, Noted) and event.number == POISON for event in events):
        raise ValueError(POISON)
    await keep_seen(unit, events)


class AnotherCluster(Cluster):
    """The same broker under another id, as after its storage was formatted anew."""

    async def id(self) -> str:
        return "another"


async def test_a_restarted_consumer_goes_on_where_it_stood(desk: Desk) -> None:
    await desk.write([1, 2, 3])
    async with running(desk.relay().run, desk.consumer().run):
        await desk.seen_in_all(3)
    await desk.write([4])
    async with running(desk.relay().run, desk.consumer().run):
        assert sorted(await desk.seen_in_all(4)) == [1, 2, 3, 4]


async def test_what_there_is_no_room_for_stays_in_the_log(desk: Desk) -> None:
    room = asyncio.Event()
    await desk.write([1, 2])
    async with running(desk.relay().run, desk.consumer(has_room=room.is_set).run):
        await desk.on_topic(2)
        assert await desk.seen() == []
        room.set()
        assert sorted(await desk.seen_in_all(2)) == [1, 2]


async def test_an_unknown_cluster_is_read_from_its_beginning(desk: Desk) -> None:
    await desk.write([1, 2])
    async with running(desk.relay().run, desk.consumer().run):
        await desk.seen_in_all(2)
    async with running(desk.consumer(cluster=AnotherCluster(desk.knobs)).run):
        assert sorted(await desk.seen_in_all(4)) == [1, 1, 2, 2]


async def test_two_workers_with_one_number_do_not_double_an_effect(desk: Desk) -> None:
    async with running(desk.relay().run, desk.consumer().run, desk.consumer().run):
        for number in range(40):
            await desk.write([number])
        await desk.seen_in_all(40)
    assert sorted(await desk.seen()) == list(range(40))


async def test_a_bad_event_is_set_aside_its_member_parked_and_the_rest_goes_on(desk: Desk) -> None:
    unlucky = new_id()
    await desk.write([1, 2, 3])
    await desk.write([10, POISON, 14], unlucky)
    await desk.write([4, 5])
    async with running(desk.relay().run, desk.consumer(refuse_poison).run):
        await desk.seen_in_all(6)
        await desk.write([15], unlucky)
        await desk.write([6])
        assert sorted(await desk.seen_in_all(7)) == [1, 2, 3, 4, 5, 6, 10]
        letters = await desk.letters(3)
    assert [letter["error"] for letter in letters] == ["ValueError", "", ""]
    assert {letter["key"] for letter in letters} == {str(unlucky)}


async def test_dead_letters_driven_again_come_in_their_order(desk: Desk) -> None:
    await desk.write([POISON, 14], new_id())
    await desk.write([1])
    async with running(desk.relay().run, desk.consumer(refuse_poison).run):
        await desk.seen_in_all(1)
        await desk.letters(2)
    assert await desk.consumer(refuse_poison).redrive() == 0
    assert await desk.consumer().redrive() == 2
    assert await desk.seen() == [1, POISON, 14]


async def test_what_cannot_be_read_is_kept_and_the_rest_goes_on(desk: Desk) -> None:
    await desk.write([2])
    async with desk.database.begin() as unit:
        await unit.publish([desk.note(1)])
        await unit.execute(
            "update outbox set payload = '\\x7b' where id = (select max(id) from outbox)"
        )
    async with running(desk.relay().run, desk.consumer().run):
        await desk.write([3])
        assert sorted(await desk.seen_in_all(2)) == [2, 3]
        (letter,) = await desk.letters(1)
    assert letter["error"] == "DecodeError"


async def test_what_has_no_id_and_what_no_table_can_hold_is_kept_and_the_rest_goes_on(
    desk: Desk,
) -> None:
    nameless = Outgoing(b"{", 0, [])
    unwritable = Outgoing(
        b'[{"type":"tests.noted.v1","event_id":"\\u0000","member_id":"b\\u0000"}]', 0, []
    )
    await desk.put(nameless, nameless, unwritable)
    await desk.write([1])
    async with running(desk.relay().run, desk.consumer().run):
        letters = await desk.letters(3)
        assert await desk.seen_in_all(1) == [1]
    assert [letter["key"] for letter in letters] == ["", "", "b\ufffd"]


async def test_one_malformed_event_of_a_set_is_set_aside_and_the_others_go_on(desk: Desk) -> None:
    unlucky = new_id()
    before, broken, behind = (desk.note(number, unlucky) for number in (1, 2, 3))
    fields = msgspec.to_builtins(broken) | {"number": "two"}
    others = [desk.note(number) for number in (4, 5)]
    payload = msgspec.json.encode([others[0], before, fields, behind, others[1]])
    await desk.put(Outgoing(payload, 0, [("events", b"5")]))
    async with running(desk.consumer().run):
        assert sorted(await desk.seen_in_all(2)) == [4, 5]
        letters = await desk.letters(3)
    assert [letter["error"] for letter in letters] == ["", "ValidationError", ""]
    assert {letter["key"] for letter in letters} == {str(unlucky)}
    async with desk.database.begin() as unit:
        kept = await unit.fetch("select event_id, type, payload from dead_letters order by id")
    assert [row["event_id"] for row in kept] == [str(e.event_id) for e in (before, broken, behind)]
    assert msgspec.json.decode(kept[1]["payload"]) == fields
    assert kept[1]["type"] == "tests.noted.v1"


async def test_an_event_of_an_unknown_type_is_passed_over_amid_its_set(desk: Desk) -> None:
    stranger = {"type": "tests.never_heard_of.v1", "event_id": str(new_id())}
    payload = msgspec.json.encode([desk.note(1), stranger, desk.note(2)])
    single = msgspec.json.encode(desk.note(3))
    await desk.put(Outgoing(payload, 0, []), Outgoing(single, 0, []))
    async with running(desk.consumer().run):
        assert sorted(await desk.seen_in_all(3)) == [1, 2, 3]
    assert await desk.letters(0) == []


async def test_no_more_events_are_taken_at_once_than_a_transaction_may_hold(desk: Desk) -> None:
    taken: list[int] = []

    async def count(unit: Unit, events: Sequence[Event]) -> None:
        taken.append(len(events))
        await keep_seen(unit, events)

    desk.knobs = desk.knobs.model_copy(update={"consumer_batch_rows": 450})
    await desk.write(range(1_000), new_id())
    await desk.write(range(1_000, 1_900))
    for number in range(1_900, 2_000):
        await desk.write([number])
    async with running(desk.relay().run):
        await desk.on_topic(2_000)
    async with running(desk.consumer(count).run):
        assert sorted(await desk.seen_in_all(2_000)) == list(range(2_000))
    assert max(taken) <= 450
    assert len(taken) < 20


async def test_a_log_that_no_longer_holds_the_position_is_read_from_its_beginning(
    desk: Desk,
) -> None:
    member = new_id()
    async with running(desk.relay().run, desk.consumer().run):
        for number in (1, 2, 3):
            await desk.write([number], member)
        await desk.seen_in_all(3)
    await desk.replace_log()
    async with running(desk.consumer().run):
        await desk.at_position(0)
        async with running(desk.relay().run):
            assert set(await desk.seen_in_all(6)) == {1, 2, 3}


class DeafAtFirst(LogReader):
    """A reader as aiokafka's can be after a broker's restart: it gives nothing and says nothing."""

    deaf = True

    async def next(self, *, wait_s: float, events_max: int) -> list[Record]:
        records = await super().next(wait_s=wait_s, events_max=events_max)
        return [] if self.deaf else records

    async def close(self) -> None:
        DeafAtFirst.deaf = False
        await super().close()


async def test_a_reader_that_gives_nothing_of_a_log_that_has_more_is_made_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "LogReader", DeafAtFirst)
    monkeypatch.setattr(consumer, "QUIET_MAX_S", 0.5)
    await desk.write([1, 2])
    async with running(desk.relay().run, desk.consumer().run):
        assert sorted(await desk.seen_in_all(2)) == [1, 2]
