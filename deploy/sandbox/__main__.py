"""Runs the other side as one program of its own: python -m deploy.sandbox."""

import signal
import sys

import uvicorn

from deploy.sandbox.main import build
from deploy.sandbox.settings import SandboxSettings
from deploy.sandbox.wire import LineProtocol


def main() -> int:
    settings = SandboxSettings()
    config = uvicorn.Config(
        build(settings),
        host=settings.host,
        port=settings.port,
        http=LineProtocol,
        loop="uvloop",
        lifespan="on",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    # Uvicorn raises the signal again once it has stopped; a stop on order is not a failure.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
