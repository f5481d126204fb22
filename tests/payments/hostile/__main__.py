"""Run seeds: `--seed 17 -v` replays one, `--seeds 0:1000 --jobs 2` runs many and reports."""

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from deploy.local.settings import ROOT
from tests import servers
from tests.payments.hostile.many import run_all, run_chunk
from tests.payments.hostile.run import Ran, quiet
from tests.payments.hostile.tools import in_memory

REPORT: Final = ROOT / "var" / "faults" / "hostile.json"
CHUNK: Final = 20


def main() -> int:
    arguments = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="hostile-servers-", dir=in_memory()))
    folder.chmod(0o755)
    servers.open_folder(folder)
    try:
        if arguments.seed is not None:
            return _one(arguments.seed, verbose=arguments.verbose)
        return _many(range(*map(int, arguments.seeds.split(":"))), arguments.jobs)
    finally:
        servers.close_folder(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.payments.hostile")
    parser.add_argument("--seed", type=int)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--seeds", default="0:1000", help="first:behind the last")
    parser.add_argument("--jobs", type=int, default=1)
    return parser.parse_args()


def _one(seed: int, *, verbose: bool) -> int:
    [ran] = asyncio.run(run_all([seed], _say if verbose else quiet))
    _say(f"seed {ran.seed} {ran.channels}: {ran.wrong or 'all holds'}")
    return 1 if ran.wrong else 0


def _many(seeds: range, jobs: int) -> int:
    began = time.monotonic()
    chunks = [list(seeds[at : at + CHUNK]) for at in range(0, len(seeds), CHUNK)]
    done: list[Ran] = []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(run_chunk, chunk) for chunk in chunks]
        for chunk in as_completed(running):
            done += chunk.result()
            failed = [ran for ran in done if ran.wrong]
            _say(f"{len(done)} of {len(seeds)}, {len(failed)} failed")
            for ran in chunk.result():
                if ran.wrong:
                    _say(f"  seed {ran.seed} {ran.channels}: {ran.wrong}")
    return _report(done, time.monotonic() - began)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _report(done: Sequence[Ran], seconds: float) -> int:
    struck: Counter[str] = Counter()
    for ran in done:
        struck += ran.struck
    failed = [
        {"seed": ran.seed, "channels": ran.channels, "wrong": ran.wrong}
        for ran in sorted(done)
        if ran.wrong
    ]
    report = {
        "runs": len(done),
        "steps": sum(ran.steps for ran in done),
        "kills": sum(ran.kills for ran in done),
        "faults": dict(sorted(struck.items())),
        "channels": dict(sorted(Counter(ran.channels for ran in done).items())),
        "seconds": round(seconds, 1),
        "failed": failed,
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    _say(f"{len(done)} runs in {seconds:.0f} s, {len(failed)} failed: {REPORT.relative_to(ROOT)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
