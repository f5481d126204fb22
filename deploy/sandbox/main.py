"""Puts the sandbox together: books are read first, then the doors open."""

import asyncio
import os
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.cmb.door import CmbDoor
from deploy.sandbox.bank.files import FileCounter
from deploy.sandbox.bank.hand import Hand
from deploy.sandbox.bank.iso.door import IsoDoor
from deploy.sandbox.bank.statements import StatementCounter
from deploy.sandbox.books import hold
from deploy.sandbox.faults import Faults
from deploy.sandbox.settings import SandboxSettings
from deploy.sandbox.sms.acs3 import Gatekeeper
from deploy.sandbox.sms.api import Door
from deploy.sandbox.sms.provider import Provider
from deploy.sandbox.sms.receipts import Receipts
from deploy.sandbox.sms.templates import Templates
from deploy.sandbox.wechat import WeChat


def build(settings: SandboxSettings) -> FastAPI:
    """Give the sandbox, at work during its lifespan; after it the books may be opened anew."""
    held = hold(settings.data_dir)
    faults = Faults()
    bank = Bank(settings)
    iso = IsoDoor(bank, faults, settings.iso_dir or settings.data_dir / "iso20022")
    sms_folder = settings.data_dir / "sms"
    templates = Templates(settings.sms_templates, sms_folder / "templates.jsonl")
    provider = Provider(sms_folder, templates)
    receipts = Receipts(settings, sms_folder, provider)
    keys = {settings.sms_access_key_id: settings.sms_access_key_secret}
    gatekeeper = Gatekeeper(keys, settings.sms_date_window_s)
    for offset, call in provider.read_log():
        gatekeeper.remember(call.nonce, datetime.fromisoformat(call.at))
        receipts.take_up(offset, call)
    door = Door(gatekeeper, templates, provider, receipts, faults)

    @asynccontextmanager
    async def at_work(_app: FastAPI) -> AsyncGenerator[None]:
        tasks = [asyncio.create_task(one) for one in (bank.work(), iso.work(), receipts.work())]
        for task in tasks:
            task.add_done_callback(_end_if_failed)
        try:
            yield
        finally:
            # In its turn: what the bank is just writing is written.
            async with bank.state.turn:
                for task in tasks:
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            held.close()

    app = FastAPI(title="Sandbox: bank, SMS provider, WeChat", lifespan=at_work)
    app.state.bank = bank
    app.include_router(FileCounter(bank, faults, settings).routes())
    app.include_router(StatementCounter(bank, faults).routes())
    app.include_router(Hand(bank).routes())
    app.include_router(iso.routes())
    app.include_router(CmbDoor(bank, faults, settings).routes())
    app.include_router(door.routes())
    app.include_router(WeChat(settings, faults).routes())
    app.include_router(faults.routes())
    for path in ("/healthz", "/readyz"):
        app.add_api_route(path, _well, methods=["GET"], tags=["health"])
    return app


async def _well() -> dict[str, str]:
    return {"status": "ok"}


def _end_if_failed(task: "asyncio.Task[None]") -> None:
    """End the program with its worker: half a bank would answer and never book."""
    if not task.cancelled() and (failure := task.exception()):
        traceback.print_exception(failure)
        os._exit(1)
