"""How a program is started, remembered and ended, so that nothing outlives its starter unseen."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.settings import ROOT

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_START_TIME_FIELD = 19  # of /proc/PID/stat, counted from behind the command's closing bracket


class SetupFailed(Exception):
    """Something that the person at the keyboard has to know; the message is one clear line."""


@dataclass(frozen=True)
class Identity:
    """Whom a program runs as when the starter is root and the program refuses root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class RunFile:
    """One running program on disk. The start time tells it from a later one with its number."""

    pid: int
    start_time: int
    end_signal: int
    restarts: int = 0
    state: str = "starting"
    where: str = ""

    def alive(self) -> bool:
        return start_time(self.pid) == self.start_time

    def write(self, path: Path) -> None:
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)


def read_run_file(path: Path) -> RunFile | None:
    try:
        return RunFile(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def start_time(pid: int) -> int | None:
    """Clock ticks between boot and the start of a live process; None for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[_START_TIME_FIELD])


def die_with_parent(signum: int) -> Callable[[], None]:
    """For a child between fork and exec: the kernel signals it when its parent has died."""
    parent = os.getpid()

    def arm() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:  # the parent died before the line above
            os.kill(os.getpid(), signum)

    return arm


async def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    identity: Identity | None = None,
    death_signal: int = signal.SIGKILL,
) -> asyncio.subprocess.Process:
    """Start a child in a session of its own (Ctrl-C reaches only us), its output in a log."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd="/" if identity else ROOT,
            user=identity.uid if identity else None,
            group=identity.gid if identity else None,
            extra_groups=[] if identity else None,
            start_new_session=True,
            preexec_fn=die_with_parent(death_signal),
        )


async def run(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    identity: Identity | None = None,
) -> None:
    """Run to the end; anything but success is told with the last lines of the log."""
    process = await spawn(command, log=log, env=env, identity=identity)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if code != 0:
        raise SetupFailed(f"{Path(command[0]).name} ended with {code}:\n{last_lines(log)}")


def last_lines(log: Path, count: int = 15) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-count:])


def end_left_over(path: Path, timeout_s: float) -> bool:
    """End the program of a run file that nobody waits for any more; say whether there was one."""
    found = read_run_file(path)
    alive = found is not None and found.alive()
    if found is not None and alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, found.end_signal)
        deadline = time.monotonic() + timeout_s
        while found.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        if found.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)
        while found.alive():
            time.sleep(0.02)
    path.unlink(missing_ok=True)
    return alive
