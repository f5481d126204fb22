"""The sandbox within the test's own process: its clock can be set, and a test may look inside."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from deploy.sandbox.main import build
from deploy.sandbox.settings import SandboxSettings
from tests.sandbox.conftest import CALL_WITHIN_S


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


async def closed(bank: httpx.AsyncClient, number: str) -> None:
    """Wait until every line of a batch is decided."""
    async with asyncio.timeout(CALL_WITHIN_S):
        while (await bank.get(f"/bank/batches/{number}")).json()["status"] != "closed":  # noqa: ASYNC110 - it is asked over HTTP, as a customer asks
            await asyncio.sleep(0.001)
