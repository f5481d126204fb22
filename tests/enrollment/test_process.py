"""The whole process, as it is started: migrated, ready, at work, and stopped in good order."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from deploy.local.settings import free_ports
from services.common.contracts.enrollment import CoverageActivated, MemberRegistered
from services.common.kit import auth, keys
from services.enrollment.settings import Settings
from tests.conftest import MakeDatabase
from tests.enrollment.conftest import ADMIN, OFFICER
from tests.enrollment.people import csv_of, workers
from tests.servers import KafkaServer, PostgresServer

PATIENCE_S = 60


@asynccontextmanager
async def process(*arguments: str, env: Mapping[str, str]) -> AsyncGenerator[asyncio.Future[int]]:
    """Run the service with these arguments; the block gets its exit status to be."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.enrollment",
        *arguments,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.DEVNULL,
    )
    ended = asyncio.ensure_future(started.wait())
    try:
        yield ended
        if not ended.done():
            started.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            assert await ended == 0
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def until_it_says(client: httpx.AsyncClient, path: str, word: str) -> httpx.Response:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                answer = await client.get(path)
                if word in answer.text:
                    return answer
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def test_a_roster_goes_through_the_process_and_out_to_kafka(
    make_database: MakeDatabase,
    postgres_server: PostgresServer,
    kafka_server: KafkaServer,
    tmp_path: Path,
) -> None:
    keys.ensure_keys(tmp_path / "keys")
    for topic in (MemberRegistered.topic, CoverageActivated.topic):
        await kafka_server.make_topic(topic)
    url, [port] = await make_database("enrollment", user="enrollment"), free_ports(1)
    env = {
        "ENROLLMENT_DATABASE_URL": url,
        "ENROLLMENT_PORT": str(port),
        "KAFKA_BOOTSTRAP_SERVERS": kafka_server.bootstrap,
        "VAR_DIR": str(tmp_path),
    }
    owner = {"ENROLLMENT_OWNER_DATABASE_URL": postgres_server.as_superuser(url)}
    async with process("migrate", env={**env, **owner}) as migrated:
        assert await migrated == 0
    token = auth.internal_token(Settings(database_url=url, var_dir=tmp_path))
    async with (
        process(env=env),
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {token}", auth.CALLER_HEADER: ADMIN.header()},
        ) as client,
    ):
        await until_it_says(client, "/readyz", '"ready":true')
        stated = {"name": "第一机床厂工会", "staff_count": 500}
        assert (await client.put("/units/unit-01", json=stated)).status_code == 201
        posted = await client.post(
            "/rosters",
            headers={auth.CALLER_HEADER: OFFICER.header()},
            data={"unit": "unit-01", "from": "2012-05-01"},
            files={"file": ("roster.csv", csv_of(workers(30)))},
        )
        done = await until_it_says(client, f"/rosters/{posted.json()['roster_id']}", '"done"')
        assert done.json()["accepted"] == 30
        books = (await client.get("/books")).json()
        assert books == {"members": 30, "coverages": 30, "events_pending": 0, "dead_letters": 0}
