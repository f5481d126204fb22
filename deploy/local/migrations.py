"""Brings the databases of all services to their newest shape, one after the other."""

import asyncio
import os

from deploy.local.settings import DATABASES
from services.common.kit import logs, migrate


async def upgrade_all() -> None:
    for name in DATABASES:
        package = name if name == "gateway" else f"services.{name}"
        await migrate.upgrade(
            package,
            os.environ[f"{name.upper()}_DATABASE_URL"],
            owner_url=os.environ[f"{name.upper()}_OWNER_DATABASE_URL"],
        )


if __name__ == "__main__":
    logs.configure(service="migrations", role="migrate")
    asyncio.run(upgrade_all())
