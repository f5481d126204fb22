"""What people do with a platform, and what its books must say when all has come to rest."""

import contextlib
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka.errors import KafkaError

from deploy.demo.actors import Cast, Hospital, OtherSide, Refused, Staff
from deploy.demo.patience import DidNotHappen, until
from deploy.demo.people import Person
from deploy.demo.spoil import Made, refund_of
from deploy.demo.visits import Row
from tests.faults import checker, feeds, topics
from tests.faults.checker import Books
from tests.faults.feeds import Story
from tests.faults.installation import Installation, Record

REST_LIMIT_S = 90.0
CHUNK_ROWS = 50


class Town(Installation):
    """Remembers all that was ever put in, so that every look at the books is at all of them."""

    def __init__(self, var_dir: Path, record: Record) -> None:
        super().__init__(var_dir, record)
        self._exits = contextlib.AsyncExitStack()
        self._stories = 0
        self._feeds: dict[str, Story] = {}
        self._made: list[Made] = []
        self._phones: dict[str, str] = {}
        self.staff: Staff
        self.hospital: Hospital
        self.other_side: OtherSide

    async def open(self) -> None:
        """Start everything, unless it runs."""
        if self._keeper is not None:
            return
        await self.start()
        cast = await self._exits.enter_async_context(Cast(self.var_dir))
        self.staff = cast.staff("admin")
        self.hospital = cast.hospital(feeds.HOSPITAL.code)
        self.other_side = cast.other_side()

    async def close(self) -> None:
        await self._exits.aclose()
        await self.stop()

    # What people do

    def new_story(self, **size: int) -> Story:
        self._stories += 1
        return feeds.story(self._stories, **size)

    async def enrol(self, story: Story) -> None:
        await self.finish_roster(await self.upload_roster(story))

    async def upload_roster(self, story: Story) -> str:
        self._phones |= {one.card: one.phone for one in story.people}
        officers = [{"name": "孙丽华", "phone": f"139{story.number:08d}"}]
        name = f"第{story.number}工会"

        async def uploaded() -> str | None:
            """Try the whole again where an answer is lost: it changes nothing that is there."""
            with _patience():
                await self.staff.put_unit(story.unit, name, len(story.people), officers)
                return await self.staff.upload_roster(story.unit, "2018-01-01", story.roster)
            return None

        return await until("a roster uploaded", uploaded, limit_s=REST_LIMIT_S)

    async def finish_roster(self, roster_id: str) -> None:
        async def done() -> bool | None:
            with _patience():
                return (await self.staff.roster(roster_id))["status"] == "done" or None
            return None

        await until("a roster done", done, limit_s=REST_LIMIT_S)

    async def upload_feed(self, story: Story) -> str:
        known = {row["feed_id"] for row in await self.sql("claims", "select feed_id from feed")}

        async def uploaded() -> str | None:
            """Send it again only if it is not there, for a second time would count as repeated."""
            with _patience():
                return await self.staff.upload_feed(f"{story.unit}.csv", story.feed)
            with _patience():
                for row in await self.sql("claims", "select feed_id from feed"):
                    if row["feed_id"] not in known:
                        return str(row["feed_id"])
            return None

        feed_id = await until("a feed uploaded", uploaded, limit_s=REST_LIMIT_S)
        self._feeds[feed_id] = story
        self._made += story.made
        return feed_id

    async def begin_feed(self, story: Story) -> None:
        """Upload a feed and wait for its first chunk: most money and texts are still to come."""
        feed_id = await self.upload_feed(story)

        async def begun() -> bool | None:
            [row] = await self.sql("claims", "select done from feed where feed_id = $1", feed_id)
            return row["done"] >= CHUNK_ROWS or None

        await until("a feed under way", begun, poll_s=0.005, limit_s=REST_LIMIT_S)

    async def post(self, row: Row) -> dict[str, Any]:
        """Let the hospital post one settlement."""
        [result] = await self.hospital.post([row])
        self._made.append(Made(row, "ok"))
        return result

    async def cancel(self, row: Row) -> dict[str, Any]:
        path = f"/hospital/settlements/{row['setl_id']}/cancel"
        result = await self.hospital.ask("POST", path)
        self._made.append(Made(refund_of(row), "refund"))
        return result

    async def correct_card(self, person: Person, card: str) -> None:
        self._phones[card] = person.phone
        await self.staff.correct_card(await self.staff.search(person.id_number), card)

    async def go_wrong(self, *orders: Mapping[str, object]) -> None:
        for order in orders:
            await self.other_side.call("POST", "/faults", json=order)

    async def go_right(self) -> list[dict[str, Any]]:
        """End all faults; give those that had not come about."""
        left = (await self.other_side.call("GET", "/faults")).json()
        await self.other_side.call("DELETE", "/faults")
        return left

    # What is found

    async def rest(self) -> None:
        """Wait until nothing is under way anywhere, and no event is before anybody."""
        left: Mapping[str, int] = {}
        last: object = None

        async def quiet() -> bool | None:
            nonlocal left, last
            with _patience():
                found = await checker.under_way(self.urls)
                if not any(found.values()):
                    cluster_id, ends = await topics.ends(self.kafka)
                    found["events to read"] = await checker.behind(self.urls, cluster_id, ends)
                    before, last = last, ends
                    found["events just written"] = int(before != ends)
                left = {what: count for what, count in found.items() if count}
                return not left or None
            return None

        try:
            await until("rest", quiet, poll_s=0.2, limit_s=REST_LIMIT_S)
        except DidNotHappen as never:
            raise AssertionError(f"no rest: {left}") from never

    async def check(self) -> Books:
        """Come to rest; then every line, fen and text is as it must be, and nothing is besides."""
        await self.rest()
        side = self.other_side
        books = await checker.read(self.urls, await side.bank_book(), await side.texts())
        person_of = {one.row["setl_id"]: one.row["certno"] for one in self._made}
        assert checker.findings(books, self._phones) == []
        assert checker.wrong_grants(books, feeds.granted(self._made), person_of) == []
        for feed_id, story in self._feeds.items():
            feed = await self.staff.feed(feed_id)
            assert {name: feed[name] for name in story.counts} == story.counts
            assert feed["lines"] == len(story.made)
            refusals = await self.staff.refusals(feed_id)
            assert [(int(r["line"]), r["setl_id"], r["code"]) for r in refusals] == story.refused
        self._feeds.clear()
        self.record.rounds += 1
        return books

    async def until_sql(self, database: str, question: str) -> None:
        """Wait for the first row."""

        async def answered() -> bool | None:
            return bool(await self.sql(database, question)) or None

        await until(question, answered, limit_s=REST_LIMIT_S)

    async def sql(self, database: str, statement: str, *args: object) -> list[Any]:
        connection = await asyncpg.connect(self.urls[database], timeout=5, command_timeout=20)
        try:
            return await connection.fetch(statement, *args)
        finally:
            await connection.close()


@contextlib.contextmanager
def _patience() -> Generator[None]:
    """Bear with whoever is being started again just now."""
    with contextlib.suppress(
        httpx.TransportError, Refused, OSError, asyncpg.PostgresError, KafkaError
    ):
        yield
