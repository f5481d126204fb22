"""An enrollment service in small: its database, its doors, and a clerk who works rosters off."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from services.common.contracts.enrollment import (
    ContactChanged,
    CoverageActivated,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.event import Event, Reader
from services.common.ids import derived_id
from services.common.kit import auth, keys, migrate
from services.common.kit.auth import Caller
from services.common.kit.db import Argument, Database, Row
from services.common.kit.health import Health
from services.common.kit.sealing import Opener
from services.enrollment.main import new_app, new_desk
from services.enrollment.settings import Settings
from services.enrollment.timers import RosterClerk
from tests.conftest import MakeDatabase
from tests.enrollment.people import Worker, csv_of
from tests.servers import PostgresServer
from tests.told import ROWS, events_for

OFFICER = auth.staff(derived_id("staff", "officer"), "filing_officer")
ADMIN = auth.staff(derived_id("staff", "admin"), "admin")
GATEWAY = auth.service("gateway")
TOLD = (ContactChanged, CoverageActivated, MemberRegistered, OfficersChanged, PayeeChanged)


class EnrollmentDesk:
    """Enrollment with its doors, and a look into its books."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings, application="tests")
        self.desk = new_desk(settings, self.database)
        app = new_app(settings, self.desk)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://enrollment",
            headers={"authorization": f"Bearer {auth.internal_token(settings)}"},
        )
        self._reader = Reader(TOLD)

    async def close(self) -> None:
        await self.client.aclose()
        await self.database.close()

    async def ask(
        self, method: str, path: str, caller: Caller = OFFICER, *, json: object = None
    ) -> httpx.Response:
        told = {auth.CALLER_HEADER: caller.header()}
        return await self.client.request(method, path, headers=told, json=json)

    async def make_unit(self, code: str = "unit-01", **stated: object) -> httpx.Response:
        body = {"name": "第一机床厂工会", "staff_count": 500, **stated}
        return await self.ask("PUT", f"/units/{code}", ADMIN, json=body)

    async def post_roster(
        self,
        content: bytes | Iterable[Worker],
        *,
        unit: str = "unit-01",
        starts: str = "2012-05-01",
        caller: Caller = OFFICER,
    ) -> httpx.Response:
        file = content if isinstance(content, bytes) else csv_of(content)
        return await self.client.post(
            "/rosters",
            headers={auth.CALLER_HEADER: caller.header()},
            data={"unit": unit, "from": starts},
            files={"file": ("roster.csv", file)},
        )

    async def upload(
        self,
        content: bytes | Iterable[Worker],
        *,
        unit: str = "unit-01",
        starts: str = "2012-05-01",
    ) -> dict[str, Any]:
        """Post a roster, work it off, let its events be published, and give how it ended."""
        posted = await self.post_roster(content, unit=unit, starts=starts)
        assert posted.status_code == 202, posted.text
        await self.work_off()
        await self.publish_all()
        return (await self.ask("GET", f"/rosters/{posted.json()['roster_id']}")).json()

    async def work_off(self) -> None:
        """Let the clerk work until no roster is open."""
        stop = asyncio.Event()
        clerk = RosterClerk(self.settings, self.desk, Health())
        working = asyncio.create_task(clerk.run(stop))
        async with asyncio.timeout(60):
            while await self.value(
                "select count(*) from rosters where status in ('queued', 'running')"
            ):
                assert not working.done(), working
                await asyncio.sleep(0.01)
        stop.set()
        await working

    async def publish_all(self) -> None:
        """Write what the relay would, had Kafka acknowledged everything."""
        await self.fetch(
            "update relay_state set prev = pg_current_snapshot()::text,"
            " cur = pg_current_snapshot()::text, last_id = 0"
        )

    async def fetch(self, sql: str, *args: Argument) -> Sequence[Row]:
        async with self.database.begin() as unit:
            return await unit.fetch(sql, *args)

    async def value(self, sql: str, *args: Argument) -> Any:  # noqa: ANN401 (a column of any type)
        async with self.database.begin() as unit:
            return await unit.fetchval(sql, *args)

    async def events(self, *, after: int = 0) -> list[Event]:
        """Read what was told, in order, without the first ones."""
        return events_for(self._reader, await self.fetch(ROWS))[after:]

    async def member_id(self, worker: Worker) -> UUID:
        found = await self.ask("POST", "/members/search", json={"id_number": worker.id_number})
        assert found.status_code == 200, found.text
        return UUID(found.json()["member_id"])

    async def coverages(self, worker: Worker) -> list[dict[str, Any]]:
        path = f"/members/{await self.member_id(worker)}/coverages"
        return (await self.ask("GET", path)).json()["coverages"]

    def opened(self, recipient: str, field: str, event: Event, salt: bytes, value: bytes) -> object:
        """Open a value as its recipient does."""
        opener = Opener.from_dir(self.settings.keys_dir, recipient)
        return msgspec.json.decode(opener.open(field, event.aggregate_id, salt, value))


async def _migrated(url: str) -> None:
    await migrate.upgrade("services.enrollment", url)


@pytest.fixture
async def enrollment(
    make_database: MakeDatabase, postgres_server: PostgresServer, tmp_path: Path
) -> AsyncGenerator[EnrollmentDesk]:
    keys.ensure_keys(tmp_path / "keys")
    template = await postgres_server.template("enrollment", _migrated)
    url = await make_database("enrollment", template=template, user="enrollment")
    desk = EnrollmentDesk(
        Settings(
            database_url=url,
            var_dir=tmp_path,
            roster_chunk_rows=10,
            roster_poll_ms=20,
            roster_retry_pause_ms=1,
        )
    )
    yield desk
    await desk.close()
