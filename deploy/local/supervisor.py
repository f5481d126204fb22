"""Starts programs in their order, watches them, starts again what dies, and stops them all."""

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from deploy.local.process import (
    Identity,
    RunFile,
    SetupFailed,
    end_left_over,
    last_lines,
    spawn,
    start_time,
)

SELF = "supervisor"
_POLL_S = 0.1
_STEADY_S = 5.0  # who was ready this long is started again at once
_DELAY_FIRST_S = 0.5
_DELAY_MAX_S = 5.0
_FIRST_TRIES_MAX = 5  # a program that never was ready is given up after so many deaths


class AlreadyRunning(SetupFailed):
    """Another supervisor holds this folder."""


class _Died(SetupFailed):
    """A program ended before it was ready; trying again may help."""


async def _at_once() -> bool:
    return True


async def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    stage: int = 0  # the highest is stopped first
    after: tuple[str, ...] = ()  # whom its first start waits for
    once: bool = False  # runs to its end before others go on
    where: str = ""
    prepare: Callable[[], Awaitable[Identity | None]] = _nothing
    ready: Callable[[], Awaitable[bool]] = _at_once
    settle: Callable[[], Awaitable[None]] = _nothing  # after ready, at every start
    end_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGKILL  # sent by the kernel when the supervisor dies


@dataclass
class _Kept:
    """A program and what has become of it."""

    program: Program
    was_ready: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None
    ready: bool = False
    restarts: int = 0
    task: asyncio.Task[None] | None = None


class Supervisor:
    """Keeps the programs of one var folder; a lock in it sees to it that there is one keeper."""

    def __init__(
        self,
        programs: Sequence[Program],
        var_dir: Path,
        *,
        extra_env: Mapping[str, Mapping[str, str]] | None = None,
        start_timeout_s: float = 120.0,
        stop_timeout_s: float = 25.0,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        names = {program.name for program in programs}
        known = [replace(p, after=tuple(set(p.after) & names)) for p in programs]
        self._kept = {program.name: _Kept(program) for program in known}
        self._run_dir = var_dir / "run"
        self._log_dir = var_dir / "logs"
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._say = say
        self._lock: TextIO | None = None
        # Read anew at every start of a program, so that a test can change it in between.
        self.extra_env = {name: dict(env) for name, env in (extra_env or {}).items()}

    async def start(self) -> None:
        """Start everything; return when all is ready, or stop what was begun and raise."""
        self._take_lock()
        try:
            await self._end_left_overs()
            self._rotate_logs()
            self._tell_state("starting")
            for kept in self._kept.values():
                self._keep(kept)
            await self._all_ready()
            self._tell_state("ready")
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Wait for ever; raises when a program cannot be kept any longer."""
        tasks = [kept.task for kept in self._kept.values() if kept.task and not kept.program.once]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Stop everything, the last started first; harmless where nothing runs."""
        if self._lock is None:
            return
        self._tell_state("stopping")
        for stage in sorted({kept.program.stage for kept in self._kept.values()}, reverse=True):
            here = [kept for kept in self._kept.values() if kept.program.stage == stage]
            await asyncio.gather(*(self._let_go(kept) for kept in here))
        self._run_file(SELF).unlink(missing_ok=True)
        self._lock.close()
        self._lock = None

    def pid(self, name: str) -> int | None:
        process = self._kept[name].process
        return process.pid if process and process.returncode is None else None

    def restarts(self, name: str) -> int:
        return self._kept[name].restarts

    def kill(self, name: str, signum: int = signal.SIGKILL) -> None:
        """Signal one program; it is started again when it dies of it."""
        pid = self.pid(name)
        if pid is None:
            raise ProcessLookupError(name)
        os.kill(pid, signum)
        if signum == signal.SIGKILL:  # its last answers count no more
            self._kept[name].ready = False

    async def stop_one(self, name: str) -> None:
        """Stop one program until `start_one`."""
        await self._let_go(self._kept[name])

    async def start_one(self, name: str) -> None:
        kept = self._kept[name]
        if kept.task is None:
            self._keep(kept)
        await self.wait_ready(name)

    async def wait_ready(self, *names: str) -> None:
        """Wait until these (or all) programs run and say now that they are ready."""
        chosen = [self._kept[name] for name in names or self._kept]
        async with asyncio.timeout(self._start_timeout_s):
            for kept in chosen:
                while not (kept.program.once or await self._ready_now(kept)):
                    _raise_if_failed(kept.task)
                    await asyncio.sleep(_POLL_S)

    async def _ready_now(self, kept: _Kept) -> bool:
        return kept.ready and await kept.program.ready()

    def _keep(self, kept: _Kept) -> None:
        kept.task = asyncio.create_task(self._keep_alive(kept), name=kept.program.name)

    async def _let_go(self, kept: _Kept) -> None:
        task, kept.task = kept.task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _keep_alive(self, kept: _Kept) -> None:
        for name in kept.program.after:
            await self._kept[name].was_ready.wait()
        delay = 0.0
        deaths = 0
        while True:
            try:
                lasted = await self._live(kept)
            except (SetupFailed, OSError) as failure:
                deaths += 1
                hopeless = not isinstance(failure, _Died) or deaths >= _FIRST_TRIES_MAX
                if not kept.was_ready.is_set() and (kept.program.once or hopeless):
                    raise
                self._say(str(failure))
                lasted = 0.0
            if kept.program.once:
                return
            delay = 0.0 if lasted >= _STEADY_S else delay
            await asyncio.sleep(delay)
            delay = min(max(2 * delay, _DELAY_FIRST_S), _DELAY_MAX_S)
            kept.restarts += 1

    async def _live(self, kept: _Kept) -> float:
        """One life of a program, from start to end; gives how long it was ready, in seconds."""
        program = kept.program
        identity = await program.prepare()
        log = self._log_dir / f"{program.name}.log"
        env = {**program.env, **self.extra_env.get(program.name, {})}
        kept.process = process = await spawn(
            program.command, log=log, env=env, identity=identity, death_signal=program.death_signal
        )
        try:
            self._tell(kept, "starting")
            if program.once:
                code = await process.wait()
                if code != 0:
                    raise _Died(_epitaph(program.name, code, log))
                self._tell_ready(kept)
                return 0.0
            await self._until_ready(program, process, log)
            self._tell_ready(kept)
            began = time.monotonic()
            code = await process.wait()
            self._say(f"{program.name} ended with {code}, starting it again")
            return time.monotonic() - began
        finally:
            kept.ready = False
            await self._end(process, program.end_signal)
            self._run_file(program.name).unlink(missing_ok=True)

    async def _until_ready(
        self, program: Program, process: asyncio.subprocess.Process, log: Path
    ) -> None:
        becoming = asyncio.create_task(_become_ready(program))
        ending = asyncio.create_task(process.wait())
        try:
            await asyncio.wait([becoming, ending], return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                raise _Died(_epitaph(program.name, ending.result(), log))
            becoming.result()
        finally:
            becoming.cancel()
            ending.cancel()

    async def _end(self, process: asyncio.subprocess.Process, signum: int) -> None:
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signum)
        # Not asyncio.timeout: up to Python 3.11.3 it tells a task that is itself being cancelled,
        # as the one that keeps this program is, of no time-out.
        ending = asyncio.ensure_future(process.wait())
        await asyncio.wait([ending], timeout=self._stop_timeout_s)
        if not ending.done():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await ending

    async def _all_ready(self) -> None:
        everybody = list(self._kept.values())
        try:
            async with asyncio.timeout(self._start_timeout_s):
                while not all(kept.was_ready.is_set() for kept in everybody):
                    for kept in everybody:
                        _raise_if_failed(kept.task)
                    await asyncio.sleep(_POLL_S / 2)
        except TimeoutError:
            late = [kept.program.name for kept in everybody if not kept.was_ready.is_set()]
            raise SetupFailed(f"not ready in {self._start_timeout_s:g} s: {late}") from None

    def _take_lock(self) -> None:
        self._run_dir.mkdir(parents=True, exist_ok=True)
        self._log_dir.mkdir(parents=True, exist_ok=True)
        lock = self._run_file(SELF).with_suffix(".lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunning(f"already running: {self._run_dir}") from None
        self._lock = lock

    async def _end_left_overs(self) -> None:
        """End what a dead supervisor left; most of it the kernel has ended with its parent."""
        paths = [path for path in self._run_dir.glob("*.json") if path.stem != SELF]
        endings = [asyncio.to_thread(end_left_over, path, self._stop_timeout_s) for path in paths]
        for path, ended in zip(paths, await asyncio.gather(*endings), strict=True):
            if ended:
                self._say(f"{path.stem} was left over and has been ended")

    def _rotate_logs(self) -> None:
        for name in self._kept:
            log = self._log_dir / f"{name}.log"
            if log.exists():
                log.replace(log.with_suffix(".1.log"))

    def _run_file(self, name: str) -> Path:
        return self._run_dir / f"{name}.json"

    def _tell(self, kept: _Kept, state: str) -> None:
        assert kept.process is not None
        RunFile(
            pid=kept.process.pid,
            start_time=start_time(kept.process.pid) or 0,
            end_signal=int(kept.program.end_signal),
            restarts=kept.restarts,
            state=state,
            where=kept.program.where,
        ).write(self._run_file(kept.program.name))

    def _tell_ready(self, kept: _Kept) -> None:
        kept.ready = True
        if not kept.program.once:
            self._tell(kept, "ready")
        self._say(f"{kept.program.name} {'done' if kept.program.once else 'ready'}")
        kept.was_ready.set()

    def _tell_state(self, state: str) -> None:
        RunFile(
            pid=os.getpid(),
            start_time=start_time(os.getpid()) or 0,
            end_signal=int(signal.SIGTERM),
            state=state,
        ).write(self._run_file(SELF))


async def _become_ready(program: Program) -> None:
    while not await program.ready():  # noqa: ASYNC110 - another process sets no event of ours
        await asyncio.sleep(_POLL_S)
    await program.settle()


def _epitaph(name: str, code: int, log: Path) -> str:
    return f"{name} ended with {code} before it was ready; the end of {log}:\n{last_lines(log)}"


def _raise_if_failed(task: asyncio.Task[None] | None) -> None:
    if task is not None and task.done() and not task.cancelled():
        task.result()
