"""A run of the year on a platform: its knobs, what is measured, and the floor after it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psutil

from deploy.bench.processes import backends, cpu_seconds, measured, peaks_mb
from deploy.bench.year import report, servers
from deploy.bench.year.floor import Floor, run_floor
from deploy.bench.year.kills import PATIENCE, kills
from deploy.bench.year.people import wrong_cards
from deploy.bench.year.run import Run, write_feeds
from deploy.bench.year.settlements import PAID_PEOPLE, ROSTER_PER_PAID, Year
from deploy.demo import show
from deploy.demo.actors import Cast
from deploy.demo.books import Check
from deploy.demo.stage import check_restarts
from deploy.local.platform import Platform
from deploy.local.settings import LocalSettings, free_port_env

SEED: Final = 20_171_231
LAST_CALENDAR: Final = 2025
# Of the machine's memory, as PostgreSQL advises; see docs/decisions/0026 for what less of it costs.
POSTGRES_SHARE: Final = 0.25
FLOOR_ROWS_MIN: Final = 50_000
_SERVERS: Final = ("postgres", "kafka")


@dataclass(frozen=True)
class Options:
    share: float
    roster: int
    kill_every_s: float
    ratio_max: float
    floor: bool = True

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Self:
        share = float(env.get("YEAR") or 0.04)
        roster = round(PAID_PEOPLE * min(share, 1.0) * ROSTER_PER_PAID) + 1
        return cls(
            share,
            int(env.get("ROSTER") or roster),
            float(env.get("KILL_EVERY") or 0),
            float(env.get("RATIO_MAX") or "inf"),
        )

    def years(self) -> list[Year]:
        """Give the calendar years, the last one alone where it is not more than one."""
        count = max(1, round(self.share))
        first = LAST_CALENDAR - count + 1
        share = self.share / count
        return [Year(share, self.roster, first + place, SEED) for place in range(count)]


@contextlib.asynccontextmanager
async def year_on(platform: Platform, options: Options) -> AsyncGenerator[Run]:
    wrong = wrong_cards(options.roster, SEED)
    async with Cast(platform.settings.var_dir) as cast, servers.lags(platform) as lags:
        yield Run(platform, cast, lags, options.roster, wrong)


def own_env(settings: LocalSettings, options: Options) -> dict[str, str]:
    """Give the knobs of a platform for a year: ports of its own, and room for the indexes."""
    memory_mb = psutil.virtual_memory().total / 2**20
    return {
        "KAFKA_LIBS_DIR": str(settings.kafka_libs_dir),
        # A year writes some 20 GB of log: checkpoints by the clock, not by that.
        "POSTGRES_MAX_WAL_MB": "16384",
        "POSTGRES_SHARED_BUFFERS_MB": str(int(memory_mb * POSTGRES_SHARE)),
        "POSTGRES_HUGE_PAGES": "1",
        **(PATIENCE if options.kill_every_s else {}),
        **free_port_env(),
    }


async def measure(year: Run, options: Options, folder: Path) -> tuple[dict[str, Any], bool]:
    """Run the years and the floor; give what year.json holds, and whether all of it is right."""
    show.heading("The year's feed", "全年结算明细")
    platform, years = year.platform, options.years()
    run_dir = platform.settings.run_dir
    feeds = await asyncio.to_thread(write_feeds, years, folder)
    before = backends(run_dir)
    killing = kills(platform, options.kill_every_s)
    async with measured(run_dir) as costs, killing as killed:
        told = await year.settle(feeds, max(one.paid_people for one in years))
    spent = backends(run_dir)
    for path in feeds:
        path.unlink()
    found = await report.found(year)
    checks = report.checks(found, years, told)
    count = report.settled(told)
    written: dict[str, Any] = {
        "years": options.share,
        "roster": options.roster,
        **report.written(found, told),
        "rss_mb": peaks_mb(run_dir, costs),
        "huge_pages_mb": await servers.huge_pages_mb(platform),
        "disk_gb": servers.disk_gb(platform.settings.data_dir),
        "hot_update_share": await servers.hot_update_share(platform),
    }
    # What was killed took its processor time along.
    if options.kill_every_s:
        written["kills"] = killed.total()
        checks.append(Check("programs were killed", True, killed.total() > 0))
    else:
        checks.append(check_restarts(platform))
        postgres = {who: round(s - before.get(who, 0.0), 2) for who, s in spent.items()}
        written |= {**report.spent(count, costs), "postgres_cpu_s": postgres}
        if options.floor:
            show.heading("The floor", "底线")
            floor = await _floor(platform, count, found.other_side.bookings)
            written |= report.beside(floor, written["cpu_us_per_settlement"])
            within = written["ratio"] <= options.ratio_max
            checks.append(Check("the ratio to the floor", True, within))
    report.shown(written, checks)
    written["checks"] = [{**check._asdict(), "ok": check.ok} for check in checks]
    return written, all(check.ok for check in checks)


async def _floor(platform: Platform, settlements: int, paid: int) -> Floor:
    """Run the floor on the same servers, the services and the sandbox stopped."""
    run_dir = platform.settings.run_dir
    for name in {one for one, _ in cpu_seconds(run_dir)} - {*_SERVERS}:
        await platform.stop_one(name)
    scale = max(1.0, FLOOR_ROWS_MIN / settlements)

    def servers_cpu_s() -> float:
        return sum(spent for (name, _), spent in cpu_seconds(run_dir).items() if name in _SERVERS)

    dsn = await servers.empty_database(platform, "floor")
    floor = await run_floor(
        dsn,
        platform.kafka_bootstrap,
        servers_cpu_s,
        settlements=round(settlements * scale),
        paid=round(paid * scale),
    )
    show.table([("part", "µs CPU a settlement"), *floor.parts_us.items()])
    return floor
