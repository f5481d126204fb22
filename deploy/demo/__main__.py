"""make demo: plays the story from nothing to texts sent, compares the books, stops everything."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from deploy.demo import large, show
from deploy.demo.actors import Cast, Refused
from deploy.demo.dataset import Dataset
from deploy.demo.patience import DidNotHappen
from deploy.demo.stage import check_restarts, fresh_platform, run
from deploy.demo.story import Story
from deploy.local.settings import read_settings

DATA = Path(__file__).with_name("data")


async def demo() -> int:
    var_dir = read_settings(os.environ).var_dir
    path = var_dir / "demo" / "report.json"
    path.unlink(missing_ok=True)
    began = time.monotonic()
    two_people = large.tiers(large.FROM_YUAN)
    async with fresh_platform(var_dir, os.environ, two_people) as platform:
        started_s = time.monotonic() - began
        async with Cast(var_dir) as cast:
            story = Story(cast, Dataset(DATA), var_dir)
            trouble = await _play(story)
            story.checks.append(check_restarts(platform))
    seconds = {"start": round(started_s, 2), **story.seconds}
    seconds["whole"] = round(time.monotonic() - began, 2)
    ok = trouble is None and all(check.ok for check in story.checks)
    report: dict[str, Any] = {
        "ok": ok,
        "trouble": trouble,
        "seconds": seconds,
        "figures": story.figures,
        "checks": [{**check._asdict(), "ok": check.ok} for check in story.checks],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1, default=str) + "\n")
    show.heading("Result", "结果")
    failed = [check.name for check in story.checks if not check.ok]
    show.lines(f"不符 failed: {name}" for name in failed)
    if trouble:
        show.paragraph(f"中断 broke off: {trouble}", "  ")
    show.paragraph(" · ".join(f"{name} {taken:.1f}s" for name, taken in seconds.items()), "  ")
    held = f"{len(story.checks) - len(failed)}/{len(story.checks)}"
    show.line(f"{held} 项核对相符 · checks hold; {show.path(path)}")
    return 0 if ok else 1


async def _play(story: Story) -> str | None:
    """Play to the end, or say where it broke off."""
    try:
        await story.play()
    except (DidNotHappen, Refused, httpx.HTTPError, LookupError, ValueError) as trouble:
        return f"{type(trouble).__name__}: {trouble}"
    return None


if __name__ == "__main__":
    sys.exit(run(demo))
