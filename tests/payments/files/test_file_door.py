"""The file door over HTTP, against a bank of a few lines that says what a test tells it."""

from collections.abc import Callable
from datetime import date
from http import HTTPStatus

import httpx
import pytest

from services.common.kit.http import Client
from services.payments.channels.base import Answer, Outcome, Payer, Result
from services.payments.channels.file_door import FileDoor
from services.payments.channels.p1_file import P1File
from services.payments.channels.p2_file import P2File
from services.payments.errors import ResultUnusable
from services.payments.model.batches import BatchFile
from tests.payments.files.csv_bank import a_page, a_row, a_statement
from tests.payments.files.other_side import P2_STEP, p2_result
from tests.payments.files.samples import BATCH_NO, DAY, PAYER, a_payee, instructions

FILE = BatchFile(BATCH_NO, f"DW_UNION01_20261122_{BATCH_NO}.txt", b"")
RESULT = f"GET /bank/files/{FILE.name}.ret"
BATCH = f"GET /bank/batches/{BATCH_NO}"
MOVEMENTS = f"GET /bank/accounts/{PAYER.account}/movements.csv"
STATEMENT = f"GET /bank/accounts/{PAYER.account}/statements/20261122.csv"

SENT = P2File(PAYER, Client("bank", "http://127.0.0.1:9")).render(
    BATCH_NO, DAY, instructions([(a_payee(), 100)] * 3)
)
WHOLE = p2_result(SENT)
ZEROS = b"T" + b"0" * 42


class ToldDoor:
    """Answers each question with what it was told, the last for ever; hangs up where untold."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.asked: list[str] = []

    def tell(self, question: str, *answers: tuple[int, bytes]) -> None:
        self.answers[question] = list(answers)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        self.asked.append(f"{request.method} {path}")
        told = self.answers.get(f"{request.method} {path.partition('?')[0]}")
        if told is None:
            raise httpx.ReadError("hung up")
        status, body = told.pop(0) if len(told) > 1 else told[0]
        return httpx.Response(status, content=body)


class Wire(httpx.AsyncBaseTransport):
    def __init__(self, door: ToldDoor) -> None:
        self._door = door

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._door.handle(request)


@pytest.fixture
def door() -> ToldDoor:
    return ToldDoor()


@pytest.fixture
def channel(door: ToldDoor) -> P2File:
    return P2File(PAYER, Client("bank", "http://bank", transport=Wire(door)))


NOT_FOUND = (404, b'{"code": "NOT_FOUND"}')


@pytest.mark.parametrize(
    ("make", "prefix", "lines"), [(P1File, "DF", 5_000), (P2File, "DW", 10**5)]
)
def test_each_profile_has_its_prefix_and_its_length(
    make: Callable[[Payer, Client], FileDoor], prefix: str, lines: int
) -> None:
    channel = make(PAYER, Client("bank", "http://bank"))
    assert channel.lines_max == lines
    assert (channel.prefix, channel.lines_max) == (prefix, lines)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((201, b"{}"), Answer(Outcome.DONE)),
        ((200, b"{}"), Answer(Outcome.DONE)),
        ((422, b'{"code": "F006"}'), Answer(Outcome.REFUSED, "F006")),
        ((422, b'{"code": "SOMETHING"}'), Answer(Outcome.UNKNOWN, "SOMETHING")),
        ((422, b"[]"), Answer(Outcome.UNKNOWN, "422")),
        ((409, b'{"code": "F010"}'), Answer(Outcome.UNKNOWN, "F010", number_taken=True)),
        ((500, b'{"code": "F006"}'), Answer(Outcome.UNKNOWN, "F006")),
        ((404, b"<html>"), Answer(Outcome.UNKNOWN, "404")),
        ((302, b""), Answer(Outcome.UNKNOWN, "302")),
    ],
)
async def test_only_the_banks_own_word_refuses_a_file(
    channel: P2File, door: ToldDoor, answer: tuple[int, bytes], expected: Answer
) -> None:
    door.tell(f"PUT /bank/files/{FILE.name}", answer)
    assert await channel.submit(FILE) == expected


async def test_a_lost_answer_is_not_known(channel: P2File) -> None:
    assert await channel.submit(FILE) == Answer(Outcome.UNKNOWN, "PEER_ANSWER_LOST")
    assert await channel.result(BATCH_NO, FILE.name) == Answer(Outcome.UNKNOWN, "PEER_ANSWER_LOST")
    assert await channel.movements("") is None
    assert await channel.statement(DAY) is None


async def test_a_whole_result_is_final_at_once(channel: P2File, door: ToldDoor) -> None:
    door.tell(RESULT, (200, WHOLE))
    found = await channel.result(BATCH_NO, FILE.name)
    assert isinstance(found, Result)
    assert found.final
    assert door.asked == [RESULT]


async def test_a_batch_is_not_found_where_neither_result_nor_batch_is(
    channel: P2File, door: ToldDoor
) -> None:
    door.tell(RESULT, NOT_FOUND)
    door.tell(BATCH, NOT_FOUND)
    found = await channel.result(BATCH_NO, FILE.name)
    assert found == Answer(Outcome.UNKNOWN, "NOT_FOUND", not_found=True)


@pytest.mark.parametrize("batch", [(200, b'{"status": "processing"}'), (500, b""), None])
async def test_a_batch_without_a_result_yet_is_only_not_known(
    channel: P2File, door: ToldDoor, batch: tuple[int, bytes] | None
) -> None:
    door.tell(RESULT, NOT_FOUND)
    if batch:
        door.tell(BATCH, batch)
    assert await channel.result(BATCH_NO, FILE.name) == Answer(Outcome.UNKNOWN, "NOT_FOUND")


async def test_a_file_refused_whole_says_so_in_place_of_its_result(
    channel: P2File, door: ToldDoor
) -> None:
    door.tell(RESULT, (422, b'{"code": "F004"}'))
    assert await channel.result(BATCH_NO, FILE.name) == Answer(Outcome.REFUSED, "F004")


def a_result_without_lines() -> bytes:
    return WHOLE[:P2_STEP] + ZEROS.ljust(200) + b"\r\n"


@pytest.mark.parametrize(
    ("batch", "final"),
    [
        ((200, b'{"status": "closed"}'), True),
        ((200, b'{"status": "processing"}'), False),
        ((200, b"closed"), False),
        ((404, b'{"status": "closed"}'), False),
    ],
)
async def test_missing_lines_were_not_taken_once_the_bank_has_closed(
    channel: P2File, door: ToldDoor, batch: tuple[int, bytes], *, final: bool
) -> None:
    door.tell(RESULT, (200, a_result_without_lines()))
    door.tell(BATCH, batch)
    found = await channel.result(BATCH_NO, FILE.name)
    assert isinstance(found, Result)
    assert (list(found.lines), found.final) == ([], final)


async def test_lines_that_came_before_the_batch_closed_are_read_after_it(
    channel: P2File, door: ToldDoor
) -> None:
    door.tell(RESULT, (200, a_result_without_lines()), (200, WHOLE))
    door.tell(BATCH, (200, b'{"status": "closed"}'))
    found = await channel.result(BATCH_NO, FILE.name)
    assert isinstance(found, Result)
    assert (len(found.lines), found.final) == (3, True)


async def test_a_result_that_goes_away_again_is_not_a_batch_that_never_was(
    channel: P2File, door: ToldDoor
) -> None:
    door.tell(RESULT, (200, a_result_without_lines()), NOT_FOUND)
    door.tell(BATCH, (200, b'{"status": "closed"}'))
    assert await channel.result(BATCH_NO, FILE.name) == Answer(Outcome.UNKNOWN, "NOT_FOUND")


async def test_a_spoilt_result_is_not_believed(channel: P2File, door: ToldDoor) -> None:
    door.tell(RESULT, (200, WHOLE[:-1]))
    with pytest.raises(ResultUnusable):
        await channel.result(BATCH_NO, FILE.name)


async def test_movements_go_on_from_their_mark(channel: P2File, door: ToldDoor) -> None:
    row = a_row(7, "贷", "5.00", "存入")
    door.tell(MOVEMENTS, (200, a_page(row).encode("gb18030")), (200, a_page().encode("gb18030")))
    first = await channel.movements("")
    assert first is not None
    assert (len(first.lines), first.mark) == (1, "7")
    second = await channel.movements(first.mark)
    assert second is not None
    assert (list(second.lines), second.mark) == ([], "7")
    assert door.asked == [f"{MOVEMENTS}?after=0", f"{MOVEMENTS}?after=7"]


async def test_a_statement_of_a_day_that_is_not_over_is_none_unless_asked_for_so_far(
    channel: P2File, door: ToldDoor
) -> None:
    text = a_statement("1.00", "6.00", a_row(7, "贷", "5.00", "存入")).encode("gb18030")
    door.tell(STATEMENT, NOT_FOUND, (200, text))
    assert await channel.statement(DAY) is None
    found = await channel.statement(DAY, upto_now=True)
    assert found is not None
    assert (found.day, found.closing_fen) == (DAY, 600)
    assert door.asked == [STATEMENT, f"{STATEMENT}?upto=now"]


@pytest.mark.parametrize("status", [HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_FOUND])
async def test_a_bank_that_does_not_answer_gives_no_movements(
    channel: P2File, door: ToldDoor, status: HTTPStatus
) -> None:
    door.tell(MOVEMENTS, (status, b""))
    door.tell(STATEMENT, (status, b""))
    assert await channel.movements("3") is None
    assert await channel.statement(DAY) is None


async def test_spoilt_movements_are_not_believed(channel: P2File, door: ToldDoor) -> None:
    door.tell(MOVEMENTS, (200, b"\r\n"))
    door.tell(STATEMENT, (200, b"\r\n"))
    with pytest.raises(ResultUnusable):
        await channel.movements("")
    with pytest.raises(ResultUnusable):
        await channel.statement(date(2026, 11, 22))
