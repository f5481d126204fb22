"""Batch file profile P1: pipe-separated text in GB18030 with CRLF, its result file, over HTTP.

Batch file:  批次号|单位账号|总笔数|总金额|币种|日期
             序号|账号|户名|金额|开户行|联行号|证件号|摘要|企业流水号
Result file: the header, every line and behind it |状态|原因码|原因|银行流水|记账日,
             and the trailer 成功笔数|成功金额|失败笔数|失败金额.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import ClassVar, Final

from services.common.money import Fen, yuan
from services.payments.channels.base import Payer, Result
from services.payments.channels.file_door import FileDoor
from services.payments.channels.file_result import (
    ResultLines,
    read_amount,
    read_count,
    require_whole,
)
from services.payments.errors import PayeeUnusable, ResultUnusable
from services.payments.model.batches import Instruction
from services.payments.model.payouts import Payee

ENCODING: Final = "gb18030"
CURRENCY: Final = "CNY"
HEADER_FIELDS: Final = 6
LINE_FIELDS: Final = 9
OUTCOME_FIELDS: Final = 5
TRAILER_FIELDS: Final = 4
BLOCK_LINES: Final = 500
_NAME_CHARACTERS_MAX: Final = 60


class P1File(FileDoor):
    """The file door, spoken to in P1."""

    prefix: ClassVar = "DF"
    lines_max: int = 5_000

    def check(self, payee: Payee) -> None:
        super().check(payee)
        name = payee.name.open()
        if len(name) > _NAME_CHARACTERS_MAX or "|" in name + payee.bank:
            raise PayeeUnusable

    def render(self, batch_no: str, day: date, instructions: Sequence[Instruction]) -> bytes:
        return render(batch_no, self._payer, day, instructions)

    def parse(self, batch_no: str, content: bytes) -> Result:
        return parse(batch_no, content)


def render(batch_no: str, payer: Payer, day: date, instructions: Sequence[Instruction]) -> bytes:
    """Write the file with its control totals."""
    return "".join(_lines(batch_no, payer, day, instructions)).encode(ENCODING)


def _lines(
    batch_no: str, payer: Payer, day: date, instructions: Sequence[Instruction]
) -> Iterator[str]:
    count = len(instructions)
    total = yuan(Fen(sum(instruction.amount_fen for instruction in instructions)))
    yield f"{batch_no}|{payer.account}|{count}|{total}|{CURRENCY}|{day:%Y%m%d}\r\n"
    for line, instruction_id, payee, amount_fen in instructions:
        name, card, amount = payee.name.open(), payee.card.open(), yuan(amount_fen)
        yield f"{line}|{card}|{name}|{amount}|{payee.bank}|||{payer.remark}|{instruction_id}\r\n"


def parse(batch_no: str, content: bytes) -> Result:
    """Read a result file whole, or refuse it whole: a file that was cut short proves nothing."""
    records = _records(content)
    header = next(records, None)
    if header is None or len(header) != HEADER_FIELDS or header[0] != batch_no:
        raise ResultUnusable
    lines = ResultLines()
    trailer: list[str] = []
    for fields in records:
        if len(fields) == TRAILER_FIELDS:
            trailer = fields
            break
        _take(lines, fields)
    booked, booked_fen, refused, refused_fen = lines.totals
    expected = [str(booked), yuan(Fen(booked_fen)), str(refused), yuan(Fen(refused_fen))]
    if trailer != expected or next(records, None) is not None:
        raise ResultUnusable
    return lines.result(announced=read_count(header[2]))


def _records(content: bytes) -> Iterator[list[str]]:
    """Read some lines at a time, never the whole text at once: a file may have 100,000."""
    require_whole(content)
    lines = io.BytesIO(content)
    try:
        while block := b"".join(islice(lines, BLOCK_LINES)):
            text = block.decode(ENCODING)
            # No character of more than one byte holds either of them.
            if text.count("\n") != text.count("\r\n"):
                raise ResultUnusable
            for line in text.removesuffix("\r\n").split("\r\n"):
                yield line.split("|")
    except UnicodeDecodeError:
        raise ResultUnusable from None


def _take(lines: ResultLines, fields: Sequence[str]) -> None:
    if len(fields) != LINE_FIELDS + OUTCOME_FIELDS:
        raise ResultUnusable
    status, code, _words, serial, day = fields[LINE_FIELDS:]
    lines.take(fields[8], read_amount(fields[3]), status=status, code=code, day=day, serial=serial)
