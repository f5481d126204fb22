"""What the programs of a platform cost: processor seconds and memory, with all their children.

Memory is a program's own share (PSS), so that what PostgreSQL's processes have in common is counted
once; `make status` shows the same.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from deploy.local.status import memory_mb, running
from deploy.local.supervisor import SELF

SAMPLE_S = 10.0  # summing up PostgreSQL's shares walks a gigabyte of pages for each process


class Cost(NamedTuple):
    cpu_s: float
    memory_mb: float
    peak_mb: float


def memory(run_dir: Path) -> dict[str, float]:
    """Give every program's memory now; the supervisor is the measuring process itself."""
    found = running(run_dir)
    return {
        name: round(memory_mb(one.pid, children=True), 1)
        for name, one in found.items()
        if name != SELF
    }


def peaks_mb(run_dir: Path, costs: Mapping[str, Cost]) -> dict[str, float]:
    """Give the most resident memory that every program ever had, as the kernel kept it.

    PostgreSQL's processes share most of theirs: of it the largest sample of `costs` is told.
    """
    found = running(run_dir)
    return {
        name: cost.peak_mb if name == "postgres" else max(cost.peak_mb, _peak_mb(found[name].pid))
        for name, cost in costs.items()
        if name in found
    }


def _peak_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    return 0.0


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
            costs[name] = Cost(spent_s, now[name], max(peaks.get(name, 0.0), now[name]))


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
