"""make bench: from a post to its text on an idle platform, then a large feed.

BENCH_ROWS and BENCH_POSTS say how many of each. The platform runs on stores and ports of its own
under var/bench, so that what `make up` keeps in var/data is left alone.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.bench.bulk import Bulk
from deploy.bench.latency import latency
from deploy.bench.population import Population
from deploy.bench.processes import memory
from deploy.demo import show
from deploy.demo.actors import Cast
from deploy.demo.books import Check
from deploy.demo.stage import check_restarts, fresh_platform, run
from deploy.local.platform import Platform
from deploy.local.settings import free_port_env, read_settings

FEED = "settlements.csv.gz"
ROWS, POSTS = 100_000, 200
BATCH_WAIT = "PAYMENTS_BATCH_WAIT_MS"
LATENCY_WAIT_MS, BULK_WAIT_MS = 100, 1_000  # a hurried batch is a small one, which bulk pays for
SETTLING_S = 3.0  # after the start, before anything is called idle


async def bench() -> int:
    env = dict(os.environ)
    settings = read_settings(env)
    folder = settings.var_dir / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    own = {
        "KAFKA_LIBS_DIR": str(settings.kafka_libs_dir),
        BATCH_WAIT: str(LATENCY_WAIT_MS),
        **free_port_env(),
    }
    population = Population(int(env.get("BENCH_POSTS", POSTS)), int(env.get("BENCH_ROWS", ROWS)))
    async with fresh_platform(folder / "platform", {**env, **own}) as platform:
        status = await _measure(platform, population, folder)
    # A large feed leaves gigabytes that nobody asks for again; logs and figures stay.
    shutil.rmtree(platform.settings.data_dir)
    (folder / FEED).unlink()
    return status


async def _measure(platform: Platform, population: Population, folder: Path) -> int:
    run_dir = platform.settings.run_dir
    await asyncio.sleep(SETTLING_S)
    at_rest = memory(run_dir)
    show.heading("Memory at rest", "静态内存")
    show.table([("program", "MB"), *at_rest.items(), ("together", round(sum(at_rest.values()), 1))])
    async with Cast(platform.settings.var_dir) as cast:
        bulk = Bulk(cast, population, run_dir)
        show.heading("Rosters", "会员花名册")
        rosters_s = await bulk.enroll()
        show.heading("From a hospital's post to the text, idle, one after another", "单笔时延")
        found = await latency(cast, population.posts())
        _write(folder / "latency.json", {"batch_wait_ms": LATENCY_WAIT_MS, **found})
        show.table(_latency_rows(found["stages"]))
        show.heading("A large feed", "批量")
        await _restart_payments(platform, BULK_WAIT_MS)
        feed_path = folder / FEED
        await asyncio.to_thread(population.write_feed, feed_path)
        measured = await bulk.settle(feed_path)
        checks = [*await bulk.checks(), check_restarts(platform)]
    seconds = {"rosters": round(rosters_s, 2), **measured.pop("seconds")}
    report = {
        "batch_wait_ms": BULK_WAIT_MS,
        **measured,
        "seconds": seconds,
        "memory_at_rest_mb": at_rest,
    }
    checked = [{**check._asdict(), "ok": check.ok} for check in checks]
    _write(folder / "bulk.json", {**report, "checks": checked})
    _show_bulk(report, checks)
    return 0 if all(check.ok for check in checks) else 1


async def _restart_payments(platform: Platform, batch_wait_ms: int) -> None:
    platform.extra_env["payments"] = {BATCH_WAIT: str(batch_wait_ms)}
    await platform.stop_one("payments")
    await platform.start_one("payments")


def _show_bulk(report: Mapping[str, Any], checks: list[Check]) -> None:
    show.table([("stage, since the feed's 202", "s"), *report["seconds"].items()])
    show.line()
    costs = [(name, *cost.values()) for name, cost in report["processes"].items()]
    show.table([("program", "CPU s", "MB", "peak MB"), *costs])
    show.line()
    show.table([("PostgreSQL for", "CPU s"), *report["postgres_cpu_s"].items()])
    show.line()
    show.line(
        f"{report['rows']} settlements of {report['members']} members, {report['texts']} texts:"
        f" {report['claims_per_s']} claims/s, {report['cpu_us_per_claim']} µs CPU each"
    )
    for check in checks:
        show.check(check.name, ok=check.ok)


def _latency_rows(stages: Mapping[str, Mapping[str, int]]) -> list[tuple[object, ...]]:
    rows = [(stage, *figures.values()) for stage, figures in stages.items()]
    return [("since the post began", "median ms", "p99 ms", "longest ms"), *rows]


def _write(path: Path, report: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1, default=str) + "\n")


if __name__ == "__main__":
    sys.exit(run(bench))
