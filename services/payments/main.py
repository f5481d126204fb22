"""Puts payments together: settings, database, Kafka, the bank, routes and loops."""

from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI

from services.common.kit import auth, problems
from services.common.kit.consumer import Consumer
from services.common.kit.db import Database
from services.common.kit.health import Health
from services.common.kit.http import Client, ClientBounds
from services.common.kit.kafka import Cluster
from services.common.kit.process import Task, serve
from services.common.kit.relay import Relay
from services.common.kit.sealing import Opener, Sealer, Suite
from services.payments import events
from services.payments.api.routes import routes
from services.payments.channels.base import BankChannel, Payer
from services.payments.channels.cmb.channel import Cmb
from services.payments.channels.cmb.envelope import Keys
from services.payments.channels.folder import DropFolder
from services.payments.channels.iso20022.channel import Iso20022
from services.payments.channels.p1_file import P1File
from services.payments.channels.p2_file import P2File
from services.payments.model.funds import Fund, read_funds
from services.payments.settings import Settings
from services.payments.timers import Timers
from services.payments.usecases.desk import Desk

NAME: Final = "payments"


class KeysMissing(Exception):
    """A fund is paid through channel cmb, and PAYMENTS_CMB_…_FILE do not name its keys."""


@dataclass(frozen=True, slots=True)
class Office:
    """The desk, and the line to the bank that has to be hung up at the end."""

    desk: Desk
    bank: Client

    async def close(self) -> None:
        await self.bank.close()
        await self.desk.database.close()


def new_office(settings: Settings) -> Office:
    bounds = ClientBounds(
        timeout_s=settings.bank_timeout_s,
        connect_timeout_s=settings.http_connect_timeout_s,
        connections_max=settings.bank_calls_max,
    )
    bank = Client("bank", settings.bank_url, bounds)
    funds = read_funds(settings.funds_file)
    desk = Desk(
        settings,
        Database(settings, application=NAME),
        funds,
        {fund.fund_id: new_channel(settings, fund, bank) for fund in funds.funds},
        Sealer.from_dir(settings.keys_dir, Suite.named(settings.sealing_suite)),
        Opener.from_dir(settings.keys_dir, NAME),
    )
    return Office(desk, bank)


def new_channel(settings: Settings, fund: Fund, bank: Client) -> BankChannel:
    """Give the way to the bank that keeps a fund's account."""
    payer = Payer(fund.account, fund.holder, settings.bank_unit, settings.bank_remark)
    match fund.channel:
        case "p1":
            return P1File(payer, bank)
        case "p2":
            return P2File(payer, bank)
        case "iso20022":
            assert fund.cnaps is not None, "the fund was read with it"
            return Iso20022(payer, DropFolder(settings.iso_dir), fund.cnaps)
        case "cmb":
            return Cmb(payer, _cmb_keys(settings), bank)


def _cmb_keys(settings: Settings) -> Keys:
    files = (
        settings.cmb_sm4_key_file,
        settings.cmb_private_key_file,
        settings.cmb_bank_public_key_file,
    )
    keys = [bytes.fromhex(file.read_text(encoding="ascii")) for file in files if file]
    if len(keys) != len(files):
        raise KeysMissing
    return Keys(settings.cmb_uid, *keys)


def new_app(desk: Desk) -> FastAPI:
    app = FastAPI(title=NAME, docs_url=None, redoc_url=None)
    auth.install(app, desk.settings)
    problems.install(app)
    app.include_router(routes(desk))
    return app


async def run(settings: Settings, roles: frozenset[str]) -> int:
    """Be the roles until asked to stop; gives the exit status."""
    health = Health(
        stall_s=settings.watchdog_stall_s, readiness_timeout_s=settings.readiness_timeout_s
    )
    office = new_office(settings)
    desk = office.desk
    cluster = Cluster(settings)
    health.require("database", desk.database.ping)
    consumer = Consumer(
        settings,
        desk.database,
        cluster,
        health,
        group=events.GROUP,
        events=events.CONSUMED,
        handle=events.handler(desk),
        has_room=lambda: not desk.cutting_lags,
    )
    tasks: dict[str, Task] = {}
    if "worker" in roles:
        health.require("kafka", cluster.id)
        tasks["relay"] = Relay(settings, desk.database, cluster, health).run
        tasks["consumer"] = consumer.run
        tasks["desk"] = Timers(desk, health).run
    app = new_app(desk) if "api" in roles else None
    try:
        if "redrive" in roles:
            await consumer.redrive()
            return 0
        return await serve(app=app, tasks=tasks, health=health, settings=settings)
    finally:
        await cluster.close()
        await office.close()
