"""make bench, the rules: assessments a second on one core, and a backtest of a million claims.

BENCH_CLAIMS says how many claims the backtest reads. Its database is a server of its own under
var/bench/rules, gone afterwards; figures stay in var/bench/rules.json.
"""

import gc
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import psutil

from deploy.bench import settled
from deploy.bench.settled import SCHEME, YEAR
from deploy.demo import show
from deploy.demo.patience import until
from deploy.demo.stage import run
from deploy.local import postgres
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.process import spawn
from deploy.local.settings import read_settings
from services.claims.backtest import table
from services.claims.backtest.report import Asked, Report
from services.claims.model import Brought, Coverage, PeriodKey, Totals
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.claims.settings import Settings
from services.claims.usecases import backtest
from services.claims.usecases.editions import read_draft
from services.common.kit import migrate
from services.common.kit.db import Database, driver_dsn
from services.common.period import Days
from services.common.schemes.load import DATA, load_rulebook
from services.common.schemes.rulebook import Rulebook

CLAIMS: Final = 1_000_000
RUNS, RUN_CLAIMS = 5, 100_000
ASSESSMENTS_PER_S: Final = 50_000
BACKTEST_S: Final = 30.0
_FLOOR: Final = 'value: "1300.00"'
_LOWER: Final = 'value: "1000.00"'
_START_S: Final = 60.0


async def bench() -> int:
    settings = read_settings(dict(os.environ))
    folder = settings.var_dir / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    rulebook = load_rulebook()
    show.heading("Assessments on one core, the working kept", "单核核定速度")
    speeds = [_assessments_per_s(rulebook) for _ in range(RUNS)]
    per_s = round(median(speeds))
    show.table([("claims/CPU s", *range(1, RUNS + 1), "median"), ("", *map(round, speeds), per_s)])
    show.heading("A backtest", "回测")
    measured = await _backtest(
        folder / "rules", rulebook, int(os.environ.get("BENCH_CLAIMS", CLAIMS))
    )
    report = {"assessments_per_cpu_s": per_s, "runs": [*map(round, speeds)], "backtest": measured}
    (folder / "rules.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    fast = per_s >= ASSESSMENTS_PER_S
    show.check(f"{per_s} assessments a second, wanted {ASSESSMENTS_PER_S}", ok=fast)
    show.check("the figures in force change nothing", ok=measured["check_differing"] == 0)
    return 0 if fast and measured["check_differing"] == 0 else 1


def _assessments_per_s(rulebook: Rulebook) -> float:
    """Judge claims of many members as the feed does, and throw the workings away."""
    covers = (Coverage(SCHEME, Days(YEAR.starts)),)
    people = settled.somebodies(RUN_CLAIMS // settled.CLAIMS_PER_MEMBER)
    told = list(settled.bills(RUN_CLAIMS))
    totals: dict[PeriodKey, Totals] = {}
    steps = 0
    # As every process of ours does before it serves.
    gc.collect()
    gc.freeze()
    began = time.process_time()
    for number, facts in enumerate(told):
        somebody = people[number % len(people)]
        found = cases(somebody.member_id, facts, somebody.person, covers, rulebook)
        assert isinstance(found, Brought), found
        (assessed,) = assess((found,), totals)
        steps += len(assessed[0].working)
    assert steps >= len(told), "every claim has its working"
    return len(told) / (time.process_time() - began)


async def _backtest(folder: Path, rulebook: Rulebook, claims: int) -> dict[str, Any]:
    async with _throw_away(folder) as database_url:
        settings = Settings(database_url=database_url, var_dir=folder)
        await migrate.upgrade("services.claims", database_url)
        database = Database(settings, application="bench")
        try:
            began = time.monotonic()
            written = await settled.fill(database, rulebook, claims)
            await _vacuum(database_url)
            show.line(f"{written} claims settled and written in {time.monotonic() - began:.1f} s")
            return await _measured(settings, database, rulebook)
        finally:
            await database.close()


async def _vacuum(database_url: str) -> None:
    """Do at once what the server does by itself some time after so many rows."""
    connection = await asyncpg.connect(driver_dsn(database_url))
    await connection.execute("vacuum analyze")
    await connection.close()


async def _measured(settings: Settings, database: Database, rulebook: Rulebook) -> dict[str, Any]:
    file = f"{SCHEME}.yaml"
    text = (DATA / file).read_text(encoding="utf-8")
    assert text.count(_FLOOR) == 1, "the floor of stays in hospital is one line"
    draft = read_draft(text.replace(_FLOOR, _LOWER).encode(), SCHEME, rulebook)
    progress, peak_mb = show.Progress(), 0.0

    async def shown(done: int, parts: int) -> None:
        nonlocal peak_mb
        peak_mb = max(peak_mb, *(_rss_mb(child) for child in psutil.Process().children()), 0.0)
        progress.show(f"{done}/{parts} parts")

    wall, cpu = time.monotonic(), _cpu_s()
    servers = _servers_cpu_s()
    found = await backtest.run(
        settings, database, rulebook, draft, asked=Asked(SCHEME, YEAR), progress=shown
    )
    seconds, own = time.monotonic() - wall, _cpu_s() - cpu
    progress.done(f"{found.tally.whole.claims} claims in {seconds:.1f} s")
    return _told(found, seconds, own, _servers_cpu_s() - servers, peak_mb)


def _told(
    found: Report, seconds: float, own_s: float, servers_s: float, peak_mb: float
) -> dict[str, Any]:
    whole, check = found.tally.whole, found.tally.check
    told = {
        "claims": whole.claims,
        "seconds": round(seconds, 1),
        "cpu_s": round(own_s, 1),
        "postgres_cpu_s": round(servers_s, 1),
        "peak_mb_per_process": round(peak_mb),
        "booked_fen": whole.booked,
        "drafted_fen": whole.drafted,
        "check_claims": check.claims,
        "check_differing": check.differing,
    }
    show.lines(table.text(found).splitlines()[:12])
    show.line()
    show.table([("claims", "s", "CPU s", "PostgreSQL CPU s", "MB a process"), [*told.values()][:5]])
    show.check(f"within {BACKTEST_S:.0f} s on two idle cores", ok=seconds <= BACKTEST_S)
    return told


@asynccontextmanager
async def _throw_away(folder: Path) -> AsyncGenerator[str]:
    """Run a PostgreSQL server of its own on empty data."""
    _lay_anew(folder)
    server = EmbeddedPostgres(
        data_dir=folder / "postgres",
        run_dir=folder,
        log=folder / "postgres.log",
        settings={
            "fsync": "off",
            "max_wal_size": "4GB",
            "shared_buffers": "256MB",
            "idle_in_transaction_session_timeout": "0",
        },
        sync=False,
    )

    async def ready() -> bool | None:
        return await server.ready() or None

    identity = await server.prepare()
    process = await spawn(server.command, log=server.log, env=os.environ, identity=identity)
    try:
        await until("PostgreSQL", ready, limit_s=_START_S)
        await server.make_databases(["claims"])
        yield server.url("claims", postgres.owner_of("claims"))
    finally:
        process.send_signal(postgres.END_SIGNAL)
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _lay_anew(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _cpu_s() -> float:
    """Add up this process and its children that have ended: those of the backtest among them."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _servers_cpu_s() -> float:
    """Add up PostgreSQL's processes, those that have ended included."""
    total = 0.0
    for child in psutil.Process().children():
        if "postgres" in child.name():
            for one in (child, *child.children(recursive=True)):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def _rss_mb(process: psutil.Process) -> float:
    return process.memory_info().rss / 1024**2 if "python" in process.name() else 0.0


if __name__ == "__main__":
    sys.exit(run(bench))
