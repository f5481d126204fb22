"""The servers and tools of many runs: one database per process, emptied between runs."""

import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from services.common.kit import keys, migrate
from services.payments.settings import Settings, Tier
from tests.payments.hostile.world import Tools
from tests.servers import PostgresServer

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of ours is made in it
TIERS: Final = (Tier(from_yuan=1_000, makers=1, checkers=1),)


def in_memory() -> Path | None:
    """Where a folder costs no disk, or None: anywhere."""
    return MEMORY if os.access(MEMORY, os.W_OK) else None


async def _migrate(url: str) -> None:
    await migrate.upgrade("services.payments", url)


@asynccontextmanager
async def tools(server: PostgresServer) -> AsyncGenerator[Tools]:
    template = await server.template("payments", _migrate)
    url = await server.make_database("payments", template, user="payments")
    with tempfile.TemporaryDirectory(prefix="hostile-", dir=in_memory()) as folder:
        keys_dir = Path(folder) / "keys"
        keys.ensure_keys(keys_dir)
        settings = Settings(
            database_url=url,
            keys_dir=keys_dir,
            profile="development",
            batch_wait_ms=20,
            approval_tiers=TIERS,
        )
        made = Tools(settings, server.as_superuser(url), Path(folder))
        await made.open()
        try:
            yield made
        finally:
            await made.close()
            await server.drop_database(url)
