"""The commands behind make up, make down and make status."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection

from deploy.local.platform import Platform
from deploy.local.process import SetupFailed, end_left_over
from deploy.local.settings import ROOT, LocalSettings, read_settings
from deploy.local.status import running, supervisor_state, table
from deploy.local.supervisor import SELF, AlreadyRunning
from services.common.kit.keys import ensure_keys

_POLL_S = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("keys", help="make the keys of the installation, once")
    up_command = commands.add_parser("up", help="start everything and watch it")
    up_command.add_argument("only", nargs="*", help="these programs alone, e.g. postgres kafka")
    up_command.add_argument("--detach", action="store_true", help="return when all is ready")
    up_command.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    commands.add_parser("down", help="stop everything")
    commands.add_parser("status", help="show what runs")
    told = parser.parse_args()
    settings = read_settings(os.environ)
    try:
        match told.command:
            case "keys":
                made = ensure_keys(settings.var_dir / "keys")
                print(f"made {', '.join(made)}" if made else "all keys are there")
                return 0
            case "up":
                return _up_detached(settings, told.only) if told.detach else _up(settings, told)
            case "down":
                return _down(settings)
            case _:
                return _status(settings)
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        return 1


def _up(settings: LocalSettings, told: argparse.Namespace) -> int:
    try:
        asyncio.run(_keep_up(settings, told.only or None, detached=told.detached))
    except AlreadyRunning:
        return _wait_for_the_other(settings)
    return 0


async def _keep_up(
    settings: LocalSettings, only: Collection[str] | None, *, detached: bool
) -> None:
    began = time.monotonic()
    platform = Platform(
        settings.var_dir,
        os.environ,
        only=only,
        say=lambda line: print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True),
    )
    work = asyncio.create_task(_start_and_watch(platform, settings, detached=detached))
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        print("stopping", flush=True)
    finally:
        await platform.stop()


async def _start_and_watch(platform: Platform, settings: LocalSettings, *, detached: bool) -> None:
    await platform.start()
    if not detached:  # otherwise whoever waits for us prints it
        print(table(settings.run_dir), flush=True)
    await platform.watch()


def _wait_for_the_other(settings: LocalSettings) -> int:
    """Say that it is up already, when that has become true."""
    deadline = time.monotonic() + settings.start_timeout_s
    while (state := supervisor_state(settings.run_dir)) != "ready":
        if state in (None, "stopping") or time.monotonic() > deadline:
            print(f"another supervisor is {state or 'about to begin'}; try again", file=sys.stderr)
            return 1
        time.sleep(_POLL_S)
    print(f"is up already\n{table(settings.run_dir)}")
    return 0


def _up_detached(settings: LocalSettings, only: Collection[str]) -> int:
    if supervisor_state(settings.run_dir):
        return _wait_for_the_other(settings)
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    log = settings.log_dir / f"{SELF}.log"
    if log.exists():
        log.replace(log.with_suffix(".1.log"))
    command = [sys.executable, "-m", "deploy.local", "up", "--detached", *only]
    with log.open("wb") as output, log.open() as shown:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            start_new_session=True,
        )
        while child.poll() is None:
            print(shown.read(), end="", flush=True)
            found = running(settings.run_dir).get(SELF)
            if found and found.pid == child.pid and found.state == "ready":
                print(f"{shown.read()}{table(settings.run_dir)}", flush=True)
                return 0
            time.sleep(_POLL_S)
        print(shown.read(), end="", flush=True)
    return child.returncode or int(supervisor_state(settings.run_dir) != "ready")


def _down(settings: LocalSettings) -> int:
    """End the supervisor, which ends the others; then whatever a dead one has left."""
    patience_s = 4 * settings.stop_timeout_s
    stopped = end_left_over(settings.run_dir / f"{SELF}.json", patience_s)
    for path in settings.run_dir.glob("*.json"):
        stopped |= end_left_over(path, settings.stop_timeout_s)
    print("stopped" if stopped else "nothing was running")
    return 0


def _status(settings: LocalSettings) -> int:
    state = supervisor_state(settings.run_dir)
    if state is None:
        print("not running")
        return 1
    print(table(settings.run_dir))
    return int(state != "ready")


if __name__ == "__main__":
    sys.exit(main())
