"""Two workers of every service: each does its share, one leads each job, the books are right."""

import os
import re
import zlib
from collections.abc import AsyncGenerator

import asyncpg
import httpx
import pytest

from deploy.demo import books
from deploy.demo.actors import Cast
from deploy.demo.dataset import Dataset
from deploy.demo.make_data import FIRST_DAY
from deploy.local.platform import Platform
from deploy.local.settings import free_port_env, worker_port
from services.common.kit.db import driver_dsn
from tests.servers import KAFKA_LIBS_DIR
from tests.system.uploads import enroll, quiet, settle

WORKERS = 2
CONSUMED = re.compile(
    r'^consumer_rows_total\{group="(\w+)",topic="([\w.]+)"\} ([\d.]+)', re.MULTILINE
)
TOPICS = {
    "claims": {"enrollment.member.v1", "enrollment.coverage.v1"},
    "payments": {"enrollment.member.v1", "claims.claim.v1"},
    "notify": {"enrollment.member.v1", "payments.payout.v1"},
}
# Who leads holds a lock under its job's name for as long as it does.
LEADERS = """
    select objid from pg_locks join pg_database d on d.oid = database
    where locktype = 'advisory' and granted and d.datname = current_database()
    """
JOBS = {
    "enrollment": ["relay", "rosters"],
    "claims": ["relay", "feed"],
    "payments": ["relay", "bank"],
    "notify": ["relay", "sender"],
}


@pytest.fixture
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    env = {
        **os.environ,
        **free_port_env(WORKERS),
        "WORKERS": str(WORKERS),
        "KAFKA_LIBS_DIR": str(KAFKA_LIBS_DIR),
        "KAFKA_HEAP_MB": "256",
        "PROFILE": "development",
    }
    platform = Platform(tmp_path_factory.mktemp("workers"), env)
    await platform.start()
    yield platform
    await platform.stop()


async def test_two_workers_share_the_work_and_the_books_are_right(
    stage: Platform, small: Dataset
) -> None:
    async with Cast(stage.settings.var_dir) as cast:
        admin, other_side = cast.staff("admin"), cast.other_side()
        await enroll(admin, small.rosters, FIRST_DAY.isoformat())
        _, feed = await settle(admin, small.feed_path.read_bytes())
        here = await quiet(admin)
        bank, texts = await other_side.bank_book(), await other_side.texts()
    assert feed["status"] == "done"
    phones = {one["card_number"]: one["phone"] for one in small.members}
    expected_fen = sum(books.fen(str(one.benefit)) for one in small.expected)
    checks = [
        *books.check_money(here, bank, expected_fen),
        *books.check_texts(bank, texts, phones.__getitem__),
        *books.check_quiet(here),
    ]
    assert [check for check in checks if not check.ok] == []
    for service, topics in TOPICS.items():
        for number in range(WORKERS):
            assert await _consumed(stage, service, number) == topics, (service, number)
    for service, jobs in JOBS.items():
        assert await _led(stage, service) == sorted(zlib.crc32(job.encode()) for job in jobs)


async def _consumed(stage: Platform, service: str, number: int) -> set[str]:
    """Give the topics of which a worker has consumed something."""
    async with httpx.AsyncClient() as client:
        address = stage.settings.url(worker_port(service, number))
        told = CONSUMED.findall((await client.get(f"{address}/metrics")).text)
    return {topic for group, topic, rows in told if group == service and float(rows)}


async def _led(stage: Platform, service: str) -> list[int]:
    connection = await asyncpg.connect(driver_dsn(stage.database_url(service)))
    try:
        return sorted(row["objid"] for row in await connection.fetch(LEADERS))
    finally:
        await connection.close()
