"""P1 and P2 against the sandbox's own doors: what it books is what we read, spoilt or not."""

import asyncio
import secrets
from collections.abc import AsyncGenerator

import pytest

from deploy.sandbox.bank import csvpages
from deploy.sandbox.bank.movements import Kind
from deploy.sandbox.bank.movements import Movement as Booked
from deploy.sandbox.clock import today
from services.common.ids import new_id
from services.common.kit.http import Client
from services.payments.channels.base import Answer, Outcome, Result
from services.payments.channels.csv_statement import read_movements
from services.payments.channels.file_door import FileDoor
from services.payments.channels.p1_file import P1File
from services.payments.channels.p2_file import P2File
from services.payments.errors import ResultUnusable
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.statements import MovementKind
from tests.payments.files.samples import DAY, PAYER, a_payee, instructions
from tests.sandbox.conftest import Sandbox

WITHIN_S = 30.0
OPENING_FEN = 1_000_000_000_000


@pytest.fixture
def account() -> str:
    """Give an account that nothing was booked on."""
    return str(10**11 + secrets.randbelow(10**11))


@pytest.fixture(params=[P1File, P2File])
async def channel(
    request: pytest.FixtureRequest, other_side: Sandbox, account: str
) -> AsyncGenerator[FileDoor]:
    async with Client("bank", f"http://127.0.0.1:{other_side.port}") as client:
        yield request.param(PAYER._replace(account=account), client)
    other_side.http.delete("/faults")


def a_batch(channel: FileDoor, lines: int = 3) -> tuple[list[Instruction], BatchFile]:
    """Write a batch to cards of its own; the second name is none of theirs."""
    cards = [str(6217 * 10**15 + secrets.randbelow(10**15)) for _ in range(lines)]
    sent = instructions([(a_payee("欧阳·娜娜", card), 100_00) for card in cards])
    return sent, channel.fix(new_id(), DAY, sent)


async def found_of(channel: FileDoor, file: BatchFile) -> Result:
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = await channel.result(file.batch_no, file.name)
            if isinstance(found, Result):
                return found
            await asyncio.sleep(0.02)


async def pay(channel: FileDoor, lines: int = 3) -> tuple[list[Instruction], BatchFile, Result]:
    sent, file = a_batch(channel, lines)
    assert (await channel.submit(file)).outcome is Outcome.DONE
    return sent, file, await found_of(channel, file)


async def test_what_was_paid_is_debited_per_batch_in_p1_and_per_transfer_in_p2(
    channel: FileDoor,
) -> None:
    sent, file, found = await pay(channel)
    assert {answer.outcome for answer in found.lines} == {Outcome.DONE}
    page = await channel.movements("")
    assert page is not None
    assert {(line.kind, line.batch_no) for line in page.lines} == {
        (MovementKind.PAYOUT, file.batch_no)
    }
    amounts = [line.signed_fen for line in page.lines]
    if isinstance(channel, P1File):
        assert amounts == [-300_00]
    else:
        assert amounts == [-100_00] * 3
        assert [line.instruction_id for line in page.lines] == [i.instruction_id for i in sent]
        assert {line.party for line in page.lines} == {sent[0].payee.name}
    again = await channel.movements(page.mark)
    assert again is not None
    assert (list(again.lines), again.mark) == ([], page.mark)


async def test_the_day_so_far_is_stated_with_its_balances(channel: FileDoor) -> None:
    await pay(channel)
    assert await channel.statement(today()) is None
    stated = await channel.statement(today(), upto_now=True)
    page = await channel.movements("")
    assert stated is not None
    assert page is not None
    assert (stated.opening_fen, stated.closing_fen) == (OPENING_FEN, OPENING_FEN - 300_00)
    assert stated.lines == page.lines


async def test_what_comes_back_and_what_else_moves_is_on_the_account(
    channel: FileDoor, other_side: Sandbox, account: str
) -> None:
    (first, second, _), _, _ = await pay(channel)
    paid = await channel.movements("")
    assert paid is not None
    moved = {"account": account, "party": "市总工会", "remark": "互助金"}
    for path, order in (
        ("returns", {"instruction_id": first.instruction_id, "reason": "0002"}),
        (
            "returns",
            {"instruction_id": second.instruction_id, "reason": "0001", "kind": "reversal"},
        ),
        ("deposits", moved | {"amount": "7.00"}),
        ("transfers", moved | {"amount": "2.00"}),
        ("transfers", moved | {"amount": "0.50", "kind": "fee"}),
    ):
        assert other_side.http.post(f"/bank/{path}", json=[order]).is_success
    page = await channel.movements(paid.mark)
    assert page is not None
    assert [(line.kind, line.signed_fen) for line in page.lines] == [
        (MovementKind.RETURN, 100_00),
        (MovementKind.REVERSAL, 100_00),
        (MovementKind.DEPOSIT, 7_00),
        (MovementKind.TRANSFER, -2_00),
        (MovementKind.FEE, -50),
    ]
    returned, reversed_, *_ = page.lines
    assert (returned.instruction_id, returned.reason) == (first.instruction_id, "ACCOUNT_CLOSED")
    assert (reversed_.instruction_id, reversed_.reason) == (second.instruction_id, "NAME_DIFFERS")
    assert page.lines[2].party.open() == "市总工会"
    stated = await channel.statement(today(), upto_now=True)
    assert stated is not None
    assert stated.closing_fen == OPENING_FEN - 300_00 + 200_00 + 4_50
    assert stated.lines == [*paid.lines, *page.lines]


async def test_a_batch_that_is_held_has_no_result_yet_and_is_not_unheard_of(
    channel: FileDoor, other_side: Sandbox
) -> None:
    _, file = a_batch(channel)
    other_side.order(target="bank_upload", kind="hold")
    assert (await channel.submit(file)).outcome is Outcome.DONE
    held = await channel.result(file.batch_no, file.name)
    assert held == Answer(Outcome.UNKNOWN, "NOT_FOUND")
    assert other_side.http.post("/bank/release").is_success
    assert len((await found_of(channel, file)).lines) == 3


async def test_a_refused_line_is_refused_for_its_reason(
    channel: FileDoor, other_side: Sandbox
) -> None:
    sent, file = a_batch(channel)
    closed = {"account": sent[1].payee.card.open(), "name": "欧阳娜娜", "status": "closed"}
    other_side.http.post("/bank/accounts", json=[closed])
    assert (await channel.submit(file)).outcome is Outcome.DONE
    found = await found_of(channel, file)
    assert [(a.outcome, a.reason) for a in found.lines] == [
        (Outcome.DONE, ""),
        (Outcome.REFUSED, "ACCOUNT_CLOSED"),
        (Outcome.DONE, ""),
    ]


@pytest.mark.parametrize(
    "kind", ["truncated", "garbage", "wrong_control_sum", "twice", "reencoded"]
)
async def test_a_spoilt_result_is_refused_whole_and_read_when_asked_again(
    channel: FileDoor, other_side: Sandbox, kind: str
) -> None:
    _, file, found = await pay(channel)
    other_side.order(target="bank_result", kind=kind)
    with pytest.raises(ResultUnusable):
        await channel.result(file.batch_no, file.name)
    assert await channel.result(file.batch_no, file.name) == found


async def test_a_stale_result_says_nothing_of_any_line(
    channel: FileDoor, other_side: Sandbox
) -> None:
    _, file, _ = await pay(channel)
    other_side.order(target="bank_result", kind="stale")
    stale = await found_of(channel, file)
    assert [a.outcome for a in stale.lines] == [Outcome.UNKNOWN] * 3
    assert not any(answer.moved_before for answer in stale.lines)


async def test_a_line_that_nobody_sent_stands_beside_those_that_we_did(
    channel: FileDoor, other_side: Sandbox
) -> None:
    sent, file, _ = await pay(channel)
    other_side.order(target="bank_result", kind="unknown_ids")
    found = await found_of(channel, file)
    ours = {line.instruction_id for line in sent}
    assert len([a for a in found.lines if a.instruction_id in ours]) == 3
    assert len(found.lines) == 4


@pytest.mark.parametrize("kind", ["twice", "out_of_order", "truncated"])
async def test_spoilt_movements_come_out_right_or_not_at_all(
    channel: FileDoor, other_side: Sandbox, kind: str
) -> None:
    await pay(channel)
    await pay(channel)
    page = await channel.movements("")
    for ask in (channel.movements(""), channel.statement(today(), upto_now=True)):
        other_side.order(target="bank_movements", kind=kind)
        if kind == "truncated":
            with pytest.raises(ResultUnusable):
                await ask
        else:
            found = await ask
            assert found is not None
            assert page is not None
            assert found.lines == page.lines
    assert await channel.movements("") == page


async def test_a_file_under_anothers_name_is_taken_and_not_refused(channel: FileDoor) -> None:
    _, file, _ = await pay(channel)
    _, other = a_batch(channel)
    answer = await channel.submit(file._replace(content=other.content))
    assert answer.outcome is Outcome.UNKNOWN
    assert answer.number_taken


async def test_a_file_that_the_bank_cannot_read_is_refused_whole_for_certain(
    channel: FileDoor,
) -> None:
    _, file = a_batch(channel)
    spoilt = file._replace(content=file.content[:-100])
    assert (await channel.submit(spoilt)).outcome is Outcome.REFUSED
    answer = await channel.result(file.batch_no, file.name)
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.REFUSED


def test_every_kind_of_movement_is_written_there_and_read_here() -> None:
    booked = [
        Booked(
            at="",
            ref=number,
            payer=PAYER.account,
            booked_on=DAY,
            kind=kind,
            amount_fen=number,
            code="0003" if kind is Kind.RETURN else "",
            party='𠮷, "丽"',
        )
        for number, kind in enumerate(Kind, 1)
    ]
    lines, mark = read_movements(csvpages.movements_page(booked), "")
    assert mark == str(len(booked))
    assert [(line.kind.value, line.signed_fen) for line in lines] == [
        (one.kind.value, one.signed_fen) for one in booked
    ]
    assert {line.party.open() for line in lines} == {'𠮷, "丽"'}
    assert [line.reason for line in lines if line.reason] == ["ACCOUNT_FROZEN"]
