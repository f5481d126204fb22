"""A large feed through the public doors: how many claims a second, and where the time goes."""

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.bench.population import Population
from deploy.bench.processes import backends, measured
from deploy.demo import books, show
from deploy.demo.actors import Cast, Json
from deploy.demo.books import Check
from deploy.demo.make_data import FIRST_DAY
from deploy.demo.patience import until

POLL_S = 0.5
LIMIT_S = 3_600.0


@dataclass
class Bulk:
    """One run; the rosters come in before it, because the hospitals' posts need them too."""

    cast: Cast
    population: Population
    run_dir: Path

    def __post_init__(self) -> None:
        self.admin = self.cast.staff("admin")
        self.other_side = self.cast.other_side()

    async def enroll(self) -> float:
        """Upload all rosters and wait for the last of them; gives the seconds."""
        began = time.monotonic()
        sent: list[str] = []
        for unit, content in self.population.rosters().items():
            await self.admin.put_unit(unit, f"单位{unit}", content.count(b"\n"), [])
            sent.append(await self.admin.upload_roster(unit, FIRST_DAY.isoformat(), content))
        progress = show.Progress()
        enrolled = sum([await self._enrolled(roster_id, progress) for roster_id in sent])
        assert enrolled == len(self.population.people), enrolled
        seconds = time.monotonic() - began
        progress.done(f"rosters: {enrolled} members in {seconds:.1f} s")
        return seconds

    async def _enrolled(self, roster_id: str, progress: show.Progress) -> int:
        async def done() -> int | None:
            roster = await self.admin.roster(roster_id)
            progress.show(f"roster: {roster['accepted']}/{roster['rows']} members")
            return roster["accepted"] if roster["status"] in ("done", "refused") else None

        return await until("a roster", done, limit_s=LIMIT_S)

    async def settle(self, feed_path: Path) -> dict[str, Any]:
        """Send the feed in and wait for the last text."""
        texts_before = len(await self.other_side.texts())
        asked_before = backends(self.run_dir)
        async with measured(self.run_dir) as costs:
            began = time.time()
            with feed_path.open("rb") as file:
                feed_id = await self.admin.upload_feed(feed_path.name, file)
            accepted = time.time()
            feed, settled = await self._settled(feed_id)
            await self._all_sent()
        asked = {
            duty: round(spent - asked_before.get(duty, 0.0), 2)
            for duty, spent in backends(self.run_dir).items()
        }
        bank, texts = await self.other_side.bank_book(), await self.other_side.texts()
        last_text = _last(texts)
        rows, seconds = feed["lines"], last_text - accepted
        return {
            "rows": rows,
            "members": len(self.population.people) - self.population.posting,
            "texts": len(texts) - texts_before,
            "claims_per_s": round(rows / seconds, 1),
            "seconds": {
                "feed uploaded (202)": round(accepted - began, 2),
                "feed settled": round(settled - accepted, 2),
                "last payout booked by the bank": round(_last(bank) - accepted, 2),
                "last text accepted": round(seconds, 2),
            },
            "cpu_us_per_claim": round(1e6 * sum(cost.cpu_s for cost in costs.values()) / rows),
            "processes": {name: cost._asdict() for name, cost in costs.items()},
            "postgres_cpu_s": asked,
        }

    async def _settled(self, feed_id: str) -> tuple[Json, float]:
        progress = show.Progress()

        async def done() -> Json | None:
            feed = await self.admin.feed(feed_id)
            progress.show(f"feed: {feed['done']}/{feed['lines']} lines")
            return feed if feed["status"] in ("done", "refused") else None

        feed = await until("the feed", done, poll_s=POLL_S, limit_s=LIMIT_S)
        progress.done(f"feed: {feed['status']}, {feed['done']}/{feed['lines']} lines")
        return feed, time.time()

    async def _all_sent(self) -> None:
        progress = show.Progress()

        async def quiet() -> Json | None:
            here = await self.admin.books()
            paid = here["payments"]["payouts_by_state"].get("paid", 0)
            sent = here["notify"]["messages_by_state"].get("sent", 0)
            progress.show(f"{here['claims']['grants']} grants, {paid} paid, {sent} texts")
            return here if books.is_quiet(here, refused_attempts=0) else None

        here = await until("the last text", quiet, poll_s=POLL_S, limit_s=LIMIT_S)
        progress.done(f"{here['claims']['grants']} grants, all paid and told")

    async def checks(self) -> list[Check]:
        here = await self.admin.books()
        bank, texts = await self.other_side.bank_book(), await self.other_side.texts()
        phones = self.population.phones
        return [
            *books.check_money(here, bank, books.fen(str(self.population.expected))),
            *books.check_texts(bank, texts, phones.__getitem__),
            *books.check_quiet(here),
        ]


def _last(book: list[Json]) -> float:
    return max(datetime.fromisoformat(line["at"]).timestamp() for line in book)
