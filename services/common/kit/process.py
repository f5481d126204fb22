"""How a process begins, runs and ends: arguments, signals, the server and the tasks beside it."""

import argparse
import asyncio
import ctypes
import gc
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn, TypeVar

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.applications import Starlette

from services.common.kit import logs, metrics
from services.common.kit.health import Health, Watchdog
from services.common.kit.logs import get_logger
from services.common.kit.settings import ProcessSettings

Task = Callable[[asyncio.Event], Awaitable[None]]

LAST_WORDS_S: Final = 2.0
GARBAGE_OBJECTS: Final = 50_000
# glibc's numbers of the two bounds, see mallopt(3).
M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
KEPT_BYTES: Final = 128 * 1024 * 1024
HEAP_BLOCK_BYTES: Final = 32 * 1024 * 1024  # the most it takes
MIGRATE: Final = "migrate"


Settings = TypeVar("Settings", bound=ProcessSettings)


class _Server(uvicorn.Server):
    # Signals belong to the process, which stops its tasks as well.
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(
    *,
    app: FastAPI | None,
    tasks: Mapping[str, Task],
    health: Health,
    settings: ProcessSettings,
) -> int:
    """Serve and work until a signal says stop or something dies; gives the exit status.

    Every task gets an event that says when to end. A task that ends by itself has died. Health
    and metrics are served even where there is no app.
    """
    log = get_logger()
    stop = asyncio.Event()
    _stop_on_signals(stop)
    listener = socket.create_server((settings.host, settings.port), backlog=512)
    server = _Server(_server_config(_with_plumbing(app, health), settings))
    everything: dict[str, Task] = {
        "http": lambda stop: _run_server(server, listener, stop),
        "heartbeat": health.beat_loop,
        **tasks,
    }
    running = {
        asyncio.create_task(_run_task(task, stop), name=name): name
        for name, task in everything.items()
    }
    watchdog = Watchdog(health)
    watchdog.start()
    # What lives now lives to the end; the collector need not look at it again, and at what comes
    # not after every 700 objects: a set of events is tens of thousands, none of them in a cycle.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 20)
    _keep_memory()
    log.info("process.ready", port=listener.getsockname()[1])

    await asyncio.wait(
        [*running, waiter := asyncio.create_task(stop.wait(), name="stop")],
        return_when=asyncio.FIRST_COMPLETED,
    )
    asked = stop.is_set()
    waiter.cancel()
    log.info("process.stopping", reason="signal" if asked else "task died")
    health.stopping()
    stop.set()
    _, late = await asyncio.wait(running, timeout=settings.shutdown_grace_s)
    for task in late:
        log.warning("process.task_late", task=running[task])
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=LAST_WORDS_S)
    watchdog.stop()
    listener.close()
    died = [task for task in running if _died(task, running[task], late=task in late)]
    log.info("process.stopped", status=int(bool(died) or not asked))
    return int(bool(died) or not asked)


def _keep_memory() -> None:
    """Have glibc keep what is freed instead of giving it back, where it is glibc.

    A set's buffers of some MB come and go many times a second; each time, the kernel would hand
    them out anew page by page and wipe each page.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


async def _run_task(task: Task, stop: asyncio.Event) -> bool:
    """Run a task; tells whether it ended before it was asked to."""
    await task(stop)
    return not stop.is_set()


def _died(task: asyncio.Task[bool], name: str, *, late: bool) -> bool:
    if not task.done() or task.cancelled():
        if not late:  # what it waited for was cancelled; nobody here has done it
            get_logger().error("process.task_died", task=name, reason="cancelled from inside")
        return not late
    error = task.exception()
    if error is not None:
        get_logger().error("process.task_died", task=name, error=error)
        return True
    if task.result():
        get_logger().error("process.task_died", task=name, reason="ended before it was asked to")
    return task.result()


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


def _with_plumbing(app: FastAPI | None, health: Health) -> Starlette:
    served = Starlette() if app is None else app
    served.router.routes[:0] = [*health.routes(), *metrics.routes()]
    return served


def _server_config(app: Starlette, settings: ProcessSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=settings.http_concurrency_max,
        timeout_keep_alive=settings.http_keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )


async def _run_server(server: _Server, listener: socket.socket, stop: asyncio.Event) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
    stopped = asyncio.create_task(stop.wait(), name="stop of http")
    try:
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopped.cancel()


def main(
    service: str,
    *,
    settings: type[Settings],
    run: Callable[[Settings, frozenset[str]], Awaitable[int]],
    roles: Sequence[str] = ("api", "worker"),
    apart: Sequence[str] = (),
) -> NoReturn:
    """Be the process that the arguments ask for, and exit with its status.

    `--role all` is every one of `roles`; a role in `apart` runs only in a process of its own.
    `migrate` brings the database to its newest shape instead. `service` is the package's name.
    """
    asked = _arguments(service, [*roles, *apart])
    chosen = frozenset(roles) if asked == "all" else frozenset({asked})
    knobs = settings()  # pyright: ignore[reportCallIssue] - the environment gives what is required
    logs.configure(service=service.rpartition(".")[2], role=asked, level=knobs.log_level)
    work = _migrated(service, knobs) if asked == MIGRATE else run(knobs, chosen)
    try:
        status = uvloop.run(_awaited(work))
    except Exception as error:  # noqa: BLE001 - the last line of a process that cannot go on
        get_logger().error("process.failed", error=error)
        status = 1
    sys.stdout.flush()
    sys.exit(status)


async def _migrated(service: str, knobs: ProcessSettings) -> int:
    # alembic takes 12 MB that no serving process needs.
    from services.common.kit import migrate  # noqa: PLC0415 - see the line above

    await migrate.upgrade(service, knobs.database_url, owner_url=knobs.owner_database_url)
    return 0


async def _awaited(work: Awaitable[int]) -> int:
    get_logger().info("process.started")
    return await work


def _arguments(service: str, roles: Sequence[str]) -> str:
    parser = argparse.ArgumentParser(prog=f"python -m {service}")
    parser.add_argument("command", nargs="?", choices=["run", MIGRATE], default="run")
    parser.add_argument("--role", choices=["all", *roles, MIGRATE], default="all")
    told = parser.parse_args()
    return MIGRATE if told.command == MIGRATE else str(told.role)
