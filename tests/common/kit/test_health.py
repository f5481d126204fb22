"""Health: what is ready, what is stuck."""

import asyncio
from datetime import UTC, datetime, timedelta
from threading import Event

import httpx
from starlette.applications import Starlette

from services.common.kit import clock
from services.common.kit.health import Health, Watchdog

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_work_without_progress_is_a_stall_and_idleness_is_not() -> None:
    health = Health(stall_s=30)
    health.watch("feed", stall_s=60)
    with clock.set_to(NOON) as hands:
        for name in ("consumer", "feed", "relay"):
            health.progress(name)
        health.waiting("relay")
        hands.advance(timedelta(seconds=31))
        assert health.stalled() == ["consumer"]
        hands.advance(timedelta(seconds=30))
        assert health.stalled() == ["consumer", "feed"]
        health.progress("consumer")
        health.forgive()
        assert health.stalled() == []


async def test_ready_only_while_every_check_passes() -> None:
    health = Health(readiness_timeout_s=0.05)
    up = True

    async def database() -> None:
        if not up:
            raise ConnectionError

    async def slow() -> None:
        await asyncio.sleep(0 if up else 5)

    health.require("database", database)
    health.require("kafka", slow)
    app = Starlette(routes=list(health.routes()))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        assert (await client.get("/readyz")).json() == {"ready": True, "failing": []}
        up = False
        refused = await client.get("/readyz")
        assert refused.status_code == 503
        assert refused.json()["failing"] == ["database", "kafka"]
        assert (await client.get("/healthz")).status_code == 200
        up = True
        health.stopping()
        assert (await client.get("/readyz")).json()["failing"] == ["stopping"]


def test_the_watchdog_barks_from_its_own_thread() -> None:
    health = Health(stall_s=0.001)
    health.progress("stuck")
    barked, told = Event(), list[str]()

    def bark(stalled: list[str]) -> None:
        told.extend(stalled)
        barked.set()

    watchdog = Watchdog(health, bark)
    watchdog.start()
    assert barked.wait(20)
    assert told == ["stuck"]
    watchdog.stop()
