"""The batch file P2 and its result file, of fixed width, as the bank reads and writes them.

GBK; every record is 200 bytes and CRLF, padded with blanks; widths count bytes:
  H 批次号20 单位账号32 总笔数6 总金额15 币种3 日期8
  D 序号6 账号32 户名60 金额15 摘要30 企业流水号40      (numbers zero-filled, amounts in fen)
Result file: the header as it came, every line's first 184 bytes as they came and behind them
  状态1 原因码4 记账日8          (状态 0 booked, 1 refused, 2 in process; the day only with 0)
and a trailer T 成功笔数6 成功金额15 失败笔数6 失败金额15.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise

from deploy.sandbox.bank.batches import Outcome, Tally, Transfer
from deploy.sandbox.bank.batchfile import END, NUMBER, BatchFile, lines_of
from deploy.sandbox.bank.ledger import ACCOUNT
from deploy.sandbox.bank.reasons import FileReason, FileRefused

ENCODING = "gbk"
FILE_NAME = re.compile(r"DW_[0-9A-Za-z]+_\d{8}_\d+\.txt", re.ASCII)
RECORD_BYTES = 200


def _cuts(*widths: int) -> Sequence[tuple[int, int]]:
    """Say where each field begins and ends."""
    return tuple(pairwise(accumulate(widths, initial=0)))


HEADER = _cuts(1, 20, 32, 6, 15, 3, 8)
LINE = _cuts(1, 6, 32, 60, 15, 30, 40)
# The fields of a line that a result repeats; the instruction id is the last of them.
ID_AT, SENT_BYTES = LINE[-1]
PLACE_END = LINE[1][1]


def read(content: bytes, lines_max: int) -> BatchFile:
    """Read a batch file whole, or refuse it whole."""
    header, *_ = content.split(END, 1)
    fields = _fields(header, HEADER)
    if fields is None or fields[0] != "H" or not NUMBER.fullmatch(fields[1]):
        raise FileRefused(FileReason.HEADER)
    _mark, number, payer, count, total, currency, day = fields
    if not (ACCOUNT.fullmatch(payer) and _is_number(count) and _is_number(total) and currency):
        raise FileRefused(FileReason.HEADER, number)
    file = BatchFile(number, payer, int(count), int(total), currency, day, content)
    file.read_lines(_transfers, lines_max)
    return file


def write(header: bytes, answered: Iterable[tuple[bytes, Outcome]], off_fen: int = 0) -> bytes:
    """Write a result file; `off_fen` is what a spoilt one's control sum is off by."""
    result, tally = bytearray(header + END), Tally()
    for line, outcome in answered:
        tally.add(outcome)
        answer = f"{outcome.status}{outcome.code or '0000'}{outcome.day}".encode(ENCODING)
        result += (line[:SENT_BYTES] + answer).ljust(RECORD_BYTES) + END
    paid = f"{tally.paid:06d}{tally.paid_fen + off_fen:015d}"
    trailer = f"T{paid}{tally.failed:06d}{tally.failed_fen:015d}"
    return bytes(result + trailer.encode(ENCODING).ljust(RECORD_BYTES) + END)


def renamed(line: bytes, place: int, instruction_id: str) -> bytes:
    """Give the line under another place and instruction."""
    instruction = instruction_id.encode(ENCODING).ljust(SENT_BYTES - ID_AT)
    return b"D%06d" % place + line[PLACE_END:ID_AT] + instruction + line[SENT_BYTES:]


def _transfers(content: bytes, number: str) -> Iterator[Transfer]:
    for place, line in enumerate(islice(lines_of(content), 1, None), 1):
        yield _transfer(line, place, number)


def _transfer(line: bytes, place: int, number: str) -> Transfer:
    fields = _fields(line, LINE, number)
    if fields is None or fields[0] != "D":
        raise FileRefused(FileReason.LINE, number)
    _mark, order, account, name, amount, remark, instruction_id = fields
    right = _is_number(order) and _is_number(amount) and NUMBER.fullmatch(instruction_id)
    if not right or not int(amount) or not account or not name.strip():
        raise FileRefused(FileReason.LINE, number)
    if int(order) != place:
        raise FileRefused(FileReason.NUMBERING, number)
    return Transfer(account, name, int(amount), instruction_id, remark)


def _fields(
    record: bytes, cuts: Sequence[tuple[int, int]], number: str | None = None
) -> list[str] | None:
    """Cut a record into its fields, without their padding; nothing where its form is not right.

    Every field is decoded for itself: half a character at its end is no character.
    """
    end = cuts[-1][1]
    if len(record) != RECORD_BYTES or record[end:].strip(b" ") or b"\n" in record:
        return None
    try:
        return [record[start:end].decode(ENCODING).rstrip(" ") for start, end in cuts]
    except UnicodeDecodeError as unreadable:
        raise FileRefused(FileReason.ENCODING, number) from unreadable


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
