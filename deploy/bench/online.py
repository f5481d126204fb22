"""make bench-online: how long people wait for their text, alone and beside a large feed.

Hospitals' posts of one settlement each are sent at their planned moments, whatever the answers do,
at each of the rates, first alone on the platform, then while a feed is worked through. Half of the
posts beside a feed are of members whom the feed is about as well. Counted is from the moment a post
was planned to the moment the provider took its text. SECONDS, RATES, ROWS, MEMBERS and BESIDE_RATES
say how long, how many a second, how large the feed and the roster.
"""

import asyncio
import contextlib
import csv
import gzip
import itertools
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

from deploy.bench.openloop import Shot, fire, signed
from deploy.bench.population import LIMIT_S, ROWS_PER_MEMBER, Population
from deploy.bench.processes import cpu_seconds
from deploy.bench.trail import STAGES, Moments, follow
from deploy.clients.hospital import HospitalAuth
from deploy.demo import books, show
from deploy.demo.actors import API, Cast, Json, Refused, Staff
from deploy.demo.make_data import FIRST_DAY, HOSPITALS, LAST_DAY, SEED
from deploy.demo.patience import until
from deploy.demo.stage import check_restarts, fresh_platform, run
from deploy.demo.visits import COLUMNS, INPATIENT, visit, visits
from deploy.local.platform import Platform
from deploy.local.settings import free_port_env, read_settings

SECONDS, ROWS, MEMBERS = 60, 100_000, 20_000
RATES = "25,50,100,200"
BATCH_WAIT_MS = 100
POSTS_FROM = 90_000_000  # numbers of settlements that no feed reaches
ENDED = date(2025, 12, 30)
REST_S = 2.0
POLL_S = 0.5
BATCH_WAIT = "PAYMENTS_BATCH_WAIT_MS"
OK = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked, as the environment says."""

    seconds: float
    rates: tuple[float, ...]
    beside_rates: tuple[float, ...]
    rows: int
    members: int

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Plan":
        rates = env.get("RATES", RATES)
        return cls(
            float(env.get("SECONDS", SECONDS)),
            _rates(rates),
            _rates(env.get("BESIDE_RATES", rates)),
            int(env.get("ROWS", ROWS)),
            int(env.get("MEMBERS", MEMBERS)),
        )


def _rates(text: str) -> tuple[float, ...]:
    return tuple(float(rate) for rate in text.split(",") if rate)


@dataclass
class Crowd:
    """Members of whom half appear in the feed as well; new settlements of them at every asking."""

    members: int
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - made-up people need no secrets

    def __post_init__(self) -> None:
        apart = self.members // 2
        self.population = Population(apart, (self.members - apart) * ROWS_PER_MEMBER)
        people = self.population.people
        self._apart, self._in_feed = people[:apart], people[apart:]
        self._turns = zip(*(itertools.cycle(some) for some in (self._apart, self._in_feed)))  # noqa: B905 - neither ends
        self._post_numbers = itertools.count(POSTS_FROM)
        self._feed_numbers = itertools.count(0)

    def bodies(self, count: int) -> Iterator[Json]:
        """Give posts of one stay in hospital each, every second one of a member in the feed."""
        people = itertools.chain.from_iterable(self._turns)
        for patient in itertools.islice(people, count):
            row = visit(
                self.rng,
                next(self._post_numbers),
                patient,
                HOSPITALS[0],
                kind=INPATIENT,
                ended=ENDED,
            )
            yield {"settlements": [row]}

    def write_feed(self, path: Path, rows: int) -> None:
        """Write a feed of settlements that no feed before has had."""
        letter = f"F{next(self._feed_numbers)}"
        days = {"first_day": FIRST_DAY, "last_day": LAST_DAY}
        told = visits(self.rng, self._in_feed, HOSPITALS, count=rows, **days)
        with gzip.open(path, "wt", encoding="utf-8", newline="", compresslevel=1) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for row in told:
                writer.writerow({**row, "setl_id": letter + row["setl_id"]}.values())


@dataclass
class Bench:
    platform: Platform
    cast: Cast
    crowd: Crowd
    plan: Plan
    feed_path: Path

    def __post_init__(self) -> None:
        self.admin: Staff = self.cast.staff("admin")
        self.other_side = self.cast.other_side()
        hospital = self.cast.hospital(HOSPITALS[0].code)
        auth = hospital.client.auth
        assert isinstance(auth, HospitalAuth), "hospitals sign"
        self._auth = auth
        self._address = hospital.client.base_url

    async def measure(self, per_s: float, *, beside: bool) -> Json:
        """Post for a while; beside a feed, only what was planned before its last text counts."""
        requests, since = self._requests(per_s), time.time()
        # Memory is not looked at meanwhile: adding it up holds up whoever sends posts.
        before = cpu_seconds(self.platform.settings.run_dir)
        firing = asyncio.create_task(self._fire(requests, per_s))
        feed = await self._feed() if beside else None
        settled = time.time()
        shots = await firing
        await self._quiet()
        costs = _spent(before, cpu_seconds(self.platform.settings.run_dir))
        answers = _answers(shots)
        told = {"per_s": per_s, "not_settled": len(shots) - answers["settled"]}
        texts = [text for text in await self.other_side.texts() if _moment(text) >= since]
        claims = {UUID(str(found["claim_id"])) for shot in shots for found in _results(shot)}
        trails = await follow(self.platform, claims, texts, datetime.fromtimestamp(since, UTC))
        if feed is None:
            spent = _each(costs, len(shots))
            return {**told, **_summary(shots, trails), "cpu_us_per_post": spent}
        online = {moments.get("text accepted") for moments in trails.values()}
        last = max(at for text in texts if (at := _moment(text)) not in online)
        return {
            **told,
            "feed_rows": feed["lines"],
            "feed_settled_per_s": round(feed["lines"] / (settled - since), 1),
            "feed_told_per_s": round(feed["lines"] / (last - since), 1),
            "cpu_us_per_feed_row": _each(costs, feed["lines"]),
            **_summary([shot for shot in shots if shot.planned < last], trails),
        }

    async def _feed(self) -> Json:
        """Send a feed in, and wait until its last row is settled."""
        with self.feed_path.open("rb") as file:
            feed_id = await self.admin.upload_feed(self.feed_path.name, file)

        async def done() -> Json | None:
            with contextlib.suppress(Refused):  # who is overrun by posts may have no answer
                feed = await self.admin.feed(feed_id)
                return feed if feed["status"] in ("done", "refused") else None
            return None

        return await until("the feed", done, poll_s=POLL_S, limit_s=LIMIT_S)

    def _requests(self, per_s: float) -> list[bytes]:
        url = str(self._address.join(f"{API}/hospital/settlements"))
        bodies = self.crowd.bodies(int(per_s * self.plan.seconds))
        return [signed(self._auth, url, body) for body in bodies]

    async def _fire(self, requests: Sequence[bytes], per_s: float) -> list[Shot]:
        port = self._address.port
        assert port is not None, "a local address has one"
        return await fire(self._address.host, port, requests, per_s) if requests else []

    async def _quiet(self) -> None:
        async def quiet() -> Json | None:
            with contextlib.suppress(Refused):
                here = await self.admin.books()
                return here if books.is_quiet(here, refused_attempts=0) else None
            return None

        await until("the last text", quiet, poll_s=POLL_S, limit_s=LIMIT_S)


def _moment(text: Json) -> float:
    return datetime.fromisoformat(text["at"]).timestamp()


def _spent(
    before: Mapping[tuple[str, int], float], after: Mapping[tuple[str, int], float]
) -> dict[str, float]:
    """Give the processor seconds by program."""
    return {name: cpu_s - before.get((name, pid), 0.0) for (name, pid), cpu_s in after.items()}


def _each(spent: Mapping[str, float], count: int) -> dict[str, int]:
    together = {**spent, "together": sum(spent.values())}
    return {name: round(1e6 * cpu_s / count) for name, cpu_s in together.items()}


def _results(shot: Shot) -> list[Json]:
    """Give what a post was answered per settlement, where a claim was made of it."""
    results: list[Json] = json.loads(shot.body)["results"] if shot.status == OK else []
    return [result for result in results if result.get("claim_id")]


def _answers(shots: Sequence[Shot]) -> Counter[str]:
    """Count the posts by what was settled, or by the status where no claim was made."""
    found = ((_results(shot), shot.status) for shot in shots)
    return Counter(results[0]["status"] if results else str(status) for results, status in found)


def _summary(shots: Sequence[Shot], trails: Mapping[UUID, Moments]) -> Json:
    """Count the answers, and say per stage how long after the planned moment it was passed."""
    waits: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for shot in shots:
        moments = {"sent": shot.sent, "answered": shot.answered}
        for result in _results(shot):
            moments |= trails[UUID(result["claim_id"])]
        for stage, moment in moments.items():
            waits[stage].append(moment - shot.planned)
    stages = {stage: _spread(found) for stage, found in waits.items() if found}
    return {"posts": len(shots), "answers": dict(_answers(shots)), "stages": stages}


def _spread(waits: Sequence[float]) -> dict[str, int]:
    parts = quantiles(waits, n=1000, method="inclusive") if len(waits) > 1 else [waits[0]] * 999
    found = {"p50": median(waits), "p99": parts[989], "p99.9": parts[998], "longest": max(waits)}
    return {name: round(1000 * seconds) for name, seconds in found.items()}


def _rows(found: Sequence[Json], *, beside: bool) -> list[tuple[object, ...]]:
    names = ("p50", "p99", "p99.9", "longest")
    rows: list[tuple[object, ...]] = []
    for one in found:
        text = one["stages"].get("text accepted", {})
        feed = (one["feed_settled_per_s"], one["feed_told_per_s"]) if beside else ()
        odd = one["not_settled"]
        rows.append((one["per_s"], one["posts"], odd, *(text.get(n, "-") for n in names), *feed))
    heads = ("posts/s", "posts", "not settled", *(f"{name} ms" for name in names))
    return [(*heads, *(("rows/s settled", "rows/s told") if beside else ())), *rows]


async def bench() -> int:
    env = dict(os.environ)
    settings, plan = read_settings(env), Plan.read(env)
    folder = settings.var_dir / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    own = {
        "KAFKA_LIBS_DIR": str(settings.kafka_libs_dir),
        BATCH_WAIT: str(BATCH_WAIT_MS),
        **free_port_env(),
    }
    async with fresh_platform(folder / "online", {**env, **own}) as platform:
        status = await _measured(platform, plan, folder)
    shutil.rmtree(platform.settings.data_dir)
    return status


async def _measured(platform: Platform, plan: Plan, folder: Path) -> int:
    report: Json = {"batch_wait_ms": BATCH_WAIT_MS, "seconds": plan.seconds}
    async with Cast(platform.settings.var_dir) as cast:
        crowd = Crowd(plan.members)
        one = Bench(platform, cast, crowd, plan, folder / "online.csv.gz")
        await crowd.population.enroll(cast.staff("admin"))
        for name, rates, beside in (
            ("alone", plan.rates, False),
            ("beside", plan.beside_rates, True),
        ):
            show.heading(f"Posts {name} a feed" if beside else "Posts alone", "在线")
            found: list[Json] = []
            for per_s in rates:
                if beside:
                    await asyncio.to_thread(crowd.write_feed, one.feed_path, plan.rows)
                await asyncio.sleep(REST_S)
                found.append(await one.measure(per_s, beside=beside))
            report[name] = found
            if found:
                show.table(_rows(found, beside=beside))
        here, bank = await one.admin.books(), await one.other_side.bank_book()
        odd = sum(run["not_settled"] for run in (*report["alone"], *report["beside"]))
        checks = [
            books.Check("每次提交都已结算 · every post was answered: settled", 0, odd),
            *books.check_money(here, bank, here["claims"]["granted_fen"]),
            *books.check_quiet(here),
            check_restarts(platform),
        ]
    for check in checks:
        show.check(check.name, ok=check.ok)
    (folder / "online.json").write_text(json.dumps(report, indent=1) + "\n")
    return 0 if all(check.ok for check in checks) else 1


if __name__ == "__main__":
    sys.exit(run(bench))
