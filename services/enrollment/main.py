"""Puts enrollment together: settings, database, Kafka, routes and the loop over rosters."""

from fastapi import FastAPI

from services.common.kit import auth, problems
from services.common.kit.db import Database
from services.common.kit.health import Health
from services.common.kit.kafka import Cluster
from services.common.kit.process import Task, serve
from services.common.kit.relay import Relay
from services.common.schemes.joining import offered
from services.common.schemes.load import load_rulebook
from services.enrollment.api import routes
from services.enrollment.settings import Settings
from services.enrollment.store.vault import Vault
from services.enrollment.timers import RosterClerk
from services.enrollment.usecases.desk import Desk


def new_desk(settings: Settings, database: Database) -> Desk:
    settings.rosters_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Desk(
        database=database,
        vault=Vault.of(settings),
        schemes=offered(load_rulebook()),
        rosters_dir=settings.rosters_dir,
    )


def new_app(settings: Settings, desk: Desk) -> FastAPI:
    app = FastAPI(title="enrollment", docs_url=None, redoc_url=None)
    auth.install(app, settings)
    problems.install(app)
    app.include_router(routes(settings, desk))
    return app


async def run(settings: Settings, roles: frozenset[str]) -> int:
    """Be the roles until asked to stop; gives the exit status."""
    health = Health(
        stall_s=settings.watchdog_stall_s, readiness_timeout_s=settings.readiness_timeout_s
    )
    database = Database(settings, application="enrollment")
    cluster = Cluster(settings)
    desk = new_desk(settings, database)
    health.require("database", database.ping)
    tasks: dict[str, Task] = {}
    if "worker" in roles:
        health.require("kafka", cluster.id)
        tasks["relay"] = Relay(settings, database, cluster, health).run
        tasks["rosters"] = RosterClerk(settings, desk, health).run
    app = new_app(settings, desk) if "api" in roles else None
    try:
        return await serve(app=app, tasks=tasks, health=health, settings=settings)
    finally:
        await cluster.close()
        await database.close()
