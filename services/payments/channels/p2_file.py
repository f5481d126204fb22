"""Batch file profile P2: fixed width, counted in GBK bytes, CRLF behind every record of 200.

Batch file:  H 批次号(20) 单位账号(32) 总笔数(6) 总金额(15, fen) 币种(3) 日期(8)
             D 序号(6) 账号(32) 户名(60) 金额(15, fen) 摘要(30) 企业流水号(40)
Result file: the header; every line's first 184 bytes and behind them 状态(1) 原因码(4) 记账日(8);
             and the trailer T 成功笔数(6) 成功金额(15) 失败笔数(6) 失败金额(15).
Texts stand left and blanks fill up; numbers stand right and zeros do. P2 gives no 银行流水.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import ClassVar, Final

from services.common.kit.http import Client
from services.common.money import Fen
from services.payments.channels.base import Payer, Result
from services.payments.channels.file_door import FileDoor
from services.payments.channels.file_result import ResultLines, Totals
from services.payments.errors import PayeeUnusable, ResultUnusable
from services.payments.model.batches import Instruction
from services.payments.model.payouts import Payee

ENCODING: Final = "gbk"
CURRENCY: Final = b"CNY"
RECORD_BYTES: Final = 200
BATCH_NO_BYTES: Final = 20
ACCOUNT_BYTES: Final = 32
NAME_BYTES: Final = 60
REMARK_BYTES: Final = 30
INSTRUCTION_BYTES: Final = 40

_HEADER: Final = re.compile(rb"H([ -~]{20})[0-9 ]{32}([0-9]{6})[0-9]{15}CNY[0-9]{8} {115}\r\n")
# No byte of a text is a control character, in GBK neither.
_LINE: Final = re.compile(
    rb"D[0-9]{6}[0-9 ]{32}([^\x00-\x1f\x7f]{60})([0-9]{15})([^\x00-\x1f\x7f]{30})([ -~]{40})"
    rb"([0-9])([0-9 ]{4})([0-9 ]{8}) {3}\r\n"
)
_TRAILER: Final = re.compile(rb"T([0-9]{6})([0-9]{15})([0-9]{6})([0-9]{15}) {157}\r\n")


class P2File(FileDoor):
    """The file door, spoken to in P2."""

    prefix: ClassVar = "DW"
    lines_max: int = 100_000

    def __init__(self, payer: Payer, client: Client) -> None:
        # What we say of ourselves has to fit at the start, not at the first batch.
        _left(payer.account, ACCOUNT_BYTES)
        _left(payer.remark, REMARK_BYTES)
        super().__init__(payer, client)

    def check(self, payee: Payee) -> None:
        super().check(payee)
        try:
            _left(payee.name.open(), NAME_BYTES)
        except ValueError:
            # From nothing, because the codec's words hold a character of the name.
            raise PayeeUnusable from None

    def render(self, batch_no: str, day: date, instructions: Sequence[Instruction]) -> bytes:
        return render(batch_no, self._payer, day, instructions)

    def parse(self, batch_no: str, content: bytes) -> Result:
        return parse(batch_no, content)


def render(batch_no: str, payer: Payer, day: date, instructions: Sequence[Instruction]) -> bytes:
    """Write the file with its control totals."""
    records = _records(batch_no, payer, day, instructions)
    return b"".join(record.ljust(RECORD_BYTES) + b"\r\n" for record in records)


def _records(
    batch_no: str, payer: Payer, day: date, instructions: Sequence[Instruction]
) -> Iterator[bytes]:
    total = Fen(sum(instruction.amount_fen for instruction in instructions))
    yield b"H%b%b%b%b%b%b" % (
        _left(batch_no, BATCH_NO_BYTES),
        _left(payer.account, ACCOUNT_BYTES),
        _right(len(instructions), 6),
        _right(total, 15),
        CURRENCY,
        f"{day:%Y%m%d}".encode(),
    )
    remark = _left(payer.remark, REMARK_BYTES)
    for line, instruction_id, payee, amount_fen in instructions:
        yield b"D%b%b%b%b%b%b" % (
            _right(line, 6),
            _left(payee.card.open(), ACCOUNT_BYTES),
            _left(payee.name.open(), NAME_BYTES),
            _right(amount_fen, 15),
            remark,
            _left(instruction_id, INSTRUCTION_BYTES),
        )


def _left(text: str, width: int) -> bytes:
    """Write a text into its field; ValueError where GBK or the field cannot hold it."""
    field = text.encode(ENCODING).ljust(width)
    if len(field) > width:
        raise ValueError("too long for its field")
    return field


def _right(number: int, width: int) -> bytes:
    field = b"%0*d" % (width, number)
    assert len(field) == width, "no batch is as large as that"
    return field


def parse(batch_no: str, content: bytes) -> Result:
    """Read a result file whole, or refuse it whole: a file that was cut short proves nothing."""
    step = RECORD_BYTES + 2
    last = len(content) - step
    header = _HEADER.match(content)
    trailer = _TRAILER.match(content, max(0, last))
    if not header or not trailer or last % step or header[1].rstrip() != batch_no.encode():
        raise ResultUnusable
    lines = ResultLines()
    for start in range(step, last, step):
        _take(lines, content, start)
    if lines.totals != Totals(*map(int, trailer.groups())):
        raise ResultUnusable
    return lines.result(announced=int(header[2]))


def _take(lines: ResultLines, content: bytes, start: int) -> None:
    found = _LINE.match(content, start)
    if not found:
        raise ResultUnusable
    name, amount, remark, instruction, status, code, day = found.groups()
    try:
        # A character that begins in one field and ends in the next: all that follows has slipped.
        _ = name.decode(ENCODING), remark.decode(ENCODING)
    except UnicodeDecodeError:
        raise ResultUnusable from None
    lines.take(
        instruction.rstrip().decode(),
        Fen(int(amount)),
        status=status.decode(),
        code=code.decode().strip(),
        day=day.decode(),
    )
