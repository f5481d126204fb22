"""The bureau's feed: refused whole or taken row by row, resumed where it was, the same twice."""

import asyncio
import csv
import gzip
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from uuid import UUID

import pytest

from services.claims import feedfile, timers
from services.claims.rows import COLUMNS
from services.claims.store.feeds import Feed
from services.claims.timers import FeedWorker
from services.claims.usecases import feeds, people, posts
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.freshness import Freshness
from services.common.kit.health import Health
from services.common.kit.kafka import Cluster
from services.common.kit.leadership import leadership
from services.common.kit.sealed_file import SealedFileWriter
from tests.claims.conftest import ClaimsDesk
from tests.claims.settlements import a_row
from tests.claims.test_intake import refund

ZHANG = "110101199003070011"


class AllRostersAreIn(Freshness):
    """Stands for topics that are consumed to their end."""

    async def reached(self, wait_s: float) -> bool:
        return wait_s > 0


async def nobody_is_behind() -> bool:
    return False


def worker(claims: ClaimsDesk, by: type[FeedWorker] = FeedWorker) -> FeedWorker:
    cluster = Cluster(claims.settings)
    return by(
        claims.settings,
        claims.database,
        claims.desk,
        claims.hash_key,
        Health(),
        freshness=AllRostersAreIn(
            claims.settings, claims.database, cluster, group="claims", topics=[]
        ),
        others_behind=nobody_is_behind,
    )


def a_feed(rows: Sequence[dict[str, str]], *, encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([row[column] for column in COLUMNS] for row in rows)
    return text.getvalue().encode(encoding)


async def hand_in(claims: ClaimsDesk, content: bytes) -> UUID:
    feed_id = new_id()
    path = feedfile.path_of(claims.settings.var_dir, feed_id)
    async with SealedFileWriter(
        path, claims.desk.sealer, recipient="claims", label=feedfile.label_of(feed_id)
    ) as file:
        await file.write(content)
        await file.finish()
    await feeds.receive(claims.database, feed_id)
    return feed_id


async def worked_through(
    claims: ClaimsDesk, feed_id: UUID, by: type[FeedWorker] = FeedWorker, *, within_s: float = 30
) -> Feed:
    stop = asyncio.Event()
    async with asyncio.timeout(within_s), asyncio.TaskGroup() as group:
        group.create_task(_run(worker(claims, by), stop))
        while True:
            feed = await feeds.progress(claims.database, feed_id)
            if feed.status in ("done", "refused"):
                break
            await asyncio.sleep(0.02)
        stop.set()
    return feed


async def _run(feed_worker: FeedWorker, stop: asyncio.Event) -> None:
    await feed_worker.run(stop)


def many_rows(count: int) -> list[dict[str, str]]:
    return [a_row("100.00", setl_id=f"S{number}") for number in range(count)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("gzipped", [False, True])
async def test_every_line_of_a_feed_is_counted_once(
    claims: ClaimsDesk, encoding: str, *, gzipped: bool
) -> None:
    await claims.enroll(ZHANG)
    rows = [*many_rows(120), a_row(setl_id="S1"), a_row(setl_id="B", psn_part_amt="0.01")]
    content = a_feed(rows, encoding=encoding)
    feed = await worked_through(
        claims, await hand_in(claims, gzip.compress(content) if gzipped else content)
    )
    assert (feed.status, feed.lines, feed.done) == ("done", 122, 122)
    assert (feed.settled, feed.rejected, feed.reversed) == (107, 13, 0)
    assert (feed.duplicate, feed.refused) == (0, 2)
    assert feed.benefit_fen == await claims.granted(ZHANG) == (12_000_00 - 1_300_00) * 80 // 100
    refused = await feeds.refusals(claims.database, feed.feed_id, 10)
    assert [(line.line, line.code) for line in refused] == [
        (122, "CONFLICTING_CONTENT"),
        (123, "SUMS_MISMATCH"),
    ]


async def test_the_same_feed_again_changes_nothing(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    content = a_feed(many_rows(60))
    await worked_through(claims, await hand_in(claims, content))
    granted = await claims.granted(ZHANG)
    again = await worked_through(claims, await hand_in(claims, content))
    assert (again.duplicate, again.benefit_fen) == (60, 0)
    assert await claims.granted(ZHANG) == granted


async def test_a_feed_meets_what_came_by_another_door_before_it(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    known, taken_back, waited_for, *others = rows = many_rows(60)
    await claims.take(known, taken_back, refund(waited_for))
    feed = await worked_through(claims, await hand_in(claims, a_feed([*rows, refund(taken_back)])))
    assert (feed.duplicate, feed.reversed, feed.refused) == (2, 2, 0)
    assert feed.settled + feed.rejected == len(others)
    assert await claims.granted(ZHANG) == (58 * 100_00 - 1_300_00) * 80 // 100


async def test_a_refund_that_came_first_is_found_though_a_feed_takes_its_rows_for_new(
    claims: ClaimsDesk,
) -> None:
    await claims.enroll(ZHANG)
    waited_for, *others = rows = many_rows(60)
    await claims.take(refund(waited_for))
    feed_id = await hand_in(claims, a_feed(rows))
    await feeds.start(claims.database, feed_id, len(rows))
    chunk = [claims.incoming(row, at + 2) for at, row in enumerate(rows)]
    done = await feeds.settle_chunk(
        claims.database, claims.desk, feed_id, 0, chunk, presumed_new=True
    )
    feed = await feeds.progress(claims.database, feed_id)
    assert (done, feed.reversed) == (60, 1)
    assert feed.settled + feed.rejected == len(others)


async def test_a_feed_that_was_left_in_the_middle_goes_on_where_it_was(
    claims: ClaimsDesk,
) -> None:
    await claims.enroll(ZHANG)
    rows = many_rows(130)
    feed_id = await hand_in(claims, a_feed(rows))
    await feeds.start(claims.database, feed_id, len(rows))
    chunk = [claims.incoming(row, at + 2) for at, row in enumerate(rows[:50])]
    assert await feeds.settle_chunk(claims.database, claims.desk, feed_id, 0, chunk) == 50
    feed = await worked_through(claims, feed_id)
    assert (feed.done, feed.duplicate, feed.settled + feed.rejected) == (130, 0, 130)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (",".join(COLUMNS).encode(), "EMPTY_FILE"),
        (b"a,b\n1,2\n", "MISSING_COLUMN"),
        ("setl_id,姓名\n1,张\n".encode("utf-16"), "WRONG_ENCODING"),
        (gzip.compress(a_feed(many_rows(3)))[:-9], "UNREADABLE_FILE"),
        (b'setl_id,x\n"open,1\n', "UNREADABLE_FILE"),
    ],
)
async def test_a_file_that_is_no_feed_is_refused_whole(
    claims: ClaimsDesk, content: bytes, code: str
) -> None:
    feed = await worked_through(claims, await hand_in(claims, content))
    assert (feed.status, feed.code, feed.done) == ("refused", code, 0)
    assert await claims.fetch("select 1 from settlement") == []


async def test_a_feed_at_rest_shows_nothing_of_a_person(claims: ClaimsDesk) -> None:
    feed_id = await hand_in(claims, a_feed(many_rows(3)))
    kept = feedfile.path_of(claims.settings.var_dir, feed_id)
    assert ZHANG.encode() not in await asyncio.to_thread(kept.read_bytes)


async def test_a_feed_whose_seal_does_not_open_is_not_refused_but_waited_for(
    claims: ClaimsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await claims.enroll(ZHANG)
    feed_id = await hand_in(claims, a_feed(many_rows(3)))
    kept = feedfile.path_of(claims.settings.var_dir, feed_id)
    whole = await asyncio.to_thread(kept.read_bytes)
    await asyncio.to_thread(kept.write_bytes, whole[:-1])
    with pytest.raises(TimeoutError):
        await worked_through(claims, feed_id, within_s=1)
    assert (await feeds.progress(claims.database, feed_id)).status == "queued"
    monkeypatch.setattr(timers, "DISK_RETRY_S", 0.05)
    async with asyncio.TaskGroup() as group:
        working = group.create_task(worked_through(claims, feed_id))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(kept.write_bytes, whole)
    assert working.result().done == 3


async def test_people_are_there_for_a_second_after_the_last_post(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    assert not await people.are_there(claims.database)
    with clock.set_to(datetime(2026, 3, 2, 9, tzinfo=UTC)) as hands:
        for number in range(2):
            await posts.post(claims.counter, [claims.incoming(a_row(setl_id=f"P{number}"))])
            assert await people.are_there(claims.database)
            hands.advance(timedelta(seconds=1))
            await claims.fetch("update people_seen set at = at - interval '1 s'")
            assert not await people.are_there(claims.database)


async def test_a_moment_to_come_left_by_a_wrong_clock_keeps_no_feed_waiting(
    claims: ClaimsDesk,
) -> None:
    await claims.fetch("update people_seen set at = now() + interval '1 h'")
    assert not await people.are_there(claims.database)
    await claims.counter.people.note()
    assert await people.are_there(claims.database)


async def test_a_feed_goes_on_beside_people_with_rests(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    feed_id = await hand_in(claims, a_feed(many_rows(120)))

    async def keep_serving() -> None:
        while True:
            await claims.counter.people.note()
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        serving = group.create_task(keep_serving())
        assert (await worked_through(claims, feed_id)).done == 120
        serving.cancel()


async def test_a_second_feed_process_stands_by_until_the_first_is_gone(claims: ClaimsDesk) -> None:
    await claims.enroll(ZHANG)
    feed_id = await hand_in(claims, a_feed(many_rows(3)))
    async with leadership(claims.settings, "feed"):
        with pytest.raises(TimeoutError):
            await worked_through(claims, feed_id, within_s=1)
        assert (await feeds.progress(claims.database, feed_id)).status == "queued"
    assert (await worked_through(claims, feed_id)).done == 3


class Breathing(FeedWorker):
    """Takes chunks that grow and shrink."""

    SIZES = cycle((120, 7, 1, 60))

    def _next_size(self, rows: int, cpu_s: float) -> int:
        assert rows
        assert cpu_s
        return next(self.SIZES)


async def test_rows_that_were_read_ahead_of_a_smaller_chunk_keep_their_turn(
    claims: ClaimsDesk,
) -> None:
    await claims.enroll(ZHANG)
    feed_id = await hand_in(claims, a_feed(many_rows(400)))
    feed = await worked_through(claims, feed_id, Breathing)
    assert (feed.done, feed.settled + feed.rejected) == (400, 400)
    taken = await claims.fetch("select setl_id from settlement order by claim_id")
    assert [row["setl_id"] for row in taken] == [f"S{number}" for number in range(400)]
