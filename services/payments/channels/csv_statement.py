"""Movements and day statements in CSV, as the banks of P1 and P2 give them."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from services.common.identity import CardNumber, PersonName
from services.payments.channels.file_result import (
    OTHER,
    REASONS,
    read_amount,
    read_count,
    read_day,
    read_id,
    require_whole,
)
from services.payments.errors import ResultUnusable
from services.payments.model.statements import (
    DayStatement,
    Direction,
    Movement,
    MovementKind,
    Movements,
)

ENCODING: Final = "gb18030"
# Where a field stands; other columns are nothing to us.
COLUMNS: Final[Mapping[str, str]] = {
    "bank_ref": "流水号",
    "booked_on": "记账日",
    "direction": "借贷标志",
    "amount": "金额",
    "kind": "交易类型",
    "batch_no": "批次号",
    "instruction_id": "企业流水号",
    "bank_code": "原因码",
    "party": "对方户名",
    "party_account": "对方账号",
    "remark": "摘要",
}
DIRECTIONS: Final[Mapping[str, Direction]] = {"借": "debit", "贷": "credit"}
# A kind moves money one way only: a row that says another is not believed.
KINDS: Final[Mapping[str, tuple[MovementKind, Direction]]] = {
    "代发": (MovementKind.PAYOUT, "debit"),
    "退票": (MovementKind.RETURN, "credit"),
    "冲账": (MovementKind.REVERSAL, "credit"),
    "存入": (MovementKind.DEPOSIT, "credit"),
    "转出": (MovementKind.TRANSFER, "debit"),
    "手续费": (MovementKind.FEE, "debit"),
}
# What stands in front of a statement: each word, and behind it its figure.
BALANCES: Final = ["期初余额", "期末余额", "笔数"]
_BANK_REF: Final = re.compile(r"[0-9]{1,32}")


def read_movements(content: bytes, mark: str) -> Movements:
    """Read a page of what was booked behind the mark ("" from the beginning)."""
    lines = _movements(_rows(content))
    marks = [mark, *(line.bank_ref for line in lines[-1:])]
    return Movements(lines, max(marks, key=lambda ref: int(ref or 0)))


def read_statement(content: bytes, day: date) -> DayStatement:
    """Read a day; what it opened with and its movements must make what it closed with."""
    rows = _rows(content)
    first = next(rows, None)
    if first is None or len(first) != 2 * len(BALANCES) or first[::2] != BALANCES:
        raise ResultUnusable
    opening, closing, count = first[1::2]
    statement = DayStatement(day, read_amount(opening), read_amount(closing), _movements(rows))
    moved = sum(line.signed_fen for line in statement.lines)
    if (
        statement.opening_fen + moved != statement.closing_fen
        or len(statement.lines) != read_count(count)
        or any(line.booked_on != day for line in statement.lines)
    ):
        raise ResultUnusable
    return statement


def _rows(content: bytes) -> Iterator[list[str]]:
    """Read row by row, never the whole text at once: a day may have 100,000."""
    require_whole(content)
    text = io.TextIOWrapper(io.BytesIO(content), ENCODING, newline="")
    try:
        yield from csv.reader(text, strict=True)
    except (csv.Error, UnicodeDecodeError):
        raise ResultUnusable from None


def _movements(rows: Iterator[list[str]]) -> Sequence[Movement]:
    """Read header and rows, oldest first and each once; two that differ under one number spoil it.

    The bank may repeat rows or mix them up: its numbers put them in order again.
    """
    header = next(rows, None)
    if header is None or any(header.count(column) != 1 for column in COLUMNS.values()):
        raise ResultUnusable
    places = {field: header.index(column) for field, column in COLUMNS.items()}
    found: dict[int, Movement] = {}
    for row in rows:
        if len(row) != len(header):
            raise ResultUnusable
        line = _movement({field: row[place] for field, place in places.items()})
        if found.setdefault(int(line.bank_ref), line) != line:
            raise ResultUnusable
    return [found[number] for number in sorted(found)]


def _movement(row: Mapping[str, str]) -> Movement:
    bank_ref, amount_fen = row["bank_ref"], read_amount(row["amount"])
    if row["kind"] not in KINDS or not amount_fen or not _BANK_REF.fullmatch(bank_ref):
        raise ResultUnusable
    kind, direction = KINDS[row["kind"]]
    if direction != DIRECTIONS.get(row["direction"]):
        raise ResultUnusable
    code = row["bank_code"]
    return Movement(
        bank_ref=bank_ref,
        booked_on=read_day(row["booked_on"]),
        direction=direction,
        amount_fen=amount_fen,
        kind=kind,
        batch_no=row["batch_no"] and read_id(row["batch_no"]),
        instruction_id=row["instruction_id"] and read_id(row["instruction_id"]),
        bank_code=code,
        reason=REASONS.get(code, OTHER) if code else "",
        party=PersonName(row["party"]),
        party_account=CardNumber(row["party_account"]),
        remark=row["remark"],
    )
