"""What the programs of a platform cost: processor seconds and memory, with all their children.

Memory is what is resident by the kernel's own counters, which cost nothing to ask: of what a
program's processes share, as PostgreSQL's do, the largest part any of them holds is counted once.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from deploy.local.status import running
from deploy.local.supervisor import SELF

SAMPLE_S = 5.0


class Cost(NamedTuple):
    cpu_s: float
    peak_mb: float


def memory(run_dir: Path) -> dict[str, float]:
    """Give every program's memory now; the supervisor is the measuring process itself."""
    found = running(run_dir)
    return {name: round(_resident_mb(one.pid), 1) for name, one in found.items() if name != SELF}


def _resident_mb(pid: int) -> float:
    """Add up what a process and its children hold alone, and once what they share."""
    pids = [pid]
    with contextlib.suppress(psutil.NoSuchProcess):
        pids += [child.pid for child in psutil.Process(pid).children(recursive=True)]
    held = [_status_kb(one) for one in pids]
    shared = max(one.get("RssShmem", 0) for one in held) + max(
        one.get("RssFile", 0) for one in held
    )
    return (sum(one.get("RssAnon", 0) for one in held) + shared) / 1024


def _status_kb(pid: int) -> dict[str, int]:
    """Give the counters of a process that are told in kB."""
    with contextlib.suppress(OSError):
        lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return {words[0][:-1]: int(words[1]) for words in lines if words[-1:] == ["kB"]}
    return {}


def peaks_mb(run_dir: Path, costs: Mapping[str, Cost]) -> dict[str, float]:
    """Give the most resident memory that every program ever had, as the kernel kept it.

    PostgreSQL's processes share most of theirs: of it the largest sample of `costs` is told.
    """
    found = running(run_dir)
    return {
        name: cost.peak_mb
        if name == "postgres"
        else round(max(cost.peak_mb, _status_kb(found[name].pid).get("VmHWM", 0) / 1024), 1)
        for name, cost in costs.items()
        if name in found
    }


def cpu_seconds(run_dir: Path) -> dict[tuple[str, int], float]:
    """Give the processor seconds by name and process: who is started again begins at nothing."""
    found = running(run_dir)
    return {(name, one.pid): _cpu_s(one.pid) for name, one in found.items() if name != SELF}


@asynccontextmanager
async def measured(run_dir: Path) -> AsyncGenerator[dict[str, Cost]]:
    """Fill the dictionary with what the programs cost while the body ran."""
    costs: dict[str, Cost] = {}
    before, peaks = cpu_seconds(run_dir), memory(run_dir)
    watching = asyncio.create_task(_watch(run_dir, peaks))
    try:
        yield costs
    finally:
        watching.cancel()
        after, now = cpu_seconds(run_dir), memory(run_dir)
        for (name, pid), cpu_s in after.items():
            spent_s = round(cpu_s - before.get((name, pid), 0.0), 2)
            costs[name] = Cost(spent_s, max(peaks.get(name, 0.0), now[name]))


async def _watch(run_dir: Path, peaks: dict[str, float]) -> None:
    while True:
        await asyncio.sleep(SAMPLE_S)
        for name, now_mb in memory(run_dir).items():
            peaks[name] = max(peaks.get(name, 0.0), now_mb)


def _cpu_s(pid: int) -> float:
    """Add up a process and its children, those that have ended included."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for one in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system
                total += times.children_user + times.children_system
    return total


def backends(run_dir: Path) -> dict[str, float]:
    """Give the processor seconds of PostgreSQL's living processes, by database or by duty."""
    spent: dict[str, float] = {}
    server = running(run_dir).get("postgres")
    if server is None:
        return spent
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in psutil.Process(server.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                # The title of a backend names its database, that of another process its duty.
                words = " ".join(one.cmdline()).split()
                duty = "autovacuum" if "autovacuum" in words else " ".join(words[1:2])
                times = one.cpu_times()
                spent[duty] = spent.get(duty, 0.0) + times.user + times.system
    return spent
