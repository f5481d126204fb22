"""Migrations and idempotency keys, on a real database."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.common.errors import DomainError
from services.common.kit import clock, idempotency, migrate
from services.common.kit.db import Database
from services.common.kit.idempotency import KeyMalformed, KeyReused, StillWorking, StoredAnswer
from services.common.kit.settings import ServiceSettings
from tests.conftest import MakeDatabase

STEP = '''
"""A step of a service that exists only in this test."""
from services.common.kit import idempotency, migrate

revision = {revision!r}
down_revision = {before!r}


def upgrade() -> None:
    migrate.execute({statements})
'''
BODY = idempotency.digest("POST", "/claims", b"{}")


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "books_under_test" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    first = STEP.format(revision="0001", before=None, statements="idempotency.DDL")
    (folder / "0001_first.py").write_text(first)
    return folder


@pytest.fixture
async def database(steps: Path, make_database: MakeDatabase) -> AsyncGenerator[Database]:
    assert steps
    url = await make_database("kit_books")
    await asyncio.gather(*(migrate.upgrade("books_under_test", url) for _ in range(3)))
    made = Database(ServiceSettings(database_url=url, port=0), application="test")
    yield made
    await made.close()


async def claim(database: Database, key: str, body: bytes = BODY) -> StoredAnswer | None:
    async with database.begin() as unit:
        return await idempotency.claim(unit, "member:1", key, body)


async def settle(database: Database, key: str, status: int) -> None:
    async with database.begin() as unit:
        await idempotency.settle(unit, "member:1", key, StoredAnswer(status, b"answer"))


async def test_the_next_step_is_taken_once_and_its_colons_are_colons(
    database: Database, steps: Path
) -> None:
    statements = ["create table t (a text default to_char(now(), 'HH24:MI')::text)"]
    second = STEP.format(revision="0002", before="0001", statements=statements)
    (steps / "0002_second.py").write_text(second)
    for _ in range(2):
        await migrate.upgrade("books_under_test", database.url)
    async with database.begin() as unit:
        assert await unit.fetchval("select version_num from alembic_version") == "0002"
        assert await unit.fetchval("select count(*) from t") == 0


async def test_a_step_that_fails_leaves_nothing(database: Database, steps: Path) -> None:
    statements = ["create table half (a int)", "create table idempotency (a int)"]
    second = STEP.format(revision="0002", before="0001", statements=statements)
    (steps / "0002_second.py").write_text(second)
    with pytest.raises(Exception, match="already exists"):
        await migrate.upgrade("books_under_test", database.url)
    async with database.begin() as unit:
        assert await unit.fetchval("select to_regclass('half')") is None


async def test_the_same_request_again_gets_the_same_answer(database: Database) -> None:
    assert await claim(database, "k1") is None
    with pytest.raises(StillWorking):
        await claim(database, "k1")
    await settle(database, "k1", 201)
    assert await claim(database, "k1") == StoredAnswer(201, b"answer")
    await settle(database, "k1", 409)
    assert await claim(database, "k1") == StoredAnswer(201, b"answer")


async def test_the_same_key_with_another_request_is_refused(database: Database) -> None:
    other = idempotency.digest("POST", "/appeals", b"{}")
    assert other != BODY
    assert await claim(database, "k1") is None
    with pytest.raises(KeyReused):
        await claim(database, "k1", other)
    await settle(database, "k1", 200)
    with pytest.raises(KeyReused):
        await claim(database, "k1", other)


async def test_an_answer_of_5xx_is_not_kept(database: Database) -> None:
    assert await claim(database, "k1") is None
    await settle(database, "k1", 503)
    assert await claim(database, "k1") is None


async def test_of_many_at_once_one_works(database: Database) -> None:
    answers = await asyncio.gather(
        *(claim(database, "k1") for _ in range(30)), return_exceptions=True
    )
    assert answers.count(None) == 1
    assert all(isinstance(answer, StillWorking) for answer in answers if answer is not None)


async def test_a_key_whose_worker_died_is_taken_over(database: Database) -> None:
    with clock.set_to(datetime(2026, 1, 1, tzinfo=UTC)) as hands:
        assert await claim(database, "k1") is None
        hands.advance(idempotency.ABANDONED_AFTER)
        with pytest.raises(StillWorking):
            await claim(database, "k1")
        hands.advance(timedelta(seconds=1))
        assert await claim(database, "k1") is None


async def test_old_keys_are_forgotten(database: Database) -> None:
    with clock.set_to(datetime(2026, 1, 1, tzinfo=UTC)) as hands:
        assert await claim(database, "old") is None
        hands.advance(timedelta(days=2))
        assert await claim(database, "new") is None
        async with database.begin() as unit:
            assert await idempotency.forget(unit, timedelta(days=1)) == 1


@pytest.mark.parametrize("key", [None, "", "x" * 129, "ключ", "a\nb"])
def test_a_malformed_key_is_refused(key: str | None) -> None:
    with pytest.raises(KeyMalformed) as refused:
        idempotency.checked(key)
    assert isinstance(refused.value, DomainError)
    assert idempotency.checked("a-1") == "a-1"
