"""Notify in small: its own database, and the sandbox's SMS provider at the other end."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from services.common.contracts.enrollment import (
    ContactChanged,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.event import Event, Reader
from services.common.contracts.notify import ReminderSent
from services.common.contracts.payments import (
    Actor,
    PayoutOverdue,
    PayoutPaid,
    PayoutRefused,
    PayoutReturned,
)
from services.common.ids import derived_id, new_id
from services.common.kit import clock, keys, migrate
from services.common.kit.db import Argument, Row
from services.common.kit.health import Health
from services.common.kit.sealing import Sealer, new_salt
from services.notify.main import Office, new_app, new_office
from services.notify.settings import Settings
from services.notify.store.fates import FATE
from services.notify.timers import Sender
from tests.conftest import MakeDatabase
from tests.sandbox.conftest import Sandbox
from tests.servers import PostgresServer
from tests.told import ROWS, events_for

# The provider takes a request this long after its date, in these tests.
EXPIRY_S = 2.0
UNIT = "U-0001"
WAIT_S = 30.0
REMINDERS = Reader([ReminderSent])

PayoutEvent = PayoutPaid | PayoutRefused | PayoutReturned | PayoutOverdue

_phones = count(13_800_000_001)


class Person:
    """A member as enrollment speaks of them."""

    def __init__(self, sealer: Sealer, surname: str = "张", unit_code: str = UNIT) -> None:
        self.member_id = new_id()
        self.surname = surname
        self.phone = str(next(_phones))
        self.unit_code = unit_code
        self._salt = new_salt()
        self._sealer = sealer

    def registered(self, version: int = 1) -> MemberRegistered:
        return MemberRegistered(
            event_id=new_id(),
            at=clock.now(),
            version=version,
            member_id=self.member_id,
            identity_index=bytes(16),
            unit_code=self.unit_code,
            salts={"notify": self._sealer.seal_salt("notify", self.member_id, self._salt)},
        )

    def contact(self, version: int = 1, phone: str | None = None) -> ContactChanged:
        content = {"surname": self.surname, "phone": phone or self.phone}
        return ContactChanged(
            event_id=new_id(),
            at=clock.now(),
            version=version,
            member_id=self.member_id,
            unit_code=self.unit_code,
            contact=self._sealed("contact", json.dumps(content)),
        )

    def payee(self, version: int = 1, tail: str = "0018") -> PayeeChanged:
        return PayeeChanged(
            event_id=new_id(),
            at=clock.now(),
            version=version,
            member_id=self.member_id,
            payee=b"",
            tail=self._sealed("tail", tail),
        )

    def introduction(self) -> list[Event]:
        return [self.registered(), self.contact(), self.payee()]

    def paid(self, amount_fen: int = 1_234_56, attempt_no: int = 1) -> PayoutPaid:
        return PayoutPaid(
            event_id=new_id(),
            at=clock.now(),
            version=2,
            member_id=self.member_id,
            payout_id=new_id(),
            claim_id=new_id(),
            attempt_no=attempt_no,
            payee_version=1,
            amount_fen=amount_fen,
            paid_on=date(2026, 7, 12),
        )

    def refused(self, reason: str = "NAME_DIFFERS", actor: Actor = "unit") -> PayoutRefused:
        return PayoutRefused(
            event_id=new_id(),
            at=clock.now(),
            version=2,
            member_id=self.member_id,
            payout_id=new_id(),
            claim_id=new_id(),
            attempt_no=1,
            payee_version=1,
            amount_fen=88_00,
            reason=reason,
            actor=actor,
        )

    def returned(
        self,
        reason: str = "ACCOUNT_CLOSED",
        actor: Actor = "member",
        after: PayoutPaid | None = None,
    ) -> PayoutReturned:
        """Give a payout back: the one that was paid, if it is told."""
        return PayoutReturned(
            event_id=new_id(),
            at=clock.now(),
            version=3,
            member_id=self.member_id,
            payout_id=after.payout_id if after else new_id(),
            claim_id=new_id(),
            attempt_no=1,
            payee_version=1,
            amount_fen=after.amount_fen if after else 88_00,
            reason=reason,
            actor=actor,
            returned_on=date(2026, 7, 15),
        )

    def overdue(self, payout: PayoutRefused | PayoutReturned, days: int) -> PayoutOverdue:
        return PayoutOverdue(
            event_id=new_id(),
            at=clock.now(),
            version=3,
            member_id=self.member_id,
            payout_id=payout.payout_id,
            claim_id=payout.claim_id,
            attempt_no=payout.attempt_no,
            payee_version=1,
            amount_fen=payout.amount_fen,
            reason=payout.reason,
            actor=payout.actor,
            days=days,
        )

    def _sealed(self, field: str, text: str) -> bytes:
        return self._sealer.seal("notify", field, self.member_id, self._salt, text.encode())


class NotifyDesk:
    """Notify without its processes: events go in by hand, texts are read at the provider."""

    def __init__(self, settings: Settings, provider: Sandbox) -> None:
        self.settings = settings
        self.provider = provider
        self.office: Office = new_office(settings)
        self.sealer = Sealer.from_dir(settings.keys_dir)
        self.app: FastAPI = new_app(settings, self.office.door)

    def person(self, surname: str = "张", unit_code: str = UNIT) -> Person:
        return Person(self.sealer, surname, unit_code)

    def officers(
        self, *people: tuple[str, str], unit_code: str = UNIT, version: int = 1
    ) -> OfficersChanged:
        unit_id = derived_id("unit", unit_code)
        content = json.dumps([{"name": name, "phone": phone} for name, phone in people])
        return OfficersChanged(
            event_id=new_id(),
            at=clock.now(),
            version=version,
            unit_id=unit_id,
            unit_code=unit_code,
            officers=self.sealer.seal("notify", "officers", unit_id, b"", content.encode()),
        )

    async def hear(self, *events: Event) -> None:
        async with self.office.database.begin() as unit:
            await self.office.teller.tell(unit, events)

    async def send_due(self) -> int:
        """Hand over what is due now; give how many calls that took."""
        calls = 0
        while taken := await self.office.sending.take(8, retries_first=True):
            await asyncio.gather(*map(self.office.sending.hand_over, taken))
            calls += len(taken)
        return calls

    async def ask_all(self) -> None:
        for kept in await self.office.sending.unknown():
            await self.office.sending.ask(kept)

    def sender(self) -> Sender:
        office = self.office
        return Sender(self.settings, office.database, office.sending, office.teller, Health())

    @contextlib.asynccontextmanager
    async def sender_at_work(self) -> AsyncGenerator[None]:
        stop = asyncio.Event()
        running = asyncio.create_task(self.sender().run(stop))
        try:
            yield
        finally:
            stop.set()
            await running

    def texts(self, *phones: str) -> list[dict[str, Any]]:
        """Give what the provider sent to these phones, oldest first."""
        body = self.provider.http.get("/sms/log").text
        lines = [json.loads(line) for line in body.splitlines() if line]
        return [line for line in lines if line["phone"] in phones]

    @staticmethod
    def code_in(content: str) -> str:
        """Read the code that mends the card off a text."""
        found = re.search("更正码([0-9A-Z]{10}),", content)
        assert found is not None, content
        return found[1]

    async def until_texts(self, number: int, *phones: str) -> list[dict[str, Any]]:
        async def there() -> bool:
            return len(self.texts(*phones)) >= number

        await until(there)
        return self.texts(*phones)

    async def until_state(self, state: str, event: PayoutEvent) -> None:
        async def reached() -> bool:
            return set(await self.states(event)) == {state}

        await until(reached)

    async def states(self, event: PayoutEvent) -> list[str]:
        """Give the states of the texts about a payout, the member's first."""
        rows = await self.fetch(
            f"select state from ({FATE}) as fate where payout_id = $1 order by recipient_no",  # noqa: S608 - a constant query
            event.payout_id,
        )
        return [row["state"] for row in rows]

    async def reminders(self, source_id: UUID) -> list[ReminderSent]:
        found = events_for(REMINDERS, await self.fetch(ROWS))
        return [e for e in found if isinstance(e, ReminderSent) and e.source_id == source_id]

    async def fetch(self, sql: str, *args: Argument) -> Sequence[Row]:
        async with self.office.database.begin() as unit:
            return await unit.fetch(sql, *args)

    async def execute(self, sql: str, *args: Argument) -> int:
        async with self.office.database.begin() as unit:
            return await unit.execute(sql, *args)


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something outside of this process has come about."""
    async with asyncio.timeout(WAIT_S):
        while not await reached():  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.05)


async def _migrated(url: str) -> None:
    await migrate.upgrade("services.notify", url)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("provider")
    running = Sandbox(folder, {"SANDBOX_SMS_DATE_WINDOW_S": str(EXPIRY_S)})
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def make_desk(
    make_database: MakeDatabase,
    postgres_server: PostgresServer,
    tmp_path: Path,
    provider: Sandbox,
) -> AsyncGenerator[Callable[..., Any]]:
    """Open notify over a fresh database; knobs can be set."""
    keys.ensure_keys(tmp_path / "keys")
    template = await postgres_server.template("notify", _migrated)
    url = await make_database("notify", template, user="notify")
    opened: list[NotifyDesk] = []

    def make(**knobs: object) -> NotifyDesk:
        told: dict[str, Any] = {
            "database_url": url,
            "var_dir": tmp_path,
            "profile": "development",
            "sms_url": f"http://127.0.0.1:{provider.port}",
            "sms_request_expiry_s": EXPIRY_S,
            "sms_request_expiry_margin_s": 0.2,
            "retry_first_s": 0.1,
            "channel_pause_s": 0.1,
            "ask_first_s": 0.1,
            **knobs,
        }
        opened.append(NotifyDesk(Settings(**told), provider))
        return opened[-1]

    provider.http.delete("/faults")
    yield make
    for desk in opened:
        await desk.office.close()


@pytest.fixture
def notify(make_desk: Callable[..., NotifyDesk]) -> NotifyDesk:
    return make_desk()


@pytest.fixture
def fresh_phone() -> Callable[[], str]:
    return lambda: str(next(_phones))
