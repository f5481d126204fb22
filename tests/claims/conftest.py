"""A claims service in small: its database, its desk, members that it knows."""

from collections.abc import AsyncGenerator, Sequence
from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from services.claims.events import handler
from services.claims.main import new_desk
from services.claims.model import Outcome, Person
from services.claims.rows import COLUMNS, RowReader, texts_of
from services.claims.settings import Settings
from services.claims.usecases.desk import Incoming
from services.claims.usecases.intake import take_in
from services.claims.usecases.posts import Counter
from services.common.contracts.enrollment import CoverageActivated, MemberRegistered
from services.common.contracts.event import Event
from services.common.identity import IdNumber, born_on, sex_of
from services.common.ids import derived_id, new_id
from services.common.kit import clock, keys, migrate
from services.common.kit.db import Argument, Database, Row
from services.common.kit.sealing import new_salt
from tests.conftest import MakeDatabase
from tests.servers import PostgresServer
from tests.told import ROWS, events_in

SCHEME = "bj.mutual"
LONG_AGO = date(2012, 5, 1)


class ClaimsDesk:
    """Claims without its doors: what they call, and a look into its books."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings, application="tests")
        self.desk = new_desk(settings)
        self.hash_key = keys.secret(settings.keys_dir, keys.IDENTITY_INDEX)
        self.read = RowReader(COLUMNS, hash_key=self.hash_key, identity=self.desk.identity).read
        self.handle = handler(self.desk, self.read)
        self.all_rosters_are_in = True
        self.counter = Counter(self.database, self.desk, self.read, self._caught_up)
        self._salts: dict[str, bytes] = {}

    async def _caught_up(self) -> bool:
        return self.all_rosters_are_in

    def registered(
        self, id_number: str, *, version: int = 1, groups: tuple[str, ...] = ()
    ) -> MemberRegistered:
        member_id = derived_id("member", id_number)
        salt = self._salts.setdefault(id_number, new_salt())
        number = IdNumber(id_number)
        person = Person(born_on(number), sex_of(number), groups)
        seal, plain = self.desk.sealer.seal, msgspec.json.encode(person)
        return MemberRegistered(
            event_id=new_id(),
            at=clock.now(),
            version=version,
            member_id=member_id,
            identity_index=self.desk.identity.of(id_number),
            unit_code="unit-01",
            salts={"claims": self.desk.sealer.seal_salt("claims", member_id, salt)},
            person=seal("claims", "person", member_id, salt, plain),
        )

    def covered(
        self,
        id_number: str,
        *,
        scheme_id: str = SCHEME,
        starts_on: date = LONG_AGO,
        units: int = 1,
        version: int = 1,
    ) -> CoverageActivated:
        member_id = derived_id("member", id_number)
        return CoverageActivated(
            event_id=new_id(),
            at=clock.now(),
            version=version,
            member_id=member_id,
            coverage_id=derived_id("coverage", member_id, scheme_id),
            scheme_id=scheme_id,
            starts_on=starts_on,
            ends_on=None,
            units=units,
        )

    async def hear(self, *events: Event) -> None:
        async with self.database.begin() as unit:
            await self.handle(unit, events)

    async def enroll(self, *id_numbers: str) -> None:
        await self.hear(
            *(self.registered(number) for number in id_numbers),
            *(self.covered(number) for number in id_numbers),
        )

    def incoming(self, row: dict[str, str], line: int = 0) -> Incoming:
        texts = texts_of(row)
        return Incoming.of(texts, self.read(texts), line)

    async def take(self, *rows: dict[str, str]) -> list[Outcome]:
        async with self.database.begin() as unit:
            return await take_in(unit, self.desk, [*map(self.incoming, rows)], members_final=True)

    async def fetch(self, sql: str, *args: Argument) -> Sequence[Row]:
        async with self.database.begin() as unit:
            return await unit.fetch(sql, *args)

    async def granted(self, id_number: str) -> int:
        """Sum what a member was granted, in fen."""
        (row,) = await self.fetch(
            "select coalesce(sum(amount_fen), 0)::bigint from benefit_grant where member_id = $1",
            derived_id("member", id_number),
        )
        return row[0]

    async def published(self) -> list[str]:
        return [event["type"] for event in events_in(await self.fetch(ROWS))]


def member_id_of(id_number: str) -> UUID:
    return derived_id("member", id_number)


async def _migrated(url: str) -> None:
    await migrate.upgrade("services.claims", url)


@pytest.fixture
async def claims(
    make_database: MakeDatabase, postgres_server: PostgresServer, tmp_path: Path
) -> AsyncGenerator[ClaimsDesk]:
    keys.ensure_keys(tmp_path / "keys")
    template = await postgres_server.template("claims", _migrated)
    url = await make_database("claims", template=template, user="claims")
    desk = ClaimsDesk(Settings(database_url=url, var_dir=tmp_path, chunk_rows_max=50))
    yield desk
    await desk.database.close()
