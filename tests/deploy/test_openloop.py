"""An open loop keeps to its plan, so that whoever is slow is seen to be slow."""

import asyncio
import itertools

from deploy.bench.openloop import STATUS_OF_NONE, fire

ANSWER_S = 0.3
REQUEST = b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def test_posts_leave_as_planned_although_no_answer_has_come() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(ANSWER_S)
        writer.write(ANSWER)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(slow, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        shots = await fire("127.0.0.1", port, [REQUEST] * 5, per_s=50.0)
    assert [shot.status for shot in shots] == [200] * 5
    assert [round(b.planned - a.planned, 6) for a, b in itertools.pairwise(shots)] == [0.02] * 4
    assert shots[-1].sent < shots[0].answered, "the last has left before the first was answered"
    assert all(shot.answered - shot.planned >= ANSWER_S for shot in shots)


async def test_a_post_whose_line_is_cut_counts_as_unanswered() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(rude, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        [shot] = await fire("127.0.0.1", port, [REQUEST], per_s=50.0)
    assert (shot.status, shot.body) == (STATUS_OF_NONE, b"")
