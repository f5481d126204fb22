"""What the bank promises its doors, asked of it as a door asks."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.batches import AlreadyTaken, Batch, Transfer
from deploy.sandbox.settings import SandboxSettings
from tests.sandbox.conftest import PAYER


def transfers(*amounts_fen: int, first: int = 1) -> list[Transfer]:
    """Write transfers to cards of their own; one of nothing goes to no account."""
    return [
        Transfer(f"622{n:09d}" if amount else "abc", "张三", amount or 1, f"c{n}")
        for n, amount in enumerate(amounts_fen, first)
    ]


def batch(number: str, lines: Sequence[Transfer], debits: Sequence[int] = ()) -> Batch:
    total_fen = sum(line.amount_fen for line in lines)
    return Batch(number, f"d{number}", number, PAYER, "CNY", len(lines), total_fen, debits)


@asynccontextmanager
async def at_work(folder: Path) -> AsyncGenerator[Bank]:
    bank = Bank(SandboxSettings(data_dir=folder))
    work = asyncio.create_task(bank.work())
    yield bank
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def debits(bank: Bank) -> list[int]:
    return [movement.amount_fen for movement in await bank.movements(PAYER, 0, 1_000)]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [((5,), [19]), ((2, 2, 1), [3, 16]), ((), [1, 2, 16]), ((1, 1, 1, 1, 1), [1, 2, 16])],
)
async def test_a_payer_is_debited_as_the_door_says(
    tmp_path: Path, parts: Sequence[int], expected: Sequence[int]
) -> None:
    lines = transfers(1, 2, 0, 0, 16)
    async with at_work(tmp_path) as bank:
        received, new = await bank.take(batch("1", lines, parts), lines)
        assert new
        await bank.all_processed()
        assert await debits(bank) == list(expected)
        assert (received.booked, received.booked_fen, received.refused_lines) == (3, 19, 2)
        found = list(bank.outcomes(received))
    assert [(one.line, one.code) for one in found] == [
        (1, ""),
        (2, ""),
        (3, "0006"),
        (4, "0006"),
        (5, ""),
    ]
    assert [one.instruction_id for one in found] == [line.instruction_id for line in lines]
    assert len({one.serial for one in found if one.booked}) == 3


async def test_a_bank_killed_in_the_middle_of_a_part_debits_it_once_and_whole(
    tmp_path: Path,
) -> None:
    lines = transfers(*[1] * 2_500)
    sent = batch("1", lines, (1_200, 1_300))
    async with at_work(tmp_path) as bank:
        await bank.take(sent, lines)
        await bank.all_processed()
        assert await debits(bank) == [1_200, 1_300]
    journal = tmp_path / "bank" / "journal.jsonl"
    entries = journal.read_bytes().splitlines(keepends=True)
    # Taken, a thousand lines, then a thousand with the first debit among them.
    for whole in (1, 1_001, 2_002):
        journal.write_bytes(b"".join(entries[:whole]))
        async with at_work(tmp_path) as bank:
            await bank.all_processed()
            assert await debits(bank) == [1_200, 1_300]
            received = bank.batch("1")
            assert received
            assert [one.line for one in bank.outcomes(received)] == list(range(1, 2_501))


async def test_the_same_batch_again_is_found_and_other_content_is_not_taken(
    tmp_path: Path,
) -> None:
    lines = transfers(1)
    sent = batch("1", lines)
    async with at_work(tmp_path) as bank:
        received, _ = await bank.take(sent, lines)
        assert await bank.take(sent, iter(())) == (received, False)
        with pytest.raises(AlreadyTaken, match="文件名重复"):
            await bank.take(replace(sent, digest="other"), lines)
        with pytest.raises(AlreadyTaken, match="重复批次"):
            await bank.take(replace(sent, name="other"), lines)
        with pytest.raises(AlreadyTaken, match="重复批次"):
            await bank.turn_away("other", "other", "1", "X", "x")
        away, new = await bank.turn_away("2", "d2", "2", "F007", "总金额不符")
        assert new
        assert (away.status, away.code) == ("refused", "F007")
        assert await bank.take(batch("2", lines), lines) == (away, False)


async def test_a_batch_that_cannot_be_read_to_its_end_is_not_taken(tmp_path: Path) -> None:
    lines = transfers(1, 2)

    def broken() -> Iterator[Transfer]:
        yield lines[0]
        raise ValueError("torn")

    async with at_work(tmp_path) as bank:
        with pytest.raises(ValueError, match="torn"):
            await bank.take(batch("1", lines), broken())
        assert bank.batch("1") is None
        _, new = await bank.take(batch("1", lines), lines)
        assert new


async def test_what_a_door_notes_is_there_after_a_kill(tmp_path: Path) -> None:
    async with at_work(tmp_path) as bank:
        await bank.note("iso", ["one", "二"])
        await bank.note("cmb", ["three"])
    async with at_work(tmp_path) as bank:
        assert list(bank.notes("iso")) == ["one", "二"]
        assert list(bank.notes("cmb")) == ["three"]
