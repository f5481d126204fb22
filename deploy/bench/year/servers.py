"""What the servers behind the services tell of themselves: lags, HOT updates, space on disk."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local.platform import Platform
from deploy.local.postgres import SUPERUSER
from deploy.local.programs import embedded_postgres
from deploy.local.settings import DATABASES
from services.common.kit.kafka import Cluster, LogEnds

# Who stands behind whom: nothing is under way where none of them has anything before it.
BEHIND: Final = {
    "claims": ("enrollment.member.v1", "enrollment.coverage.v1"),
    "payments": ("enrollment.member.v1", "claims.claim.v1"),
    "notify": ("enrollment.member.v1", "payments.payout.v1"),
}
_UPDATES_MIN: Final = 1_000
_HOT: Final = """
    select relname, n_tup_upd, n_tup_hot_upd from pg_stat_user_tables
    where n_tup_upd >= $1 order by relname
    """

_HUGE_PAGES: Final = """
    select case current_setting('huge_pages_status') when 'on'
        then pg_size_bytes(current_setting('shared_memory_size')) >> 20 else 0 end
    """


@dataclass(frozen=True)
class _Bounds:
    kafka_bootstrap_servers: str
    kafka_timeout_s: float = 10.0
    worker_number: int = 0
    worker_count: int = 1


class Lags:
    """How many records, which are sets of events, each group has still before it."""

    def __init__(self, cluster: Cluster, ends: LogEnds) -> None:
        self._cluster = cluster
        self._ends = ends

    async def rows(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for group, topics in BEHIND.items():
            ends = await self._ends.read(topics)
            told = await self._cluster.told_positions(group)
            found[group] = sum(max(0, end - told.get(at, 0)) for at, end in ends.items())
        return found


@asynccontextmanager
async def lags(platform: Platform) -> AsyncGenerator[Lags]:
    bounds = _Bounds(platform.kafka_bootstrap)
    cluster, ends = Cluster(bounds), LogEnds(bounds)
    try:
        yield Lags(cluster, ends)
    finally:
        await cluster.close()
        await ends.close()


def dsn(platform: Platform, database: str) -> str:
    """Give the way into a database of the embedded server as its superuser."""
    return embedded_postgres(platform.settings).url(database, SUPERUSER, "postgresql")


async def empty_database(platform: Platform, name: str) -> str:
    connection = await asyncpg.connect(dsn(platform, "postgres"))
    try:
        await connection.execute(f"create database {name}")
    finally:
        await connection.close()
    return dsn(platform, name)


async def hot_update_share(platform: Platform) -> dict[str, float]:
    """Give, per table that is updated much, how many of its updates touched no index."""
    found: dict[str, float] = {}
    for database in DATABASES:
        connection = await asyncpg.connect(dsn(platform, database))
        try:
            rows = await connection.fetch(_HOT, _UPDATES_MIN)
        finally:
            await connection.close()
        for row in rows:
            share = row["n_tup_hot_upd"] / row["n_tup_upd"]
            found[f"{database}.{row['relname']}"] = round(share, 4)
    return found


async def huge_pages_mb(platform: Platform) -> int:
    """Give how much of PostgreSQL's shared memory lies in huge pages: all of it or nothing."""
    connection = await asyncpg.connect(dsn(platform, "postgres"))
    try:
        return await connection.fetchval(_HUGE_PAGES)
    finally:
        await connection.close()


def disk_gb(folder: Path) -> float:
    return round(sum(f.stat().st_blocks * 512 for f in folder.rglob("*") if f.is_file()) / 1e9, 2)
