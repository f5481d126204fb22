"""What is counted and timed: one registry, the metrics that all services share, and `/metrics`."""

import time
from collections.abc import Sequence
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

http_requests = Counter("http_requests_total", "Requests answered", ["method", "route", "status"])
http_seconds = Histogram("http_request_seconds", "Time to answer", ["route"], buckets=_SECONDS)
http_calls = Counter("http_calls_total", "Calls to a peer, by outcome", ["peer", "outcome"])
consumer_rows = Counter("consumer_rows_total", "Events consumed", ["group", "topic"])
consumer_seconds = Histogram(
    "consumer_batch_seconds", "Time for a batch of events", ["group"], buckets=_SECONDS
)
relay_rows = Counter("relay_rows_total", "Events published", ["service"])
dead_letters = Counter("dead_letters_total", "Events set aside", ["group", "code"])
feed_rows = Counter("feed_rows_total", "Settlement rows of feeds, by outcome", ["outcome"])
payouts = Counter("payouts_total", "Payouts that reached a state", ["state"])
funds_low = Counter("funds_low_total", "Times payouts began to wait for a fund's money", ["fund"])
texts = Counter("texts_total", "Texts that reached a state", ["state"])


class HttpMetrics:
    """Counts requests by the template of their route, never by the path that was asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = route_template(scope)
            http_requests.labels(scope["method"], route, str(status)).inc()
            http_seconds.labels(route).observe(time.perf_counter() - began)


def route_template(scope: Scope) -> str:
    """Name the route that was matched, e.g. `/claims/{claim_id}`; `unmatched` where none was."""
    # FastAPI keeps the prefixes of included routers beside the route, in a drawer of its own.
    whole = scope.get("fastapi", {}).get("effective_route_context")
    for route, name in ((whole, "path_format"), (scope.get("route"), "path")):
        path = getattr(route, name, None)
        if isinstance(path, str) and path:
            return path
    return "unmatched"


async def _metrics(_request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def routes() -> Sequence[Route]:
    return (Route("/metrics", _metrics),)
