"""Calls to a peer: what is surely not done, what may be, and bounds on the rest."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.common.kit import auth
from services.common.kit.http import Answer, AnswerLost, Client, ClientBounds, Unreachable

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@asynccontextmanager
async def peer(behaviour: Peer) -> AsyncGenerator[str]:
    """Be a server that does with each connection as it is told."""
    open_connections: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(writer)
        try:
            await behaviour(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client has gone, as it may
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in open_connections:
            writer.transport.abort()
        await asyncio.sleep(0)


async def head_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def test_a_peer_that_is_not_there_was_surely_not_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with Client("claims", f"http://127.0.0.1:{port}") as client:
        with pytest.raises(Unreachable):
            await client.request("POST", "/settlements", json={})


async def test_an_answer_cut_short_means_it_may_have_been_done() -> None:
    async def hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await head_of(reader)

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(OK[:-1])
        await writer.drain()

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"garbage\r\n\r\n")
        await writer.drain()

    for behaviour in (hang_up, cut, babble):
        async with peer(behaviour) as url, Client("bank", url) as client:
            with pytest.raises(AnswerLost):
                await client.request("POST", "/batches", json={})


async def test_the_deadline_is_for_the_whole_call_however_it_trickles() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n")
        for _ in range(2_000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with peer(trickle) as url, Client("bank", url, ClientBounds(timeout_s=0.3)) as client:
        with pytest.raises(AnswerLost):
            await client.request("GET", "/")


async def test_an_endless_answer_is_given_up() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.transport.is_closing():
            writer.write(b"x" * 10_000)
            await writer.drain()

    bounds = ClientBounds(answer_bytes_max=100_000)
    async with peer(flood) as url, Client("bank", url, bounds) as client:
        with pytest.raises(AnswerLost):
            await client.request("GET", "/")


async def test_redirects_are_answers_and_are_not_followed() -> None:
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://x/\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    async with peer(elsewhere) as url, Client("bank", url) as client:
        assert (await client.request("GET", "/")).status == 302


async def test_a_storm_of_cancelled_calls_does_not_block_the_client_for_ever() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await head_of(reader)
            await asyncio.sleep(0.01)
            writer.write(OK)
            await writer.drain()

    async def impatient(client: Client, number: int) -> None:
        try:
            async with asyncio.timeout(0.001 * (number % 12)):
                await client.request("GET", "/")
        except (TimeoutError, AnswerLost, Unreachable):
            return

    bounds = ClientBounds(connections_max=4, connect_timeout_s=0.5, timeout_s=2)
    async with peer(slow) as url, Client("claims", url, bounds) as client:
        for _ in range(10):
            await asyncio.gather(*(impatient(client, number) for number in range(40)))
        answers = await asyncio.gather(*(client.request("GET", "/") for _ in range(40)))
        assert {answer.status for answer in answers} == {200}


async def test_a_call_that_finds_no_free_connection_in_time_was_surely_not_made() -> None:
    asked = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        asked.set()
        await asyncio.sleep(0.6)
        writer.write(OK)
        await writer.drain()

    bounds = ClientBounds(connections_max=1, connect_timeout_s=0.2)
    async with peer(hold) as url, Client("claims", url, bounds) as client:
        first = asyncio.create_task(client.request("GET", "/"))
        await asked.wait()
        with pytest.raises(Unreachable):
            await client.request("GET", "/")
        assert (await first).status == 200


async def test_a_refusal_that_comes_before_the_whole_body_is_heard() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 413 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.write_eof()
        await asyncio.sleep(0.2)

    async def upload() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 100_000

    async with peer(refuse) as url, Client("claims", url) as client:
        assert (await client.request("POST", "/", content=upload())).status == 413


async def test_what_goes_wrong_on_the_side_of_the_body_is_told_as_it_is() -> None:
    async def swallow(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(100_000):
            pass

    class TooLong(Exception):
        pass

    async def upload() -> AsyncIterator[bytes]:
        yield b"x" * 1_000
        raise TooLong

    async with peer(swallow) as url, Client("claims", url) as client:
        with pytest.raises(TooLong):
            await client.request("POST", "/", content=upload())


async def test_a_body_in_hand_goes_whole_with_its_length_and_no_type_of_its_own() -> None:
    seen: list[bytes] = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await head_of(reader)).lower()
            seen.append(head)
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
            writer.write(OK)
            await writer.drain()

    async with peer(count) as url, Client("bank", url) as client:
        for size in (3, 3_000_000):
            assert (await client.request("PUT", "/files/a%20b", content=b"x" * size)).status == 200
    assert all(head.startswith(b"put /files/a%20b http/1.1") for head in seen)
    assert not any(b"content-type" in head for head in seen)


def mirror() -> FastAPI:
    app = FastAPI()

    async def mirrored(request: Request) -> Response:
        chunks = [len(chunk) async for chunk in request.stream()]
        return JSONResponse({"headers": dict(request.headers), "bytes": sum(chunks)})

    async def streamed() -> Response:
        async def body() -> AsyncIterator[bytes]:
            for number in range(3):
                yield str(number).encode()

        return StreamingResponse(body())

    app.add_api_route("/mirror", mirrored, methods=["POST"])
    app.add_api_route("/streamed", streamed)
    return app


async def test_our_own_services_get_the_bearer_and_the_caller() -> None:
    transport = httpx.ASGITransport(mirror())
    async with Client("claims", "http://x", token="t0ken", transport=transport) as client:
        answer = await client.request("POST", "/mirror", caller=auth.member(UUID(int=7)))
        seen = answer.json()["headers"]
        assert seen["authorization"] == "Bearer t0ken"
        assert seen["x-caller"] == "member:00000000-0000-0000-0000-000000000007"
        assert "t0ken" not in repr(client)


async def test_strangers_get_neither() -> None:
    transport = httpx.ASGITransport(mirror())
    async with Client("bank", "http://x", transport=transport) as client:
        answer: Answer = await client.request("POST", "/mirror", content=b"12345")
        assert not {"authorization", "x-caller"} & set(answer.json()["headers"])


async def test_bodies_stream_both_ways() -> None:
    async def upload() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000

    transport = httpx.ASGITransport(mirror())
    async with Client("claims", "http://x", transport=transport) as client:
        sent = await client.request("POST", "/mirror", content=upload())
        assert sent.json()["bytes"] == 100_000
        async with client.stream("GET", "/streamed") as streamed:
            assert b"".join([chunk async for chunk in streamed.chunks]) == b"012"
