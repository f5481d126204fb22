"""Puts the gateway together: settings, database, services behind, walls, routes, sweeping."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from gateway import store
from gateway.errors import PhoneProofNeeded, ServiceRefused
from gateway.limits import PREFIX, AddressLimit, Manners, Pace
from gateway.parts import Parts
from gateway.routes import benefits, finance, hospital, member, mend, schemes, staff
from gateway.schemas.member import PhoneProofProblem
from gateway.settings import Settings
from gateway.upstream import Services
from gateway.wechat import WeChat
from services.common.kit import problems
from services.common.kit.db import TRANSIENT, Database
from services.common.kit.health import Health
from services.common.kit.logs import get_logger
from services.common.kit.process import serve
from services.common.kit.settings import Peers

_TITLE = "Workers' medical mutual aid"


async def run(settings: Settings, roles: frozenset[str]) -> int:
    """Serve until told to stop; whatever roles are asked for, the gateway has one."""
    del roles
    health = Health(
        stall_s=settings.watchdog_stall_s, readiness_timeout_s=settings.readiness_timeout_s
    )
    database = Database(settings, application="gateway")
    health.require("database", database.ping)
    parts = Parts.of(settings, database, Services.of(settings, Peers()), WeChat(settings))
    tasks = {"sweep": sweeping(parts)}
    try:
        return await serve(app=build_app(parts), tasks=tasks, health=health, settings=settings)
    finally:
        await parts.close()
        await database.close()


def build_app(parts: Parts) -> FastAPI:
    """Build the walls from the inside out, then the rooms behind them."""
    settings = parts.settings
    app = FastAPI(
        title=_TITLE,
        docs_url="/docs" if parts.is_development else None,
        openapi_url="/openapi.json" if parts.is_development else None,
        redoc_url=None,
    )
    app.state.parts = parts
    app.add_middleware(Pace, idle_timeout_s=settings.body_idle_timeout_s)
    app.add_middleware(AddressLimit, settings=settings, buckets=parts.buckets)
    problems.install(app, body_bytes_max=settings.body_bytes_max)
    app.add_middleware(Manners, tls=not parts.is_development)
    app.add_exception_handler(ServiceRefused, _pass_refusal_on)
    app.add_exception_handler(PhoneProofNeeded, _ask_for_phone_proof)
    for room in (hospital, member, mend, benefits, staff, finance, schemes):  # most asked first
        app.include_router(room.router, prefix=PREFIX)
    return app


async def _pass_refusal_on(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceRefused)
    return problems.respond(error.status, error.code, detail=error.detail, errors=error.errors)


async def _ask_for_phone_proof(_request: Request, error: Exception) -> Response:
    assert isinstance(error, PhoneProofNeeded)
    problem = PhoneProofProblem(
        detail=(error.__doc__ or "").strip(),
        bind_ticket=error.bind_ticket,
        expires_in=error.expires_in,
    )
    return JSONResponse(problem.model_dump(), problem.status, media_type=problems.MEDIA_TYPE)


def sweeping(parts: Parts) -> Callable[[asyncio.Event], Awaitable[None]]:
    """Give the loop that deletes what has expired."""
    keep = timedelta(seconds=parts.settings.idempotency_keep_s)

    async def sweep(stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with parts.database.begin() as unit:
                    gone = await store.sweep(unit, keep)
                get_logger().debug("timer.ran", job="sweep", rows=gone)
            except TRANSIENT as error:
                get_logger().warning("timer.failed", job="sweep", error=error)
            try:
                async with asyncio.timeout(parts.settings.sweep_every_s):
                    await stop.wait()
            except TimeoutError:
                continue

    return sweep
