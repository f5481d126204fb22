"""make bench-growth: what a settlement costs as the year grows, on one roster.

SHARES says how many years there are to run (0.04,0.2,1,2), ROSTER how many members are enrolled,
once. The figures lie in var/bench/growth.json, their picture in docs/pictures/growth.svg.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from deploy.bench.year import picture
from deploy.bench.year.measure import Options, measure, own_env, year_on
from deploy.demo import show
from deploy.demo.stage import fresh_platform, run
from deploy.local.settings import ROOT, read_settings

SHARES: Final = "0.04,0.2,1,2"
PICTURE: Final = ROOT / "docs" / "pictures" / "growth.svg"
# The dearest year's cost a settlement may exceed the cheapest one's by so much.
GROWTH_MAX: Final = 0.25


async def bench() -> int:
    env = dict(os.environ)
    settings = read_settings(env)
    shares = [float(share) for share in env.get("SHARES", SHARES).split(",")]
    options = Options.of({**env, "YEAR": str(max(shares))})
    folder = settings.var_dir / "bench"
    enrolled, stage = folder / "growth-enrolled", folder / "growth"
    shutil.rmtree(enrolled, ignore_errors=True)
    env |= own_env(settings, options)
    async with fresh_platform(stage, env) as platform, year_on(platform, options) as year:
        enrol_s = await year.enroll()
        await year.spoil_cards()
    platform.settings.data_dir.rename(enrolled)
    runs: list[dict[str, Any]] = []
    ok = True
    for share in shares:
        # The last year, the largest, needs the disk to itself.
        stay = share != shares[-1]
        async with (
            fresh_platform(stage, env, stores=enrolled, stores_stay=stay) as platform,
            year_on(platform, options) as year,
        ):
            written, right = await measure(year, replace(options, share=share, floor=False), folder)
        ok = ok and right
        runs.append(written)
        _write(folder / "growth.json", {"enrol_seconds": round(enrol_s, 1), "runs": runs})
    await asyncio.to_thread(shutil.rmtree, platform.settings.data_dir)
    return 0 if _shown(runs) and ok else 1


def _shown(runs: list[dict[str, Any]]) -> bool:
    """Show and draw the runs; tell whether the cost of a settlement stays as it is."""
    show.heading("Growth", "增长")
    costs = [run["cpu_us_per_settlement"]["together"] for run in runs]
    rows = [
        (run["years"], run["settlements"], run["seconds"], cost, picture.largest_service_mb(run))
        for run, cost in zip(runs, costs, strict=True)
    ]
    show.table([("years", "settlements", "s", "µs CPU each", "largest service MB"), *rows])
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture.svg(runs), encoding="utf-8")
    within = max(costs) <= (1 + GROWTH_MAX) * min(costs)
    show.check(f"no year costs {GROWTH_MAX:.0%} more a settlement than another", ok=within)
    return within


def _write(path: Path, report: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(bench))
