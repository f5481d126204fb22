"""The batch file (代发文件) and its result file (回盘), as the bank reads and writes them.

Batch file, GB18030, every line ended by CRLF:
  批次号|单位账号|总笔数|总金额|币种|日期
  序号|账号|户名|金额|开户行|联行号|证件号|摘要|企业流水号
Result file: the header as it came, every line as it came and behind it
  |状态|原因码|原因|银行流水|记账日        (状态 0 booked, 1 refused, 2 in process)
and a trailer 成功笔数|成功金额|失败笔数|失败金额.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deploy.sandbox.bank.reasons import FileReason, FileRefused

ENCODING = "gb18030"
FILE_NAME = re.compile(r"DF_[0-9A-Za-z]+_\d{8}_\d+\.txt", re.ASCII)
NUMBER = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
ACCOUNT = re.compile(r"\d{6,32}", re.ASCII)
COUNT = re.compile(r"[1-9]\d{0,8}", re.ASCII)
AMOUNT = re.compile(r"(?:0|[1-9]\d{0,12})\.\d{2}", re.ASCII)
DAY_LENGTH = 8
HEADER_FIELDS = 6
LINE_FIELDS = 9


@dataclass(frozen=True, slots=True)
class Transfer:
    text: str
    account: str
    name: str
    amount_fen: int
    instruction_id: str


@dataclass(frozen=True, slots=True)
class BatchFile:
    header: str
    number: str
    payer: str
    total_fen: int
    currency: str
    transfers: Sequence[Transfer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line: booked with a serial on a day, or refused with code and words."""

    amount_fen: int
    code: str = ""
    words: str = ""
    serial: str = ""
    day: str = ""

    @property
    def booked(self) -> bool:
        return not self.code


def fen(yuan: str) -> int:
    return int(yuan.replace(".", ""))


def yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def read(content: bytes, lines_max: int) -> BatchFile:
    """Read a batch file whole, or refuse it whole."""
    try:
        text = content.decode(ENCODING)
    except UnicodeDecodeError as unreadable:
        raise FileRefused(FileReason.ENCODING) from unreadable
    header, *lines = text.split("\r\n")
    number, payer, count, total, currency, day = _header(header)
    # A file that was cut off has lost its last line end; a blank line is not the end either.
    if not lines or lines.pop():
        raise FileRefused(FileReason.LINE, number)
    if len(lines) > lines_max:
        raise FileRefused(FileReason.TOO_LONG, number)
    transfers = [_transfer(line, place, number) for place, line in enumerate(lines, 1)]
    if len(transfers) != int(count):
        raise FileRefused(FileReason.COUNT, number)
    if sum(transfer.amount_fen for transfer in transfers) != fen(total):
        raise FileRefused(FileReason.SUM, number)
    if not _is_day(day):
        raise FileRefused(FileReason.HEADER, number)
    return BatchFile(header, number, payer, fen(total), currency, transfers)


def write_result(file: BatchFile, outcomes: Sequence[Outcome]) -> bytes:
    """Write the result file of a batch whose every line is decided."""
    lines = [file.header]
    count = [0, 0]
    total = [0, 0]
    for transfer, outcome in zip(file.transfers, outcomes, strict=True):
        status = 0 if outcome.booked else 1
        code, words = (outcome.code, outcome.words) if status else ("0000", "交易成功")
        lines.append(f"{transfer.text}|{status}|{code}|{words}|{outcome.serial}|{outcome.day}")
        count[status] += 1
        total[status] += outcome.amount_fen
    lines.append(f"{count[0]}|{yuan(total[0])}|{count[1]}|{yuan(total[1])}")
    return "".join(line + "\r\n" for line in lines).encode(ENCODING)


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
    order, account, name, amount, _bank, _cnaps, _id, _note, instruction_id = fields
    right = AMOUNT.fullmatch(amount) and NUMBER.fullmatch(instruction_id)
    if not right or not fen(amount) or not account or not name.strip():
        raise FileRefused(FileReason.LINE, number)
    if order != str(place):
        raise FileRefused(FileReason.NUMBERING, number)
    return Transfer(line, account, name, fen(amount), instruction_id)


def _is_day(text: str) -> bool:
    if len(text) != DAY_LENGTH or not text.isascii() or not text.isdigit():
        return False
    try:
        datetime.strptime(text + "+0800", "%Y%m%d%z")
    except ValueError:
        return False
    return True
