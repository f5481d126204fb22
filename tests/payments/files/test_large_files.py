"""Long files are written and read in a memory that grows with the file alone."""

import tracemalloc
from collections.abc import Callable
from typing import TypeVar

import pytest

from services.common.ids import new_id
from services.common.money import Fen
from services.payments.channels import csv_statement, p1_file, p2_file
from services.payments.model.batches import Instruction
from services.payments.model.payouts import instruction_id
from tests.payments.files.csv_bank import a_row, a_statement
from tests.payments.files.other_side import p1_result, p2_result
from tests.payments.files.samples import BATCH_NO, DAY, PAYER, a_payee

T = TypeVar("T")
LINES = [5_000, 100_000]
# Measured at 100,000 lines: writing P1 330 and P2 525 bytes a line, reading P1 376 and P2 309, a
# statement 813. What is kept of them is most of it: the file itself, or what its lines say.
BYTES_A_LINE_MAX = 1_600


def peak_bytes(work: Callable[[], T]) -> tuple[T, int]:
    tracemalloc.start()
    try:
        done = work()
        return done, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def batch() -> list[Instruction]:
    return [
        Instruction(
            line,
            instruction_id(new_id(), 1),
            a_payee("买买提·艾力", f"62170000{line:011d}"),
            Fen(100 + line),
        )
        for line in range(1, LINES[-1] + 1)
    ]


@pytest.mark.parametrize("lines", LINES)
def test_p1_is_written_and_read_in_bounded_memory(batch: list[Instruction], lines: int) -> None:
    written, peak = peak_bytes(lambda: p1_file.render(BATCH_NO, PAYER, DAY, batch[:lines]))
    assert peak < lines * BYTES_A_LINE_MAX
    content = p1_result(written)
    found, peak = peak_bytes(lambda: p1_file.parse(BATCH_NO, content))
    assert peak < lines * BYTES_A_LINE_MAX
    assert (len(found.lines), found.final) == (lines, True)


@pytest.mark.parametrize("lines", LINES)
def test_p2_is_written_and_read_in_bounded_memory(batch: list[Instruction], lines: int) -> None:
    written, peak = peak_bytes(lambda: p2_file.render(BATCH_NO, PAYER, DAY, batch[:lines]))
    assert peak < lines * BYTES_A_LINE_MAX
    content = p2_result(written)
    found, peak = peak_bytes(lambda: p2_file.parse(BATCH_NO, content))
    assert peak < lines * BYTES_A_LINE_MAX
    assert (len(found.lines), found.final) == (lines, True)


@pytest.mark.parametrize("lines", LINES)
def test_a_day_of_single_debits_is_read_in_bounded_memory(lines: int) -> None:
    rows = (
        a_row(
            line,
            "借",
            "1.00",
            "代发",
            批次号=BATCH_NO,
            企业流水号=f"{line:033d}",
            对方户名="买买提·艾力",
            对方账号=f"62170000{line:011d}",
            摘要=PAYER.remark,
        )
        for line in range(1, lines + 1)
    )
    content = a_statement(f"{lines}.00", "0.00", *rows).encode("gb18030")
    found, peak = peak_bytes(lambda: csv_statement.read_statement(content, DAY))
    assert peak < lines * BYTES_A_LINE_MAX
    assert len(found.lines) == lines
