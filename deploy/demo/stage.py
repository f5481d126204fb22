"""The stage on which demo and bench play: a whole platform from empty stores, gone afterwards."""

import asyncio
import contextlib
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from pathlib import Path

from deploy.demo import show
from deploy.demo.books import Check
from deploy.local.platform import Platform
from deploy.local.process import SetupFailed
from deploy.local.programs import OUTSIDE_URLS
from deploy.local.settings import DATABASES, LocalSettings, read_settings
from deploy.local.status import running, supervisor_state
from deploy.local.supervisor import SELF, AlreadyRunning

FAILED, TAKEN, INTERRUPTED = 1, 2, 130
# Nothing here may reach a real bank, a real provider, or stores that somebody works on.
_OUTSIDE = frozenset(
    (*(f"{name.upper()}_DATABASE_URL" for name in DATABASES), "KAFKA_BOOTSTRAP_SERVERS")
).union(OUTSIDE_URLS)


class StageTaken(Exception):
    """Something runs already where the platform is to start; the message is one line."""


@contextlib.asynccontextmanager
async def fresh_platform(
    var_dir: Path,
    env: Mapping[str, str],
    extra_env: Mapping[str, Mapping[str, str]] | None = None,
    stores: Path | None = None,
    *,
    stores_stay: bool = True,
) -> AsyncGenerator[Platform]:
    """Start everything on empty stores, or on others that were filled under this folder.

    It is a copy of them unless they need not stay. Keys and credentials of the folder stay as they
    are.
    """
    own = {name: value for name, value in env.items() if name not in _OUTSIDE}
    own["PROFILE"] = "development"
    settings = read_settings(own, var_dir)
    _check_free(settings)
    show.heading("The platform starts from empty stores", "平台启动")
    began, progress = time.monotonic(), show.Progress()
    shutil.rmtree(settings.data_dir, ignore_errors=True)
    if stores is not None:
        # By cp, since the server's folders belong to a user of its own.
        bring = ("cp", "-a", "--reflink=auto") if stores_stay else ("mv",)
        bringing = await asyncio.create_subprocess_exec(*bring, stores, settings.data_dir)
        if await bringing.wait():
            raise StageTaken(f"{stores} could not be brought")
    platform = Platform(var_dir, own, extra_env=extra_env, say=progress.show)
    try:
        try:
            await platform.start()
        except AlreadyRunning as running:
            raise StageTaken(f"the platform is starting elsewhere ({running})") from running
        progress.done(f"ready in {time.monotonic() - began:.1f} s")
        yield platform
    finally:
        await platform.stop()


def check_restarts(platform: Platform) -> Check:
    """Nobody asked a program to end, so none may have needed a second start."""
    names = running(platform.settings.run_dir).keys() - {SELF}
    counts = {name: platform.restarts(name) for name in names}
    restarted = {name: count for name, count in counts.items() if count}
    return Check("没有程序重启 · no program had to be started again", {}, restarted)


def run(work: Callable[[], Coroutine[None, None, int]]) -> int:
    """Run to the end or to a signal; whatever happens, what was started has been stopped then."""
    try:
        return asyncio.run(_until_signalled(work))
    except StageTaken as taken:
        print(taken, file=sys.stderr)
        return TAKEN
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        return FAILED
    except asyncio.CancelledError:
        print("interrupted; everything is stopped", file=sys.stderr)
        return INTERRUPTED


async def _until_signalled(work: Callable[[], Coroutine[None, None, int]]) -> int:
    task = asyncio.create_task(work())
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, task.cancel)
    return await task


def _check_free(settings: LocalSettings) -> None:
    state = supervisor_state(settings.run_dir)
    if state is not None:
        raise StageTaken(f"the platform is up ({state}); stop it first: make down")
    for name, port in settings.ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise StageTaken(f"port {port} ({name}) is in use by another program") from None
