"""Programs start in order, are started again when they die, and never outlive their keeper."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from deploy.local.process import RunFile, SetupFailed, read_run_file, start_time
from deploy.local.settings import ROOT
from deploy.local.supervisor import AlreadyRunning, Program, Supervisor
from tests.deploy.waiting import until

Start = Callable[..., Awaitable[Supervisor]]


def stand_in(name: str, script: str = "exec sleep 1000", **more: object) -> Program:
    """Put a shell in place of a server; `$DIARY` is where it may write."""
    return Program(name=name, command=["sh", "-c", script], env=dict(os.environ), **more)  # pyright: ignore[reportArgumentType]  # keywords of Program


@pytest.fixture
async def start(tmp_path: Path) -> AsyncGenerator[Start]:
    begun: list[Supervisor] = []

    async def begin(*programs: Program, **more: float) -> Supervisor:
        diary = {program.name: {"DIARY": str(tmp_path / "diary")} for program in programs}
        supervisor = Supervisor(programs, tmp_path, extra_env=diary, **more)  # pyright: ignore[reportArgumentType]  # keywords of Supervisor
        begun.append(supervisor)
        await supervisor.start()
        return supervisor

    yield begin
    for supervisor in begun:
        await supervisor.stop()


def diary(tmp_path: Path) -> list[str]:
    return (tmp_path / "diary").read_text().splitlines()


async def test_a_program_waits_for_those_before_it(start: Start, tmp_path: Path) -> None:
    await start(
        stand_in("service", "echo service >> $DIARY; exec sleep 1000", after=("migration",)),
        stand_in("migration", "sleep 0.2; echo migrated >> $DIARY", once=True, after=("server",)),
        stand_in("server", "echo server >> $DIARY; exec sleep 1000"),
    )
    await until(lambda: len(diary(tmp_path)) == 3)
    assert diary(tmp_path) == ["server", "migrated", "service"]


async def test_what_is_killed_is_started_again_under_a_new_number(start: Start) -> None:
    supervisor = await start(stand_in("service"), stand_in("other"))
    killed, other = supervisor.pid("service"), supervisor.pid("other")
    supervisor.kill("service")
    await supervisor.wait_ready()
    assert supervisor.restarts("service") == 1
    assert supervisor.pid("service") not in (None, killed)
    assert supervisor.pid("other") == other


async def test_the_last_stage_is_stopped_first(start: Start, tmp_path: Path) -> None:
    script = "trap 'echo $ME >> $DIARY; exit' TERM; : > $READY; while :; do sleep 0.02; done"

    def trapped(name: str, stage: int) -> Program:
        started = tmp_path / f"{name}.started"

        async def ready() -> bool:
            return started.exists()

        env = {**os.environ, "ME": name, "READY": str(started)}
        command = ["sh", "-c", script]
        return Program(name=name, command=command, env=env, stage=stage, ready=ready)

    supervisor = await start(trapped("server", 0), trapped("service", 1), trapped("gateway", 2))
    await supervisor.stop()
    assert diary(tmp_path) == ["gateway", "service", "server"]


async def test_a_deaf_program_is_ended_all_the_same(start: Start, tmp_path: Path) -> None:
    deaf = "trap '' TERM; echo deaf >> $DIARY; while :; do sleep 0.05; done"
    supervisor = await start(stand_in("deaf", deaf), stop_timeout_s=0.3)
    await until((tmp_path / "diary").exists)
    pid = supervisor.pid("deaf")
    assert pid is not None
    await supervisor.stop()
    assert start_time(pid) is None


async def test_a_start_that_fails_says_why_and_leaves_nothing(start: Start, tmp_path: Path) -> None:
    with pytest.raises(SetupFailed, match="no such table"):
        await start(
            stand_in("server", "echo $$ >> $DIARY; exec sleep 1000"),
            stand_in("migration", "sleep 0.3; echo no such table; exit 1", once=True),
        )
    assert start_time(int(diary(tmp_path)[0])) is None
    assert list((tmp_path / "run").glob("*.json")) == []


async def test_one_folder_has_one_keeper(start: Start, tmp_path: Path) -> None:
    first = await start(stand_in("service"))
    with pytest.raises(AlreadyRunning):
        await Supervisor([stand_in("service")], tmp_path).start()
    assert first.pid("service") is not None


async def test_a_program_may_be_stopped_alone_and_told_something_new(
    start: Start, tmp_path: Path
) -> None:
    script = 'echo "$CRASHPOINTS" >> $DIARY; exec sleep 1000'
    supervisor = await start(stand_in("claims", script), stand_in("other"))
    await until((tmp_path / "diary").exists)
    await supervisor.stop_one("claims")
    assert supervisor.pid("claims") is None
    supervisor.extra_env["claims"]["CRASHPOINTS"] = "chunk_committed"
    await supervisor.start_one("claims")
    await until(lambda: len(diary(tmp_path)) == 2)
    assert diary(tmp_path) == ["", "chunk_committed"]


async def test_what_a_dead_keeper_left_is_ended_at_the_next_start(
    start: Start, tmp_path: Path
) -> None:
    left = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    (tmp_path / "run").mkdir()
    started = start_time(left.pid)
    assert started is not None
    RunFile(left.pid, started, signal.SIGTERM).write(tmp_path / "run" / "service.json")
    # The number of this file belongs to somebody else by now: to this test.
    RunFile(os.getpid(), 1, signal.SIGKILL).write(tmp_path / "run" / "old.json")
    await start(stand_in("service"))
    assert await left.wait() == -signal.SIGTERM


def test_children_of_a_killed_keeper_die_with_it(tmp_path: Path) -> None:
    script = f"""
import asyncio
from pathlib import Path
from tests.deploy.test_supervisor import stand_in
from deploy.local.supervisor import Supervisor

async def main():
    supervisor = Supervisor([stand_in("a"), stand_in("b")], Path({str(tmp_path)!r}))
    await supervisor.start()
    await supervisor.watch()

asyncio.run(main())
"""
    keeper = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    try:
        state = wait_for_state(tmp_path / "run" / "supervisor.json", "ready")
        assert state.pid == keeper.pid
        children = [read_run_file(tmp_path / "run" / f"{name}.json") for name in "ab"]
    finally:
        keeper.kill()
        keeper.wait()
    deadline = time.monotonic() + 10
    while any(child and child.alive() for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [child and child.alive() for child in children] == [False, False]


def wait_for_state(path: Path, state: str) -> RunFile:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = read_run_file(path)
        if found and found.state == state:
            return found
        time.sleep(0.05)
    raise TimeoutError(path)
