"""The smallest service there is, run as a process by the tests of `process`."""

import asyncio
import os
import sys

from fastapi import FastAPI
from pydantic import PositiveInt

from services.common.kit import clock
from services.common.kit.health import Health
from services.common.kit.process import Task, main, serve
from services.common.kit.settings import Port, ServiceSettings, knobs


class Settings(ServiceSettings):
    model_config = knobs("TINY_")
    port: Port = 0
    shutdown_grace_s: PositiveInt = 2


async def patient(stop: asyncio.Event) -> None:
    await stop.wait()
    await asyncio.sleep(0.2)
    sys.stdout.write("finished its work\n")


async def stubborn(stop: asyncio.Event) -> None:
    await stop.wait()
    await asyncio.sleep(3600)


async def dying(_stop: asyncio.Event) -> None:
    await asyncio.sleep(0.2)
    raise KeyError("11010519491231002X")


async def leaving(_stop: asyncio.Event) -> None:
    await asyncio.sleep(0.2)


TASKS: dict[str, Task] = {
    "patient": patient,
    "stubborn": stubborn,
    "dying": dying,
    "leaving": leaving,
}


async def run(settings: Settings, roles: frozenset[str]) -> int:
    health = Health(stall_s=settings.watchdog_stall_s)
    tasks = {name: TASKS[name] for name in os.environ.get("TINY_TASKS", "").split(",") if name}
    if "stuck" in roles:
        health.progress("stuck")
    app = FastAPI() if "api" in roles else None
    if app is not None:

        async def hello() -> str:
            return clock.now().isoformat()

        app.add_api_route("/hello", hello)
    return await serve(app=app, tasks=tasks, health=health, settings=settings)


if __name__ == "__main__":
    main("tests.common.kit.tiny_service", settings=Settings, run=run, apart=("stuck",))
