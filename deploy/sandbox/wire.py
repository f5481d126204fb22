"""How the sandbox hangs up: the connection ends without an answer, as a broken line does."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class LineProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP, which also tells the application on which line a request came."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"sandbox.line": {"transport": self.transport}}


class HangUp(Response):
    """An answer that never comes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        line = scope.get("extensions", {}).get("sandbox.line")
        if line is None:
            # Served within a test's own process there is no line that could break.
            raise ConnectionAbortedError
        transport: asyncio.Transport = line["transport"]
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
