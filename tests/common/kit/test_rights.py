"""What a service may do in its database, and what it may not: two roles, on a real server."""

import sys
from pathlib import Path

import asyncpg
import pytest

from deploy.local import postgres
from services.common.kit import clock, migrate
from services.common.kit.db import driver_dsn
from tests.conftest import MakeDatabase
from tests.servers import PostgresServer

PACKAGE = "desk_under_test"
CLERK = "desk_clerk"
FIRST = """
from services.common.kit import clock, migrate, outbox

revision, down_revision = "0001", None


def upgrade() -> None:
    migrate.execute((
        "create table note (id bigint generated always as identity primary key, said text)",
        "create table book (id bigint generated always as identity primary key, said text)",
        *outbox.DDL,
        *outbox.SETS_DDL,
    ))
    migrate.append_only("book")
"""
SECOND = """
from services.common.kit import clock, migrate

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    migrate.execute((
        "alter table book rename to ledger",
        "update ledger set said = said || '!'",
        "create table later (id int)",
    ))
"""


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / PACKAGE / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (folder / "0001_first.py").write_text(FIRST)
    return folder


class Two:
    """The two ways into one database: the clerk's and the owner's."""

    def __init__(self, clerk_url: str, owner_url: str) -> None:
        self.clerk_url = clerk_url
        self.owner_url = owner_url

    async def upgrade(self) -> None:
        await migrate.upgrade(PACKAGE, self.clerk_url, owner_url=self.owner_url)

    async def clerk(self, sql: str) -> object:
        return await run(self.clerk_url, sql)

    async def owner(self, sql: str) -> object:
        return await run(self.owner_url, sql)

    async def refused(self, *statements: str) -> None:
        for sql in statements:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await self.clerk(sql)


async def run(url: str, sql: str) -> object:
    connection = await asyncpg.connect(driver_dsn(url))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


@pytest.fixture
async def two(steps: Path, make_database: MakeDatabase, postgres_server: PostgresServer) -> Two:
    assert steps
    clerk_url = await make_database("kit_rights", user=CLERK)
    made = Two(clerk_url, postgres_server.as_superuser(clerk_url))
    await made.upgrade()
    return made


async def test_a_service_works_on_rows_and_not_on_what_they_lie_in(two: Two) -> None:
    assert await two.clerk("insert into note (said) values ('a') returning id") == 1
    assert await two.clerk("update note set said = 'b' returning said") == "b"
    assert await two.clerk("delete from note returning id") == 1
    await two.refused(
        "truncate note",
        "drop table note",
        "alter table note add column more int",
        "create table mine (id int)",
        "create function mine() returns int return 1",
        "create trigger mine before insert on note"
        " execute function suppress_redundant_updates_trigger()",
        "update alembic_version set version_num = '0000'",
        "delete from append_only",
    )


async def test_what_is_append_only_is_added_to_and_never_changed(two: Two) -> None:
    assert await two.clerk("insert into book (said) values ('a') returning id") == 1
    assert await two.clerk("select said from book") == "a"
    await two.refused(
        "update book set said = 'b'",
        "update book set said = said where false",
        "delete from book",
        "truncate book",
        "select * from book for update",
        f"set role {postgres.SUPERUSER}",
    )
    await two.clerk(f"grant update on book to {CLERK}")  # a warning, and no right
    await two.refused("update book set said = 'b'")


async def test_no_later_step_gives_back_what_was_taken(two: Two, steps: Path) -> None:
    await two.clerk("insert into book (said) values ('a')")
    await two.owner(f"grant all on book, note to {CLERK}")
    (steps / "0002_second.py").write_text(SECOND)
    await two.upgrade()
    assert await two.clerk("insert into later values (1) returning id") == 1
    assert await two.clerk("select said from ledger") == "a!"
    await two.refused("update ledger set said = 'b'", "delete from ledger", "truncate note")


async def test_a_month_of_the_outbox_is_made_and_dropped_by_the_owner_at_the_services_word(
    two: Two,
) -> None:
    month = "to_char(now() at time zone 'UTC' + interval '1 month', 'YYYYMM')"
    name = await two.owner(f"select 'outbox_' || {month}")
    await two.owner(f"drop table {name}")
    await two.clerk("select outbox_ensure_partitions()")
    assert await two.owner(f"select to_regclass('{name}')::text") == name
    await two.owner(
        "create table outbox_202001 partition of outbox"
        " for values from ('2020-01-01') to ('2020-02-01')"
    )
    assert await two.clerk("select outbox_drop_months(pg_current_snapshot())") == 1
    await two.refused(f"drop table {name}", f"table {name}")


async def test_migrating_makes_the_months_that_an_outbox_is_without(two: Two) -> None:
    months = """
        select string_agg(inhrelid::regclass::text, ', ' order by inhrelid::regclass::text)
        from pg_inherits where inhparent = 'outbox'::regclass
        """
    before = await two.owner(months)
    await two.owner(f"drop table {before}")
    assert await two.owner(months) is None
    await two.upgrade()
    assert await two.owner(months) == before
    await two.clerk(
        "insert into outbox (topic, partition, events, payload) values ('a', 0, 1, '[]')"
    )


THIS_YEAR = clock.now().year
# A table whose rows lie by years, with a row from before that tells no time.
BY_YEARS = (
    "create table said_default (id uuid primary key) with (fillfactor = 90)",
    "alter table said_default alter column id set statistics 7",
    "insert into said_default values ('f0000000-0000-8000-8000-000000000000')",
    "create table said (id uuid primary key) partition by range (id)",
    "alter table said attach partition said_default default",
)
YEARS = """
    select array_agg(array[relname::text, reloptions::text, attstattarget::text] order by relname)
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'id'
    where relname ~ '^said_[0-9]{4}$'
    """
AS_THE_OTHERS = ["{fillfactor=90}", "7"]


async def test_a_year_is_made_by_the_owner_before_it_begins_at_the_services_word(two: Two) -> None:
    this, following = f"said_{THIS_YEAR}", f"said_{THIS_YEAR + 1}"
    for statement in BY_YEARS:
        await two.owner(statement)
    await two.upgrade()
    assert await two.owner(YEARS) == [[this, *AS_THE_OTHERS], [following, *AS_THE_OTHERS]]
    said = await two.clerk("insert into said values (uuidv7()) returning id")
    assert await two.owner(f"table {this}") == said
    await two.owner(f"drop table {following}")
    assert await two.clerk("select make_years()") == 1
    assert await two.clerk("select make_years()") == 0
    await two.refused(f"table {following}", f"drop table {following}")


async def test_a_year_that_has_begun_in_one_table_with_others_stays_there(two: Two) -> None:
    for statement in (*BY_YEARS, "insert into said values (uuidv7())"):
        await two.owner(statement)
    await two.upgrade()
    assert await two.owner(YEARS) == [[f"said_{THIS_YEAR + 1}", *AS_THE_OTHERS]]


async def test_a_step_that_fails_gives_no_rights(two: Two, steps: Path) -> None:
    failing = SECOND.replace('"create table later (id int)"', '"create table note (id int)"')
    (steps / "0002_second.py").write_text(failing)
    with pytest.raises(Exception, match="already exists"):
        await two.upgrade()
    await two.refused("update book set said = 'b'")


async def test_one_role_for_both_goes_on_working_and_may_be_parted_later(
    two: Two, steps: Path, make_database: MakeDatabase, postgres_server: PostgresServer
) -> None:
    assert two
    assert steps
    whole = await make_database("kit_rights")
    for owner_url in (None, "", whole):
        await migrate.upgrade(PACKAGE, whole, owner_url=owner_url)
    await run(whole, "update book set said = 'b'")
    parted = Two(postgres_server.url(whole.partition("?")[0].rpartition("/")[2], CLERK), whole)
    await parted.refused("select said from book")
    await parted.upgrade()
    await parted.clerk("select said from book")
    await parted.refused("update book set said = 'b'")


async def test_a_service_that_still_owns_a_table_is_no_silent_success(two: Two) -> None:
    await two.owner(f"alter table book owner to {CLERK}")
    with pytest.raises(migrate.StillOwner, match=f"{CLERK} still owns book"):
        await two.upgrade()


async def test_a_table_that_is_not_there_cannot_be_append_only(two: Two, steps: Path) -> None:
    misspelt = SECOND.replace(
        "def upgrade() -> None:", "def upgrade() -> None:\n    migrate.append_only('boook')"
    )
    (steps / "0002_second.py").write_text(misspelt)
    with pytest.raises(Exception, match="null value"):
        await two.upgrade()
