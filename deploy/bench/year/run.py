"""A year through the platform's public doors: enrolled, fed, paid, told, and held to the books."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from deploy.bench.year import servers
from deploy.bench.year.people import (
    COVERED_FROM,
    member,
    right_card,
    roster_file,
    units,
)
from deploy.bench.year.settlements import Year
from deploy.demo import show
from deploy.demo.actors import Cast, Json, Refused
from deploy.demo.books import FINAL_PAYOUTS, FINAL_TEXTS, SERVICES
from deploy.demo.patience import until
from deploy.local.platform import Platform
from services.common.kit.kafka import BrokerTrouble

POLL_S: Final = 1.0
BOOKS_POLL_S: Final = 2.0
LIMIT_S: Final = 4 * 3_600.0
ROSTERS_AHEAD: Final = 8
_ACCOUNTS_PER_CALL: Final = 1_000
_WRONG_HOLDER: Final = "钱某"
# What a question may meet while a program is being started again.
_TROUBLE: Final = (httpx.HTTPError, *BrokerTrouble)


@dataclass
class Timed:
    """When what happened, in seconds since the epoch."""

    accepted: list[float] = field(default_factory=list[float])
    settled: float = 0.0


@dataclass
class Run:
    platform: Platform
    cast: Cast
    lags: servers.Lags
    roster: int
    wrong: Sequence[int]

    def __post_init__(self) -> None:
        self.admin = self.cast.staff("admin")
        self.other_side = self.cast.other_side()
        self.timed = Timed()

    async def enroll(self) -> float:
        """Upload every unit's roster and wait until all services know all members; in seconds."""
        began, progress = time.monotonic(), show.Progress()
        waiting: list[str] = []
        enrolled = 0
        for code, numbers in units(self.roster):
            officer = {"name": f"经办{code}", "phone": f"139{int(code[1:]):08d}"}
            await self.admin.put_unit(code, f"单位{code}", len(numbers), [officer])
            content = await asyncio.to_thread(roster_file, map(member, numbers))
            waiting.append(await self.admin.upload_roster(code, COVERED_FROM.isoformat(), content))
            if len(waiting) > ROSTERS_AHEAD:
                enrolled += await self._roster_done(waiting.pop(0))
                progress.show(_pace("members", enrolled, self.roster, began))
        for roster_id in waiting:
            enrolled += await self._roster_done(roster_id)
        assert enrolled == self.roster, enrolled
        await self._caught_up()
        seconds = time.monotonic() - began
        progress.done(_pace("members", enrolled, self.roster, began))
        return seconds

    async def spoil_cards(self) -> None:
        """Have the bank know the wrong cards under another's name."""
        for begin in range(0, len(self.wrong), _ACCOUNTS_PER_CALL):
            some = self.wrong[begin : begin + _ACCOUNTS_PER_CALL]
            told = [
                {"account": member(n).card, "name": _WRONG_HOLDER, "status": "open"} for n in some
            ]
            await self.other_side.call("POST", "/bank/accounts", json=told)

    async def settle(self, feeds: Sequence[Path], paid_people: int) -> list[Json]:
        """Send the feeds in, put wrong cards right once they are worked, wait for the last text.

        The first `paid_people` members are paid: nobody hears of the wrong cards of the others.
        """
        sent: list[str] = []
        for path in feeds:
            with path.open("rb") as file:
                sent.append(await self.admin.upload_feed(path.name, file))
            self.timed.accepted.append(time.time())
        done = [await self._settled(feed_id) for feed_id in sent]
        self.timed.settled = time.time()
        await self._mend_cards({number for number in self.wrong if number <= paid_people})
        await self._quiet()
        return done

    async def _settled(self, feed_id: str) -> Json:
        progress, began = show.Progress(), time.monotonic()
        while True:
            feed = await self._asked(self.admin.feed(feed_id))
            if feed is not None:
                behind = await self._lags()
                words = _pace("lines", feed["done"], feed["lines"], began)
                progress.show(f"{words}; behind: {behind}")
                if feed["status"] in ("done", "refused"):
                    progress.done(words)
                    return feed
            await asyncio.sleep(POLL_S)

    async def _mend_cards(self, wrong: Collection[int]) -> None:
        """Do what the officers are told to: send the roster in again with the right card."""
        waiting: list[str] = []
        for code, numbers in units(self.roster):
            mine = [n for n in numbers if n in wrong]
            if mine:
                people = (member(n, card_number=right_card(n)) for n in mine)
                content = roster_file(people)
                waiting.append(await self._again(code, content))
        for roster_id in waiting:
            await self._roster_done(roster_id)

    async def _again(self, code: str, content: bytes) -> str:
        """Upload a roster; whatever is killed meanwhile, an officer tries once more."""
        while True:
            with contextlib.suppress(Refused, *_TROUBLE):
                return await self.admin.upload_roster(code, COVERED_FROM.isoformat(), content)
            await asyncio.sleep(POLL_S)

    async def _roster_done(self, roster_id: str) -> int:
        while True:
            roster = await self._asked(self.admin.roster(roster_id))
            if roster is not None and roster["status"] in ("done", "refused"):
                return int(roster["accepted"])
            await asyncio.sleep(POLL_S / 10)

    async def _caught_up(self) -> None:
        async def nothing_before_anybody() -> bool | None:
            return None if any((await self._lags()).values()) else True

        await until("all services", nothing_before_anybody, poll_s=POLL_S / 2, limit_s=LIMIT_S)

    async def _lags(self) -> dict[str, int]:
        with contextlib.suppress(*_TROUBLE):
            return await self.lags.rows()
        return {"unknown": 1}

    async def _quiet(self) -> None:
        """Wait until nothing is under way anywhere; the books are dear to ask, so seldom."""
        progress = show.Progress()
        while True:
            behind = await self._lags()
            if not any(behind.values()):
                here = await self._asked(self.admin.books())
                if here is not None and _is_quiet(here) and not any((await self._lags()).values()):
                    progress.done("all paid, all told")
                    return
                behind = {} if here is None else _under_way(here)
            progress.show(f"still under way: {behind}")
            await asyncio.sleep(BOOKS_POLL_S)

    async def _asked(self, question: Awaitable[Json]) -> Json | None:
        """Ask; None where nobody answers just now, as while a program is started again."""
        try:
            return await question
        except (Refused, *_TROUBLE):
            return None


def _is_quiet(books: Json) -> bool:
    payouts = books["payments"]["payouts_by_state"]
    return not _under_way(books) and not payouts.get("refused", 0)


def _under_way(books: Json) -> dict[str, int]:
    """Count what is not at its end yet."""
    claims, payments, notify = books["claims"], books["payments"], books["notify"]
    payouts, texts = payments["payouts_by_state"], notify["messages_by_state"]
    found = {
        "events": sum(books[name]["events_pending"] for name in SERVICES),
        "grants": claims["grants"] - sum(payouts.values()),
        "payouts": sum(n for state, n in payouts.items() if state not in FINAL_PAYOUTS),
        "queued": payments["payouts_queued"],
        "batches": payments["batches_open"],
        "texts": sum(n for state, n in texts.items() if state not in FINAL_TEXTS),
        "calls": notify["dispatches_open"],
        "untold": max(0, payouts.get("paid", 0) - sum(texts.values())),
    }
    return {name: count for name, count in found.items() if count}


def write_feeds(years: Iterable[Year], folder: Path) -> list[Path]:
    paths: list[Path] = []
    for year in years:
        path = folder / f"settlements-{year.calendar}.csv.gz"
        began = time.monotonic()
        year.write(path)
        paths.append(path)
        spent = time.monotonic() - began
        show.line(f"{year.rows} rows of {year.calendar} made in {spent:.0f} s: {path.name}")
    return paths


def _pace(what: str, done: int, of: int, began: float) -> str:
    spent = time.monotonic() - began
    return f"{spent:.0f} s, {what}: {done}/{of}, {done / max(spent, 1e-3):.0f}/s"
