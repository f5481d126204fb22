"""Puts claims together: settings, database, Kafka, routes and loops."""

from functools import partial

from fastapi import FastAPI

from services.claims import events
from services.claims.api.door import Door
from services.claims.api.editions import say_where
from services.claims.api.routes import routes
from services.claims.rows import COLUMNS, RowReader
from services.claims.settings import Settings
from services.claims.timers import BacktestTimer, EditionTimer, FeedWorker, ReviewTimer
from services.claims.usecases import editions
from services.claims.usecases.desk import Desk, Shelf
from services.claims.usecases.posts import Counter
from services.common.contracts.claims import BenefitGranted
from services.common.contracts.event import Reader as EventReader
from services.common.kit import auth, keys, problems
from services.common.kit.consumer import Consumer
from services.common.kit.db import Database
from services.common.kit.freshness import Freshness, Lag
from services.common.kit.health import Health
from services.common.kit.kafka import Cluster
from services.common.kit.process import Task, serve
from services.common.kit.relay import Relay
from services.common.kit.sealing import BlindIndex, Opener, Sealer, Suite

# Who stands behind claims, and on which topics: the feed waits for them.
TOLD = BenefitGranted.topic
BEHIND = {"payments": [TOLD], "notify": ["payments.payout.v1"]}


def new_desk(settings: Settings) -> Desk:
    return Desk(
        shelf=Shelf.of_release(),
        sealer=Sealer.from_dir(settings.keys_dir, Suite.named(settings.sealing_suite)),
        opener=Opener.from_dir(settings.keys_dir, "claims"),
        identity=BlindIndex.from_dir(settings.keys_dir, keys.IDENTITY_INDEX, "id_number"),
    )


def new_app(settings: Settings, counter: Counter) -> FastAPI:
    app = FastAPI(title="claims", docs_url=None, redoc_url=None)
    auth.install(app, settings)
    problems.install(app)
    say_where(app)
    app.include_router(routes(Door(settings, counter)))
    return app


async def run(settings: Settings, roles: frozenset[str]) -> int:
    """Be the roles until asked to stop; gives the exit status."""
    health = Health(
        stall_s=settings.watchdog_stall_s, readiness_timeout_s=settings.readiness_timeout_s
    )
    database = Database(settings, application="claims")
    cluster = Cluster(settings)
    topics = EventReader(events.CONSUMED).topics
    freshness = Freshness(settings, database, cluster, group=events.GROUP, topics=topics)
    lag = Lag(settings, database, cluster, BEHIND, topic=TOLD)
    health.require("database", database.ping)
    health.require("kafka", cluster.id)
    desk = new_desk(settings)
    hash_key = keys.secret(settings.keys_dir, keys.IDENTITY_INDEX)
    read = RowReader(COLUMNS, hash_key=hash_key, identity=desk.identity).read
    counter = Counter(database, desk, read, partial(freshness.reached, settings.member_wait_s))

    async def others_behind() -> bool:
        return await lag.seconds() * 1000 > settings.feed_lag_ms_max

    consumer = Consumer(
        settings,
        database,
        cluster,
        health,
        group=events.GROUP,
        events=events.CONSUMED,
        handle=events.handler(desk, read),
    )
    tasks: dict[str, Task] = {"editions": EditionTimer(settings, database, desk.shelf, health).run}
    if "worker" in roles:
        tasks["backtests"] = BacktestTimer(settings, database, desk.shelf, health).run
        tasks["relay"] = Relay(settings, database, cluster, health).run
        tasks["consumer"] = consumer.run
        tasks["reviews"] = ReviewTimer(
            settings, database, desk, read, health, freshness=freshness
        ).run
    if "feed" in roles:
        tasks["feed"] = FeedWorker(
            settings,
            database,
            desk,
            hash_key,
            health,
            freshness=freshness,
            others_behind=others_behind,
        ).run
    app = new_app(settings, counter) if "api" in roles else None
    try:
        await editions.refresh(database, desk.shelf)
        if "redrive" in roles:
            await consumer.redrive()
            return 0
        return await serve(app=app, tasks=tasks, health=health, settings=settings)
    finally:
        await lag.close()
        await freshness.close()
        await cluster.close()
        await database.close()
