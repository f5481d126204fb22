"""Puts notify together: settings, database, Kafka, the SMS channel, routes and the sender."""

import asyncio
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import FastAPI

from services.common.kit import auth, keys, problems
from services.common.kit.consumer import Consumer
from services.common.kit.db import Database
from services.common.kit.health import Health
from services.common.kit.http import Client, ClientBounds
from services.common.kit.kafka import Cluster
from services.common.kit.process import Task, serve
from services.common.kit.relay import Relay
from services.common.kit.sealing import BlindIndex, Opener, Sealer, Suite
from services.notify import events
from services.notify.api import ALIYUN_REPORT, Door, routes
from services.notify.channels.aliyun import AliyunChannel
from services.notify.channels.base import SmsChannel
from services.notify.rules import MendCodes
from services.notify.settings import Settings
from services.notify.texts import wording
from services.notify.timers import Sender
from services.notify.usecases.at_hand import AtHand
from services.notify.usecases.codes import Codes
from services.notify.usecases.composing import Composer
from services.notify.usecases.mending import Mending
from services.notify.usecases.reading import Reading
from services.notify.usecases.receipts import Receipts
from services.notify.usecases.sending import Sending
from services.notify.usecases.telling import Teller

NAME: Final = "notify"


@dataclass(frozen=True, slots=True)
class Office:
    """The use cases, each with what it needs."""

    settings: Settings
    database: Database
    channel: SmsChannel
    sending: Sending
    teller: Teller
    door: Door

    async def close(self) -> None:
        await self.channel.close()
        await self.database.close()


def new_office(settings: Settings) -> Office:
    database = Database(settings, application=NAME)
    words = wording.load(settings.sms_sign, settings.sms_template_codes)
    channel = _new_channel(settings, words)
    mend_codes = MendCodes(keys.secret(settings.keys_dir, keys.MEND_CODES))
    composer = Composer(
        Opener.from_dir(settings.keys_dir, NAME), words, mend_codes, settings.mend_code_days
    )
    phones = _phone_index(settings)
    texts_queued, at_hand = asyncio.Event(), AtHand()
    sealer = Sealer.from_dir(settings.keys_dir, Suite.named(settings.sealing_suite))
    return Office(
        settings,
        database,
        channel,
        Sending(
            settings,
            database,
            channel,
            composer,
            phones,
            texts_queued,
            asyncio.Event(),
            at_hand,
        ),
        Teller(settings, composer, texts_queued, at_hand),
        Door(
            settings,
            Codes(settings, database, channel, sealer, phones),
            Receipts(database, phones),
            Reading(database, composer, settings.page_rows_max),
            Mending(database, mend_codes, words, settings.mend_code_tries_max),
        ),
    )


def _new_channel(settings: Settings, words: wording.Wording) -> SmsChannel:
    bounds = ClientBounds(
        timeout_s=settings.sms_timeout_s,
        connect_timeout_s=settings.sms_connect_timeout_s,
        keep_alive_s=settings.sms_keep_alive_s,
        connections_max=settings.http_connections_max,
    )
    return AliyunChannel(
        Client("sms", settings.sms_url, bounds),
        words,
        key_id=settings.sms_access_key_id,
        secret=settings.sms_access_key_secret.get_secret_value(),
        request_expiry_s=settings.sms_request_expiry_s,
    )


def _phone_index(settings: Settings) -> BlindIndex:
    """Hash phones under a key of notify's own, for nobody else has to find them."""
    private = keys.private_keys(settings.keys_dir, NAME)[0].private_bytes_raw()
    derived = HKDF(hashes.SHA256(), keys.SECRET_BYTES, salt=None, info=b"notify phone index 1")
    return BlindIndex(derived.derive(private), "phone")


def new_app(settings: Settings, door: Door) -> FastAPI:
    app = FastAPI(title=NAME, docs_url=None, redoc_url=None)
    auth.install(app, settings, public={ALIYUN_REPORT})
    problems.install(app)
    app.include_router(routes(door))
    return app


async def run(settings: Settings, roles: frozenset[str]) -> int:
    """Be the roles until asked to stop; gives the exit status."""
    health = Health(
        stall_s=settings.watchdog_stall_s, readiness_timeout_s=settings.readiness_timeout_s
    )
    office = new_office(settings)
    cluster = Cluster(settings)
    health.require("database", office.database.ping)
    consumer = Consumer(
        settings,
        office.database,
        cluster,
        health,
        group=events.GROUP,
        events=events.CONSUMED,
        handle=events.handler(office.teller),
    )
    tasks: dict[str, Task] = {}
    if "worker" in roles:
        health.require("kafka", cluster.id)
        tasks["relay"] = Relay(settings, office.database, cluster, health).run
        tasks["consumer"] = consumer.run
        tasks["sender"] = Sender(
            settings, office.database, office.sending, office.teller, health
        ).run
    app = new_app(settings, office.door) if "api" in roles else None
    try:
        if "redrive" in roles:
            await consumer.redrive()
            return 0
        return await serve(app=app, tasks=tasks, health=health, settings=settings)
    finally:
        await cluster.close()
        await office.close()
