"""The channel and the sandbox's bank, each with its own reader and writer, over one folder."""

import asyncio
import io
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from hypothesis import given

from deploy.sandbox import clock
from deploy.sandbox.bank.iso import pain001 as bank_reader
from services.common.identity import CardNumber, PersonName
from services.common.ids import new_id
from services.common.money import Fen
from services.payments.channels.base import Answer, LineAnswer, Outcome, Result
from services.payments.channels.folder import DropFolder
from services.payments.channels.iso20022.channel import Iso20022
from services.payments.errors import ResultUnusable
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee, instruction_id
from services.payments.model.statements import Movement, MovementKind
from tests.payments.iso.papers import ACCOUNT, CNAPS, DAY, PAYER, a_payee
from tests.payments.iso.test_order import NAMES, rendered
from tests.sandbox.inside import opened

WITHIN_S = 30.0
NOON = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=clock.CHINA)
OPENING_FEN = 10_000_000_000_00

Found = TypeVar("Found")


@dataclass
class Both:
    """The bank's hand for the tester, and our channel."""

    bank: httpx.AsyncClient
    channel: Iso20022
    wire: Path

    async def post(self, path: str, *orders: dict[str, str]) -> None:
        answer = await self.bank.post(path, json=list(orders))
        assert answer.is_success, answer.text

    async def spoil(self, target: str, kind: str) -> None:
        answer = await self.bank.post("/faults", json={"target": target, "kind": kind})
        assert answer.status_code == 201, answer.text

    def a_batch(self, *payees: Payee) -> tuple[list[Instruction], BatchFile]:
        lines = [
            Instruction(line, instruction_id(new_id(), 1), payee, Fen(line * 100))
            for line, payee in enumerate(payees, 1)
        ]
        return lines, self.channel.fix(new_id(), DAY, lines)

    async def handed_over(self, file: BatchFile) -> Answer:
        async def ask() -> Answer | None:
            answer = await self.channel.submit(file)
            return answer if answer.outcome is not Outcome.UNKNOWN else None

        return await until(ask)

    async def moved_away(self, name: str) -> bool | None:
        return True if not (self.wire / "to-bank" / name).exists() else None

    async def result(self, file: BatchFile) -> Result:
        """Wait for the final result; what cannot be used is asked for again."""

        async def ask() -> Result | None:
            try:
                found = await self.channel.result(file.batch_no, file.name)
            except ResultUnusable:
                return None
            return found if isinstance(found, Result) and found.final else None

        return await until(ask)

    async def paid(self, *payees: Payee) -> tuple[list[Instruction], BatchFile, Result]:
        lines, file = self.a_batch(*payees)
        assert await self.handed_over(file) == Answer(Outcome.DONE)
        return lines, file, await self.result(file)

    async def movements(self, count: int) -> list[Movement]:
        """Wait until so many different movements have been told."""
        found: dict[str, Movement] = {}
        mark = ""

        async def ask() -> list[Movement] | None:
            nonlocal mark
            try:
                page = await self.channel.movements(mark)
            except ResultUnusable:
                return None
            assert page is not None
            mark = page.mark
            found.update({movement.bank_ref: movement for movement in page.lines})
            return list(found.values()) if len(found) >= count else None

        return await until(ask)


async def until(ask: Callable[[], Awaitable[Found | None]]) -> Found:
    async with asyncio.timeout(WITHIN_S):
        while (found := await ask()) is None:  # noqa: ASYNC110 - the folder has no event
            await asyncio.sleep(0.005)
    return found


@pytest.fixture
async def both(tmp_path: Path) -> AsyncGenerator[Both]:
    wire = tmp_path / "wire"
    with clock.set_to(NOON):
        async with opened(tmp_path / "books", iso_dir=wire) as bank:
            yield Both(bank, Iso20022(PAYER, DropFolder(wire), CNAPS), wire)


@given(NAMES)
def test_the_bank_reads_every_name_as_it_was_written(name: str) -> None:
    content = rendered(a_payee(name), a_payee())
    order = bank_reader.check(io.BytesIO(content))
    assert (order.payer, order.payer_name, order.count) == (ACCOUNT, PAYER.holder, 2)
    first, _ = bank_reader.transactions(io.BytesIO(content))
    assert (first.name, first.amount_fen, first.remark) == (name, 100, PAYER.remark)


async def test_a_batch_is_paid_line_by_line(both: Both) -> None:
    await both.post(
        "/bank/accounts",
        {"account": "6217000000000000020", "name": "李雷", "status": "closed"},
        {"account": "6217000000000000038", "name": "韩梅梅"},
    )
    lines, _, result = await both.paid(
        a_payee("阿依古丽·买买提"),
        Payee(PersonName("李雷"), CardNumber("6217000000000000020"), ""),
        Payee(PersonName("寒梅梅"), CardNumber("6217000000000000038"), ""),
    )
    paid, closed, misnamed = result.lines
    assert paid.bank_serial
    assert paid == LineAnswer(
        lines[0].instruction_id,
        Fen(100),
        Outcome.DONE,
        bank_serial=paid.bank_serial,
        paid_on=DAY,
    )
    assert (closed.outcome, closed.bank_code, closed.reason) == (
        Outcome.REFUSED,
        "AC04",
        "ACCOUNT_CLOSED",
    )
    assert (misnamed.outcome, misnamed.bank_code, misnamed.reason) == (
        Outcome.REFUSED,
        "BE01",
        "NAME_DIFFERS",
    )


async def test_the_same_batch_again_is_only_a_question(both: Both) -> None:
    _, file, result = await both.paid(a_payee())
    assert await both.channel.submit(file) == Answer(Outcome.DONE)
    assert await both.result(file) == result
    assert len(await both.movements(1)) == 1


async def test_an_id_that_is_booked_is_not_booked_again_in_another_batch(both: Both) -> None:
    lines, _, _ = await both.paid(a_payee())
    again = both.channel.fix(new_id(), DAY, lines)
    assert await both.handed_over(again) == Answer(Outcome.DONE)
    (line,) = (await both.result(again)).lines
    assert (line.outcome, line.moved_before) == (Outcome.UNKNOWN, True)


async def test_other_bytes_under_a_number_that_the_bank_knows_are_refused_as_taken(
    both: Both,
) -> None:
    _, file, _ = await both.paid(a_payee())
    other = both.a_batch(a_payee("别人"))[1]
    altered = other.content.replace(other.batch_no.encode(), file.batch_no.encode())
    name = file.name.replace("UNION01", "UNION02")
    await both.channel.submit(BatchFile(file.batch_no, name, altered))
    await until(lambda: both.moved_away(name))
    # What was said of the first stands, whatever is said of the other.
    assert await both.channel.submit(file) == Answer(Outcome.DONE)
    assert (await both.result(file)).lines[0].outcome is Outcome.DONE


@pytest.mark.parametrize(
    "kind", ["truncated", "garbage", "twice", "unknown_ids", "stale", "exceptions_only"]
)
async def test_a_spoilt_report_changes_nothing_about_what_was_sent(both: Both, kind: str) -> None:
    await both.spoil("iso_report", kind)
    lines, file = both.a_batch(a_payee(), a_payee("李雷", card="6217000000000000020"))
    assert (await both.handed_over(file)).outcome is Outcome.DONE
    result = await both.result(file)
    outcomes = {line.instruction_id: line.outcome for line in result.lines}
    assert [outcomes[line.instruction_id] for line in lines] == [Outcome.DONE, Outcome.DONE]
    assert len(outcomes) == (3 if kind == "unknown_ids" else 2)


@pytest.mark.parametrize("kind", ["truncated", "garbage", "twice", "out_of_order"])
async def test_a_spoilt_notice_loses_no_movement(both: Both, kind: str) -> None:
    await both.spoil("iso_notice", kind)
    deposit = {"account": ACCOUNT, "party": "工会", "remark": "拨款"}
    await both.post("/bank/deposits", deposit | {"amount": "1.00"}, deposit | {"amount": "2.00"})
    found = await both.movements(2)
    assert sorted(movement.amount_fen for movement in found) == [100, 200]


async def test_every_kind_of_movement_is_told_and_stated(both: Both) -> None:
    lines, file, _ = await both.paid(a_payee(), a_payee())
    given_back = [
        {"instruction_id": line.instruction_id, "reason": "0002", "kind": kind}
        for line, kind in zip(lines, ("return", "reversal"), strict=True)
    ]
    await both.post("/bank/returns", *given_back)
    deposit = {"account": ACCOUNT, "amount": "5.00", "party": "总工会", "remark": "拨款"}
    await both.post("/bank/deposits", deposit)
    await both.post("/bank/transfers", deposit, deposit | {"kind": "fee", "party": "银行"})
    found = await both.movements(6)
    assert [(one.kind, one.direction, one.amount_fen) for one in found] == [
        (MovementKind.PAYOUT, "debit", 300),
        (MovementKind.RETURN, "credit", 100),
        (MovementKind.REVERSAL, "credit", 200),
        (MovementKind.DEPOSIT, "credit", 500),
        (MovementKind.TRANSFER, "debit", 500),
        (MovementKind.FEE, "debit", 500),
    ]
    payout, returned, reversed_, deposited, *_ = found
    assert payout.batch_no == file.batch_no
    assert (returned.instruction_id, returned.bank_code, returned.reason) == (
        lines[0].instruction_id,
        "AC04",
        "ACCOUNT_CLOSED",
    )
    assert reversed_.instruction_id == lines[1].instruction_id
    assert (deposited.party.open(), deposited.remark) == ("总工会", "拨款")
    await both.bank.post("/bank/iso/statements", json={"account": ACCOUNT, "day": DAY.isoformat()})
    assert await both.channel.statement(DAY) is None
    so_far = await both.channel.statement(DAY, upto_now=True)
    assert so_far is not None
    assert so_far.lines == found
    assert (so_far.opening_fen, so_far.closing_fen) == (OPENING_FEN, OPENING_FEN - 500)
    with clock.set_to(NOON + timedelta(days=1)):
        assert await until(lambda: both.channel.statement(DAY)) == so_far
