"""The batch file P1 (代发文件) and its result file (回盘), as the bank reads and writes them.

Batch file, GB18030, every line ended by CRLF:
  批次号|单位账号|总笔数|总金额|币种|日期
  序号|账号|户名|金额|开户行|联行号|证件号|摘要|企业流水号
Result file: the header as it came, every line as it came and behind it
  |状态|原因码|原因|银行流水|记账日        (状态 0 booked, 1 refused, 2 in process)
and a trailer 成功笔数|成功金额|失败笔数|失败金额.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from deploy.sandbox.bank.batches import Outcome, Transfer, fen, yuan
from deploy.sandbox.bank.ledger import ACCOUNT
from deploy.sandbox.bank.reasons import FileReason, FileRefused

ENCODING = "gb18030"
FILE_NAME = re.compile(r"DF_[0-9A-Za-z]+_\d{8}_\d+\.txt", re.ASCII)
NUMBER = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
COUNT = re.compile(r"[1-9]\d{0,8}", re.ASCII)
AMOUNT = re.compile(r"(?:0|[1-9]\d{0,12})\.\d{2}", re.ASCII)
END = b"\r\n"
DAY_LENGTH = 8
HEADER_FIELDS = 6
LINE_FIELDS = 9


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file that was read through and is well-formed; its lines are read again as needed."""

    number: str
    payer: str
    count: int
    total_fen: int
    currency: str
    content: bytes = field(repr=False)

    @property
    def transfers(self) -> Iterator[Transfer]:
        lines = _lines(self.content)
        next(lines)
        for place, line in enumerate(lines, 1):
            yield _transfer(_text(line, self.number), place, self.number)


def read(content: bytes, lines_max: int) -> BatchFile:
    """Read a batch file whole, or refuse it whole."""
    header, *_ = content.split(END, 1)
    number, payer, count, total, currency, day = _header(_text(header))
    # A file that was cut off has lost its last line end.
    if not content.endswith(END):
        raise FileRefused(FileReason.LINE, number)
    if content.count(END) - 1 > lines_max:
        raise FileRefused(FileReason.TOO_LONG, number)
    file = BatchFile(number, payer, int(count), fen(total), currency, content)
    counted = total_fen = 0
    for transfer in file.transfers:
        counted += 1
        total_fen += transfer.amount_fen
    if counted != file.count:
        raise FileRefused(FileReason.COUNT, number)
    if total_fen != file.total_fen:
        raise FileRefused(FileReason.SUM, number)
    if not is_day(day):
        raise FileRefused(FileReason.HEADER, number)
    return file


def write_result(file: BatchFile, outcomes: Iterable[Outcome]) -> bytes:
    """Write the result file of a batch whose every line is decided."""
    lines = _lines(file.content)
    result = bytearray(next(lines) + END)
    count = [0, 0]
    total_fen = [0, 0]
    for line, outcome in zip(lines, outcomes, strict=True):
        status = 0 if outcome.booked else 1
        code, words = (outcome.code, outcome.words) if status else ("0000", "交易成功")
        answer = f"|{status}|{code}|{words}|{outcome.serial}|{outcome.day}\r\n"
        result += line + answer.encode(ENCODING)
        count[status] += 1
        total_fen[status] += outcome.amount_fen
    trailer = f"{count[0]}|{yuan(total_fen[0])}|{count[1]}|{yuan(total_fen[1])}\r\n"
    return bytes(result + trailer.encode(ENCODING))


def is_day(text: str) -> bool:
    if len(text) != DAY_LENGTH or not text.isascii() or not text.isdigit():
        return False
    try:
        datetime.strptime(text + "+0800", "%Y%m%d%z")
    except ValueError:
        return False
    return True


def _lines(content: bytes) -> Iterator[bytes]:
    """Give the lines of a whole file; in GB18030 no character's bytes look like a line end."""
    start = 0
    while start < len(content):
        end = content.index(END, start)
        yield content[start:end]
        start = end + len(END)


def _text(line: bytes, number: str | None = None) -> str:
    try:
        return line.decode(ENCODING)
    except UnicodeDecodeError as unreadable:
        raise FileRefused(FileReason.ENCODING, number) from unreadable


def _header(line: str) -> list[str]:
    fields = line.split("|")
    if len(fields) != HEADER_FIELDS or not NUMBER.fullmatch(fields[0]):
        raise FileRefused(FileReason.HEADER)
    number, payer, count, total, currency, _day = fields
    right = ACCOUNT.fullmatch(payer) and COUNT.fullmatch(count) and AMOUNT.fullmatch(total)
    if not (right and currency):
        raise FileRefused(FileReason.HEADER, number)
    return fields


def _transfer(line: str, place: int, number: str) -> Transfer:
    fields = line.split("|")
    if len(fields) != LINE_FIELDS or "\r" in line or "\n" in line:
        raise FileRefused(FileReason.LINE, number)
    order, account, name, amount, _bank, _cnaps, _id, note, instruction_id = fields
    right = AMOUNT.fullmatch(amount) and NUMBER.fullmatch(instruction_id)
    if not right or not fen(amount) or not account or not name.strip():
        raise FileRefused(FileReason.LINE, number)
    if order != str(place):
        raise FileRefused(FileReason.NUMBERING, number)
    return Transfer(account, name, fen(amount), instruction_id, note)
