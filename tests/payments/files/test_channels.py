"""What every way to a bank promises, shown on the file door and on the bank that tests tell."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import date

import pytest

from services.common.identity import CardNumber, PersonName
from services.common.ids import new_id
from services.common.kit.http import Client
from services.common.money import Fen
from services.payments.channels.base import Answer, BankChannel, Outcome, Result
from services.payments.channels.file_door import FileDoor
from services.payments.channels.p1_file import P1File
from services.payments.channels.p2_file import P2File
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee, instruction_id
from tests.payments.bank import PAYER, ToldBank
from tests.sandbox.conftest import Sandbox

DAY = date(2026, 11, 22)
CARD = "6217000000000000012"
WITHIN_S = 30.0


@pytest.fixture(params=["p1", "p2", "told"])
async def channel(
    request: pytest.FixtureRequest, other_side: Sandbox
) -> AsyncGenerator[BankChannel]:
    async with Client("bank", f"http://127.0.0.1:{other_side.port}") as client:
        match request.param:
            case "p1":
                yield P1File(PAYER, client)
            case "p2":
                yield P2File(PAYER, client)
            case _:
                yield ToldBank(P1File(PAYER, client), pays_at_once=True)


def a_batch(channel: BankChannel, lines: int = 3) -> tuple[list[Instruction], BatchFile]:
    payee = Payee(PersonName("王小明"), CardNumber(CARD), "工商银行")
    instructions = [
        Instruction(line, instruction_id(new_id(), 1), payee, Fen(line * 100))
        for line in range(1, lines + 1)
    ]
    return instructions, channel.fix(new_id(), DAY, instructions)


async def result_of(channel: BankChannel, file: BatchFile) -> Result:
    async with asyncio.timeout(WITHIN_S):
        while isinstance(found := await channel.result(file.batch_no, file.name), Answer):
            assert found.outcome is Outcome.UNKNOWN, "not ready is not refused"
            await asyncio.sleep(0.02)
    return found


async def test_a_batch_has_a_number_of_its_own_and_the_same_input_gives_the_same_bytes(
    channel: BankChannel,
) -> None:
    instructions, _ = a_batch(channel)
    batch_id = new_id()
    one, again = (channel.fix(batch_id, DAY, instructions) for _ in range(2))
    other = channel.fix(new_id(), DAY, instructions)
    assert one == again
    assert one.batch_no != other.batch_no
    assert one.name != other.name


async def test_every_line_is_answered_under_its_own_id_and_amount(channel: BankChannel) -> None:
    instructions, file = a_batch(channel)
    assert (await channel.submit(file)).outcome is Outcome.DONE
    found = await result_of(channel, file)
    assert found.final
    assert [(a.instruction_id, a.amount_fen, a.outcome) for a in found.lines] == [
        (line.instruction_id, line.amount_fen, Outcome.DONE) for line in instructions
    ]
    assert all(answer.paid_on for answer in found.lines)


async def test_the_same_bytes_again_only_ask(channel: BankChannel) -> None:
    _, file = a_batch(channel)
    for _ in range(3):
        assert (await channel.submit(file)).outcome is Outcome.DONE
    first = await result_of(channel, file)
    assert (await channel.submit(file)).outcome is Outcome.DONE
    assert await result_of(channel, file) == first


async def test_a_batch_the_bank_never_saw_is_not_known_and_not_refused(
    channel: BankChannel,
) -> None:
    _, file = a_batch(channel)
    answer = await channel.result(file.batch_no, file.name)
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.UNKNOWN
    if isinstance(channel, FileDoor):
        assert answer.not_found


async def test_a_bank_that_cannot_be_reached_is_not_known_either() -> None:
    async with Client("bank", "http://127.0.0.1:9") as nobody:
        channel = P1File(PAYER, nobody)
        _, file = a_batch(channel)
        assert (await channel.submit(file)).outcome is Outcome.UNKNOWN
        answer = await channel.result(file.batch_no, file.name)
        assert isinstance(answer, Answer)
        assert answer.outcome is Outcome.UNKNOWN
