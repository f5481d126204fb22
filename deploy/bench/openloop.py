"""Sends signed posts at their planned moments, whatever the answers do, and notes when each came.

Whoever waits for an answer before the next post measures only the posts that were not held up. The
requests are made before, so that nothing but writing and reading is done while the clock runs.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import httpx

from deploy.clients.hospital import HospitalAuth

LEAD_S = 0.2
ANSWER_LIMIT_S = 60.0
STATUS_OF_NONE = 0

_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Shot(NamedTuple):
    """One post: moments in seconds since 1970; status 0 where no answer came."""

    planned: float
    sent: float
    answered: float
    status: int
    body: bytes


def signed(auth: HospitalAuth, url: str, body: object) -> bytes:
    """Give a whole request as it goes over the line; its signature is good for some minutes."""
    request = httpx.Request("POST", url, json=body)
    auth.sign(request)
    head = [b"POST " + request.url.raw_path + b" HTTP/1.1"]
    head += [name + b": " + value for name, value in request.headers.raw]
    return b"\r\n".join(head) + b"\r\n\r\n" + request.content


async def fire(host: str, port: int, requests: Sequence[bytes], per_s: float) -> list[Shot]:
    """Send the requests evenly, each on a connection that is free, or on a new one."""
    free: list[_Line] = []
    clock_to_wall = time.time() - time.monotonic()
    begin = time.monotonic() + LEAD_S

    async def one(request: bytes, due: float) -> Shot:
        sent, status, body = time.monotonic(), STATUS_OF_NONE, b""
        line: _Line | None = None
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                line = free.pop() if free else await asyncio.open_connection(host, port)
                line[1].write(request)
                status, body = await _answer(line[0])
                free.append(line)
        except (OSError, TimeoutError, EOFError):
            if line is not None:
                line[1].close()
        ended = time.monotonic() + clock_to_wall
        return Shot(due + clock_to_wall, sent + clock_to_wall, ended, status, body)

    shots: list[asyncio.Task[Shot]] = []
    for place, request in enumerate(requests):
        due = begin + place / per_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        shots.append(asyncio.create_task(one(request, due)))
    found = await asyncio.gather(*shots)
    for _, writer in free:
        writer.close()
    return found


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.lower().split(b"\r\n")
    lengths = [line for line in lines if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2])
    return int(first.split()[1]), await reader.readexactly(length)
