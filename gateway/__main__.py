"""Which process to be: the door itself, `migrate`, or `bootstrap`."""

import asyncio
import sys

from gateway.bootstrap import bootstrap
from gateway.main import run
from gateway.settings import Settings
from services.common.kit.process import main

if __name__ == "__main__":
    if sys.argv[1:] == ["bootstrap"]:
        sys.exit(asyncio.run(bootstrap(Settings())))  # pyright: ignore[reportCallIssue] - the environment tells
    main("gateway", settings=Settings, run=run, roles=("api",))
