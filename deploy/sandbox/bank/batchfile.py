"""The batch file P1 (代发文件) and its result file (回盘), as the bank reads and writes them.

Batch file, GB18030, every line ended by CRLF:
  批次号|单位账号|总笔数|总金额|币种|日期
  序号|账号|户名|金额|开户行|联行号|证件号|摘要|企业流水号
Result file: the header as it came, every line as it came and behind it
  |状态|原因码|原因|银行流水|记账日        (状态 0 booked, 1 refused, 2 in process)
and a trailer 成功笔数|成功金额|失败笔数|失败金额.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import islice

from deploy.sandbox.bank.batches import Outcome, Tally, Transfer, fen, yuan
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
    """A batch file that is right, with its lines read, and as it came."""

    number: str
    payer: str
    count: int
    total_fen: int
    currency: str
    day: str
    content: bytes = field(repr=False)
    transfers: list[Transfer] = field(repr=False, default_factory=list[Transfer])

    def read_lines(self, lines: Callable[[bytes, str], Iterator[Transfer]], lines_max: int) -> None:
        """Read the lines; raise `FileRefused` unless they are right, as many and as much as said.

        `lines` reads them one after the other, of a content and for the batch of a number; it
        raises `FileRefused` at one that is not right.
        """
        # A file that was cut off has lost its last line end.
        if not self.content.endswith(END):
            raise FileRefused(FileReason.LINE, self.number)
        if self.content.count(END) - 1 > lines_max:
            raise FileRefused(FileReason.TOO_LONG, self.number)
        self.transfers.extend(lines(self.content, self.number))
        if len(self.transfers) != self.count:
            raise FileRefused(FileReason.COUNT, self.number)
        if sum(transfer.amount_fen for transfer in self.transfers) != self.total_fen:
            raise FileRefused(FileReason.SUM, self.number)
        if not _is_day(self.day):
            raise FileRefused(FileReason.HEADER, self.number)


def lines_of(content: bytes) -> Iterator[bytes]:
    """Give header and lines; no character's bytes look like a line end, neither here nor in P2."""
    start = 0
    while start < len(content):
        end = content.index(END, start)
        yield content[start:end]
        start = end + len(END)


def read(content: bytes, lines_max: int) -> BatchFile:
    """Read a batch file whole, or refuse it whole."""
    header, *_ = content.split(END, 1)
    fields = _text(header).split("|")
    if len(fields) != HEADER_FIELDS or not NUMBER.fullmatch(fields[0]):
        raise FileRefused(FileReason.HEADER)
    number, payer, count, total, currency, day = fields
    right = ACCOUNT.fullmatch(payer) and COUNT.fullmatch(count) and AMOUNT.fullmatch(total)
    if not (right and currency):
        raise FileRefused(FileReason.HEADER, number)
    file = BatchFile(number, payer, int(count), fen(total), currency, day, content)
    file.read_lines(_transfers, lines_max)
    return file


def write(header: bytes, answered: Iterable[tuple[bytes, Outcome]], off_fen: int = 0) -> bytes:
    """Write a result file; `off_fen` is what a spoilt one's control sum is off by."""
    result, tally = bytearray(header + END), Tally()
    for line, outcome in answered:
        tally.add(outcome)
        words = _in_words(outcome.status, outcome.code, outcome.words)
        result += b"%b%b|%b|%b\r\n" % (line, words, outcome.serial.encode(), outcome.day.encode())
    paid, failed = yuan(tally.paid_fen + off_fen), yuan(tally.failed_fen)
    trailer = f"{tally.paid}|{paid}|{tally.failed}|{failed}\r\n"
    return bytes(result + trailer.encode(ENCODING))


@cache
def _in_words(status: int, code: str, words: str) -> bytes:
    """Write 状态, 原因码 and 原因; a bank has few of them."""
    return f"|{status}|{code or '0000'}|{words or '交易成功'}".encode(ENCODING)


def renamed(line: bytes, place: int, instruction_id: str) -> bytes:
    """Give the line under another place and instruction."""
    _place, *middle, _instruction_id = line.split(b"|")
    return b"|".join([str(place).encode(), *middle, instruction_id.encode()])


def _transfers(content: bytes, number: str) -> Iterator[Transfer]:
    """Read all lines, at best decoded together: for each alone takes three times as long."""
    try:
        _header, *lines, _end = content.decode(ENCODING).split("\r\n")
    except UnicodeDecodeError:
        one_by_one = islice(lines_of(content), 1, None)
        texts = (_text(line, number) for line in one_by_one)
    else:
        texts = iter(lines)
    for place, text in enumerate(texts, 1):
        yield _transfer(text, place, number)


def _transfer(text: str, place: int, number: str) -> Transfer:
    fields = text.split("|")
    if len(fields) != LINE_FIELDS or "\r" in text or "\n" in text:
        raise FileRefused(FileReason.LINE, number)
    order, account, name, amount, _bank, _cnaps, _id, remark, instruction_id = fields
    right = AMOUNT.fullmatch(amount) and NUMBER.fullmatch(instruction_id)
    if not right or not account or not name.strip():
        raise FileRefused(FileReason.LINE, number)
    amount_fen = fen(amount)
    if not amount_fen:
        raise FileRefused(FileReason.LINE, number)
    if order != str(place):
        raise FileRefused(FileReason.NUMBERING, number)
    return Transfer(account, name, amount_fen, instruction_id, remark)


def _text(line: bytes, number: str | None = None) -> str:
    try:
        return line.decode(ENCODING)
    except UnicodeDecodeError as unreadable:
        raise FileRefused(FileReason.ENCODING, number) from unreadable


def _is_day(text: str) -> bool:
    if len(text) != DAY_LENGTH or not text.isascii() or not text.isdigit():
        return False
    try:
        datetime.strptime(text + "+0800", "%Y%m%d%z")
    except ValueError:
        return False
    return True
