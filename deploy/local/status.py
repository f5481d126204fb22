"""What runs, as a table, read from the process files of a var folder."""

import contextlib
from pathlib import Path

import psutil

from deploy.local.process import RunFile, read_run_file
from deploy.local.supervisor import SELF


def running(run_dir: Path) -> dict[str, RunFile]:
    """Give the programs that live; a file whose program has ended tells nothing."""
    files = {path.stem: read_run_file(path) for path in sorted(run_dir.glob("*.json"))}
    return {name: found for name, found in files.items() if found is not None and found.alive()}


def supervisor_state(run_dir: Path) -> str | None:
    found = running(run_dir).get(SELF)
    return found.state if found else None


def table(run_dir: Path) -> str:
    rows = [("program", "pid", "state", "restarts", "MB", "where")]
    total = 0.0
    for name, found in running(run_dir).items():
        # The supervisor's children have rows of their own; PostgreSQL's have not.
        memory = memory_mb(found.pid, children=name != SELF)
        total += memory
        restarts = "" if name == SELF else str(found.restarts)
        rows.append((name, str(found.pid), found.state, restarts, f"{memory:.0f}", found.where))
    rows.append(("together", "", "", "", f"{total:.0f}", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def memory_mb(pid: int, *, children: bool) -> float:
    """Give the memory that is a process's own share (PSS), with that of all that it started."""
    pids = [pid]
    if children:
        with contextlib.suppress(psutil.NoSuchProcess):
            pids += [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return sum(map(_share_kb, pids)) / 1024


def _share_kb(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
