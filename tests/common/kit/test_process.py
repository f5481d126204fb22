"""Processes: they serve, end when asked, and end with a reason when something in them dies."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest


@dataclass
class Running:
    process: asyncio.subprocess.Process
    port: int = 0

    async def line(self, event: str) -> dict[str, Any]:
        """Read on until the process tells of `event`."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while text := await self.process.stdout.readline():
                if text.startswith(b"{") and (line := json.loads(text))["event"] == event:
                    return line
        raise AssertionError(event)

    async def rest(self) -> tuple[int, str]:
        async with asyncio.timeout(60):
            out, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode()


@asynccontextmanager
async def tiny(*arguments: str, **environment: str) -> AsyncGenerator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.common.kit.tiny_service",
        *arguments,
        env={**os.environ, "TINY_DATABASE_URL": "none", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Running(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(running: Running) -> httpx.AsyncClient:
    port = (await running.line("process.ready"))["port"]
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)


async def test_it_serves_its_routes_its_health_and_its_metrics() -> None:
    async with tiny(TINY_TASKS="patient") as running, await ready(running) as client:
        assert (await client.get("/hello")).status_code == 200
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).json()["ready"] is True
        assert "process_resident_memory_bytes" in (await client.get("/metrics")).text


async def test_a_worker_without_routes_serves_its_health_too() -> None:
    async with tiny("--role", "worker") as running, await ready(running) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/hello")).status_code == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_asked_to_stop_it_finishes_its_work_and_ends_well(number: signal.Signals) -> None:
    async with tiny(TINY_TASKS="patient") as running:
        await (await ready(running)).aclose()
        running.process.send_signal(number)
        status, out = await running.rest()
        assert status == 0
        assert "finished its work" in out


async def test_a_task_that_does_not_end_in_time_is_ended() -> None:
    async with tiny(TINY_TASKS="patient,stubborn") as running:
        await (await ready(running)).aclose()
        running.process.terminate()
        status, out = await running.rest()
        assert status == 0
        assert '"event": "process.task_late", "task": "stubborn"' in out


@pytest.mark.parametrize(
    ("task", "sign"), [("dying", "builtins.KeyError"), ("leaving", "ended before it was asked to")]
)
async def test_a_task_that_dies_ends_the_process_with_a_reason(task: str, sign: str) -> None:
    async with tiny(TINY_TASKS=f"patient,{task}") as running:
        died = await running.line("process.task_died")
        assert died["task"] == task
        assert sign in str(died)
        assert "11010519491231002X" not in str(died)
        status, _ = await running.rest()
        assert status == 1


async def test_a_stall_ends_the_process() -> None:
    async with tiny("--role", "stuck", TINY_WATCHDOG_STALL_S="2.5") as running:
        stalled = await running.line("watchdog.stalled")
        assert stalled["task"] == "stuck"
        assert (await running.rest())[0] == 1


async def test_a_setting_that_is_wrong_is_told_by_name_only() -> None:
    async with tiny(TINY_DATABASE_POOL_SIZE="s3cret") as running:
        _, stderr = await running.process.communicate()
        assert running.process.returncode == 1
        assert b"database_pool_size" in stderr
        assert b"s3cret" not in stderr
