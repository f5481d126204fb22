"""The sandbox within the test's own process: its clock can be set, and a test may look inside."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from deploy.sandbox.main import build
from deploy.sandbox.settings import SandboxSettings


class Line(httpx.AsyncBaseTransport):
    """A line to the sandbox that breaks where the sandbox hangs up."""

    def __init__(self, transport: httpx.ASGITransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._transport.handle_async_request(request)
        except ConnectionAbortedError as hung_up:
            raise httpx.RemoteProtocolError("hung up") from hung_up


@asynccontextmanager
async def opened(folder: Path, **settings: object) -> AsyncGenerator[httpx.AsyncClient]:
    """Open the sandbox over a folder of books, and close it as a kill would: nothing is tidied."""
    app = build(SandboxSettings.model_validate({"data_dir": folder, **settings}))
    line = Line(httpx.ASGITransport(app))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=line, base_url="http://bank") as client,
    ):
        yield client
