"""make bench YEAR=1.0: a year of Beijing, or a share of it, and the floor in the same run.

YEAR says how much of a year, from 0.002 to 2; ROSTER how many members there are (the year's own
number unless told); KILL_EVERY after how many seconds the next program is killed; RATIO_MAX from
which ratio to the floor on the run fails. The figures lie in var/bench/year.json; those of a run
with killed programs in year-killed.json, with their number and without processor time and floor.
"""

import asyncio
import json
import os
import shutil
import sys

from deploy.bench.year.measure import Options, measure, own_env, year_on
from deploy.demo import show
from deploy.demo.stage import fresh_platform, run
from deploy.local.settings import read_settings


async def bench() -> int:
    env = dict(os.environ)
    options, settings = Options.of(env), read_settings(env)
    folder = settings.var_dir / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    async with (
        fresh_platform(folder / "year", {**env, **own_env(settings, options)}) as platform,
        year_on(platform, options) as year,
    ):
        show.heading("Rosters", "会员花名册")
        enrol_s = await year.enroll()
        await year.spoil_cards()
        written, ok = await measure(year, options, folder)
    written = {"enrol_seconds": round(enrol_s, 1), **written}
    # A year leaves gigabytes that nobody asks for again; logs and figures stay.
    await asyncio.to_thread(shutil.rmtree, platform.settings.data_dir)
    name = "year-killed.json" if options.kill_every_s else "year.json"
    text = json.dumps(written, ensure_ascii=False, indent=1, default=str)
    (folder / name).write_text(f"{text}\n")
    show.line(f"enrolled in {enrol_s:.1f} s; {show.path(folder / name)}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(run(bench))
