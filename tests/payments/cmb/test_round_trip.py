"""Against the sandbox's API door, which was written apart: what one writes, the other reads."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import date
from typing import Final

import pytest
from gmalg import SM2

from services.common.identity import CardNumber
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.http import Client, ClientBounds
from services.common.money import Fen
from services.payments.channels.base import Answer, Outcome, Result
from services.payments.channels.cmb.channel import Cmb
from services.payments.channels.cmb.envelope import Keys
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.statements import Movement, MovementKind
from tests.payments.cmb.bank import PAYER, a_batch
from tests.sandbox.conftest import Sandbox

WITHIN_S: Final = 30.0
OPENING_FEN: Final = 10_000_000_000_00


@pytest.fixture(scope="module")
async def bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Sandbox, Keys]]:
    ours, theirs = (SM2().generate_keypair()[0].rjust(32, b"\0") for _ in range(2))
    sm4_key = bytes(range(16))
    running = Sandbox(
        tmp_path_factory.mktemp("bank"),
        {
            "SANDBOX_CMB_SM4_KEY": sm4_key.hex(),
            "SANDBOX_CMB_BANK_PRIVATE_KEY": theirs.hex(),
            "SANDBOX_CMB_CLIENT_PUBLIC_KEY": SM2().generate_pk(ours).hex(),
        },
    )
    running.start()
    yield running, Keys("SANDBOX001", sm4_key, ours, SM2().generate_pk(theirs))
    running.stop()


@pytest.fixture
def account() -> str:
    """Give every test an account of its own."""
    return f"7559{a_number()}"


def a_number() -> str:
    return f"{new_id().int % 10**15:015d}"


@pytest.fixture
async def channel(bank: tuple[Sandbox, Keys], account: str) -> AsyncGenerator[Cmb]:
    running, keys = bank
    running.http.delete("/faults")
    bounds = ClientBounds(timeout_s=20.0)
    async with Client("bank", f"http://127.0.0.1:{running.port}", bounds) as client:
        yield Cmb(PAYER._replace(account=account), keys, client)


@pytest.fixture
def sandbox(bank: tuple[Sandbox, Keys]) -> Sandbox:
    return bank[0]


def fixed(channel: Cmb, lines: list[Instruction]) -> BatchFile:
    return channel.fix(new_id(), clock.today(), lines)


def go_through(sandbox: Sandbox, calls: int) -> None:
    """Let so many calls through before the next fault strikes."""
    if calls:
        sandbox.order(target="cmb", kind="delay", delay_s=0.001, times=calls)


async def paid(channel: Cmb, lines: list[Instruction]) -> BatchFile:
    file = fixed(channel, lines)
    assert await channel.submit(file) == Answer(Outcome.DONE)
    return file


async def result_of(channel: Cmb, file: BatchFile) -> Result:
    async with asyncio.timeout(WITHIN_S):
        while isinstance(found := await channel.result(file.batch_no, file.name), Answer):
            assert found.outcome is Outcome.UNKNOWN, "in process is not refused"
            await asyncio.sleep(0.02)
    return found


async def movements_of(channel: Cmb) -> list[Movement]:
    lines: list[Movement] = []
    mark = ""
    while (page := await channel.movements(mark)) and page.lines:
        lines += page.lines
        mark = page.mark
    return lines


async def test_five_thousand_lines_are_paid_and_each_part_is_debited(channel: Cmb) -> None:
    lines = a_batch(5_000)
    file = await paid(channel, lines)
    found = await result_of(channel, file)
    assert found.final
    assert [(line.instruction_id, line.amount_fen, line.outcome) for line in found.lines] == [
        (line.instruction_id, line.amount_fen, Outcome.DONE) for line in lines
    ]
    assert len({line.bank_serial for line in found.lines}) == 5_000
    assert {line.paid_on for line in found.lines} == {clock.today()}
    debits = await movements_of(channel)
    assert {(line.kind, line.batch_no) for line in debits} == {(MovementKind.PAYOUT, file.batch_no)}
    assert [line.signed_fen for line in debits] == [
        -sum(line.amount_fen for line in lines[start : start + 1_000])
        for start in range(0, 5_000, 1_000)
    ]


@pytest.mark.parametrize("part", [1, 3])
@pytest.mark.parametrize("kind", ["drop_request", "drop_answer", "busy", "garbage"])
async def test_whatever_goes_wrong_at_any_part_every_line_is_paid_once(
    channel: Cmb, sandbox: Sandbox, kind: str, part: int
) -> None:
    lines = a_batch(2_100)
    file = fixed(channel, lines)
    go_through(sandbox, part - 1)
    sandbox.order(target="cmb", kind=kind)
    answer = await channel.submit(file)
    assert answer._replace(code="") == Answer(Outcome.UNKNOWN)
    assert await channel.submit(file) == Answer(Outcome.DONE)
    assert await channel.submit(file) == Answer(Outcome.DONE)
    found = await result_of(channel, file)
    assert {line.outcome for line in found.lines} == {Outcome.DONE}
    assert sum(line.signed_fen for line in await movements_of(channel)) == -sum(
        line.amount_fen for line in lines
    )


async def test_refusals_returns_and_reversals_come_back_with_their_reasons(
    channel: Cmb, sandbox: Sandbox
) -> None:
    lines = a_batch(4)
    for place, status in ((0, "closed"), (1, "frozen")):
        card = f"62{a_number()}"
        payee = lines[place].payee._replace(card=CardNumber(card))
        lines[place] = lines[place]._replace(payee=payee)
        order = [{"account": card, "name": payee.name.open(), "status": status}]
        assert sandbox.http.post("/bank/accounts", json=order).is_success
    found = await result_of(channel, await paid(channel, lines))
    assert [line.reason for line in found.lines] == ["ACCOUNT_CLOSED", "ACCOUNT_FROZEN", "", ""]
    orders = [
        {"instruction_id": lines[2].instruction_id, "reason": "0001", "kind": "return"},
        {"instruction_id": lines[3].instruction_id, "reason": "0006", "kind": "reversal"},
    ]
    assert sandbox.http.post("/bank/returns", json=orders).is_success
    _, returned, reversed_ = await movements_of(channel)
    assert (returned.kind, returned.instruction_id, returned.signed_fen, returned.reason) == (
        MovementKind.RETURN, lines[2].instruction_id, lines[2].amount_fen, "NAME_DIFFERS",
    )  # fmt: skip
    assert (reversed_.kind, reversed_.instruction_id, reversed_.reason) == (
        MovementKind.REVERSAL, lines[3].instruction_id, "NO_SUCH_ACCOUNT",
    )  # fmt: skip


async def test_the_same_id_in_another_batch_has_moved_before(channel: Cmb) -> None:
    lines = a_batch(2)
    await result_of(channel, await paid(channel, lines))
    again = await result_of(channel, await paid(channel, lines))
    assert [(line.outcome, line.moved_before) for line in again.lines] == [
        (Outcome.UNKNOWN, True)
    ] * 2
    assert len(await movements_of(channel)) == 1


async def test_other_content_under_a_number_is_number_taken(channel: Cmb) -> None:
    file = await paid(channel, a_batch(2))
    other = file._replace(content=file.content.replace(b'"trsamt":"1.01"', b'"trsamt":"1.00"'))
    assert await channel.submit(other) == Answer(Outcome.UNKNOWN, "NCB003", number_taken=True)


async def test_parts_whose_sums_differ_are_refused_whole_for_ever(channel: Cmb) -> None:
    file = fixed(channel, a_batch(2))
    wrong = file._replace(content=file.content.replace(b'"ttlamt":"2.03"', b'"ttlamt":"2.04"'))
    assert await channel.submit(wrong) == Answer(Outcome.REFUSED, "NCB005")
    assert await channel.submit(wrong) == Answer(Outcome.REFUSED, "NCB005")
    assert await channel.result(file.batch_no, file.name) == Answer(Outcome.REFUSED, "R")
    assert await movements_of(channel) == []


async def test_a_batch_that_never_came_is_not_found_and_half_a_batch_is_in_process(
    channel: Cmb, sandbox: Sandbox
) -> None:
    file = fixed(channel, a_batch(1_001))
    never = await channel.result(file.batch_no, file.name)
    assert never == Answer(Outcome.UNKNOWN, "NCB004", not_found=True)
    go_through(sandbox, 1)
    sandbox.order(target="cmb", kind="busy")
    assert await channel.submit(file) == Answer(Outcome.UNKNOWN, "NCB009")
    assert await channel.result(file.batch_no, file.name) == Answer(Outcome.UNKNOWN, "OPR")


async def test_wrong_keys_say_nothing_of_the_batch(
    channel: Cmb, bank: tuple[Sandbox, Keys]
) -> None:
    running, keys = bank
    file = fixed(channel, a_batch(2))
    stranger = SM2().generate_keypair()[0].rjust(32, b"\0")
    spoilt = (
        keys._replace(private_key=stranger),
        keys._replace(sm4_key=bytes(16)),
        keys._replace(bank_public_key=SM2().generate_pk(stranger)),
    )
    async with Client("bank", f"http://127.0.0.1:{running.port}") as client:
        for wrong in spoilt:
            answer = await Cmb(PAYER, wrong, client).submit(file)
            assert answer.outcome is Outcome.UNKNOWN
            assert answer.code in {"NCB001", "ANSWER_UNREADABLE"}


async def test_a_day_adds_up_and_a_day_to_come_has_no_statement(
    channel: Cmb, sandbox: Sandbox, account: str
) -> None:
    today = clock.today()
    paid_in = {"account": account, "amount": "7.05", "party": "市财政局", "remark": "拨款"}
    fees = [{"account": account, "amount": "0.01", "party": "银行", "kind": "fee"}] * 1_100
    assert sandbox.http.post("/bank/deposits", json=[paid_in]).is_success
    assert sandbox.http.post("/bank/transfers", json=fees).is_success
    found = await channel.statement(today, upto_now=True)
    assert found is not None
    assert (found.opening_fen, len(found.lines)) == (OPENING_FEN, 1_101)
    assert found.closing_fen == OPENING_FEN + 7_05 - 11_00
    assert found.lines == await movements_of(channel)
    assert found.lines[0].amount_fen == Fen(7_05)
    assert found.lines[0].party.open() == "市财政局"
    assert await channel.statement(today) is None
    yesterday = await channel.statement(date.fromordinal(today.toordinal() - 1))
    assert yesterday is not None
    assert (yesterday.opening_fen, yesterday.closing_fen) == (OPENING_FEN, OPENING_FEN)
