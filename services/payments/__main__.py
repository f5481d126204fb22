"""Which process to be; or the ledger verified at once, with what differs on the screen."""

import asyncio
import sys

from services.common.kit import logs
from services.common.kit.db import Database
from services.common.kit.process import main
from services.payments.main import run
from services.payments.settings import Settings
from services.payments.usecases.verify import verify

VERIFY = "verify-ledger"


def verify_ledger() -> int:
    """Reckon the whole ledger anew; status 1 where something differs from what was kept."""
    settings = Settings()  # pyright: ignore[reportCallIssue] - the environment gives what is required
    logs.configure(service="payments", role=VERIFY, level="warning")
    differs = asyncio.run(_verified(settings))
    sys.stdout.write(f"{differs}\n" if differs else "the ledger agrees with all that was kept\n")
    return int(differs is not None)


async def _verified(settings: Settings) -> str | None:
    database = Database(settings, application="payments verify")
    try:
        return await verify(database)
    finally:
        await database.close()


if __name__ == "__main__":
    if sys.argv[1:] == [VERIFY]:
        sys.exit(verify_ledger())
    main("services.payments", settings=Settings, run=run, apart=("redrive",))
