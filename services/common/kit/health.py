"""Whether a process lives, is ready and gets on; one that is stuck ends itself to be restarted."""

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.common.kit import clock
from services.common.kit.logs import get_logger

CHECK_EVERY_S: Final = 1.0
LOOP: Final = "loop"

Check = Callable[[], Awaitable[object]]


class Health:
    """Beats of the process's tasks and checks of what they need."""

    def __init__(self, *, stall_s: float = 30.0, readiness_timeout_s: float = 2.0) -> None:
        self._stall_s = stall_s
        self._readiness_timeout_s = readiness_timeout_s
        self._limits: dict[str, float] = {}
        self._beats: dict[str, float] = {}
        self._checks: dict[str, Check] = {}
        self._stopping = False

    def watch(self, name: str, stall_s: float | None = None) -> None:
        """Expect beats from `name`: once it has shown progress, another within `stall_s`."""
        self._limits[name] = stall_s or self._stall_s

    def progress(self, name: str) -> None:
        """Tell that `name` is at work and has got on; it owes another beat."""
        self._beats[name] = clock.monotonic()

    def waiting(self, name: str) -> None:
        """Tell that `name` has nothing to do; it owes no beat until its next progress."""
        self._beats.pop(name, None)

    def require(self, name: str, check: Check) -> None:
        """Be ready only while `check` returns; whatever it raises means not ready."""
        self._checks[name] = check

    def stopping(self) -> None:
        """Be ready no more, so that nobody sends new work."""
        self._stopping = True

    def stalled(self) -> list[str]:
        """Name the tasks that owe a beat for too long."""
        now = clock.monotonic()
        return [
            name
            for name, beat in list(self._beats.items())
            if now - beat > self._limits.get(name, self._stall_s)
        ]

    def forgive(self) -> None:
        """Count every beat as of now: the whole process stood still, not one task of it."""
        now = clock.monotonic()
        self._beats.update(dict.fromkeys(list(self._beats), now))

    async def failing(self) -> list[str]:
        """Name what is not ready."""
        if self._stopping:
            return ["stopping"]
        names = list(self._checks)
        answers = await asyncio.gather(*(self._passes(name) for name in names))
        return [name for name, passes in zip(names, answers, strict=True) if not passes]

    async def _passes(self, name: str) -> bool:
        try:
            async with asyncio.timeout(self._readiness_timeout_s):
                await self._checks[name]()
        except Exception:  # noqa: BLE001 - a check may fail in any way; all mean "not ready"
            return False
        return True

    def routes(self) -> Sequence[Route]:
        return (Route("/healthz", _alive), Route("/readyz", self._ready))

    async def _ready(self, _request: Request) -> Response:
        failing = await self.failing()
        return JSONResponse(
            {"ready": not failing, "failing": failing}, status_code=503 if failing else 200
        )

    async def beat_loop(self, stop: asyncio.Event) -> None:
        """Show that the event loop itself turns."""
        self.watch(LOOP)
        while not stop.is_set():
            self.progress(LOOP)
            try:
                async with asyncio.timeout(CHECK_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue
        self.waiting(LOOP)


class Watchdog:
    """A thread of its own, for a loop that is stuck cannot watch itself."""

    def __init__(self, health: Health, on_stall: Callable[[list[str]], None] | None = None) -> None:
        self._health = health
        self._on_stall = on_stall or _end_process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()

    def _run(self) -> None:
        before = clock.monotonic()
        while not self._done.wait(CHECK_EVERY_S):
            now = clock.monotonic()
            # A process that was itself stopped (SIGSTOP, a machine asleep) has not stalled.
            if now - before > 3 * CHECK_EVERY_S:
                self._health.forgive()
            before = now
            stalled = self._health.stalled()
            if stalled:
                self._on_stall(stalled)
                return


def _end_process(stalled: list[str]) -> None:
    for name in stalled:
        get_logger().error("watchdog.stalled", task=name)
    faulthandler.dump_traceback(sys.stderr)
    os._exit(1)


async def _alive(_request: Request) -> Response:
    return JSONResponse({"alive": True})
