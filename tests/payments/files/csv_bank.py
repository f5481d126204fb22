"""Movements and statements as the bank writes them, from the page: CSV in GB18030 with CRLF."""

import csv
import io
from collections.abc import Sequence

COLUMNS = [
    "流水号",
    "记账日",
    "借贷标志",
    "金额",
    "交易类型",
    "批次号",
    "企业流水号",
    "原因码",
    "原因",
    "对方户名",
    "对方账号",
    "摘要",
]


def a_row(number: int, direction: str, amount: str, kind: str, **more: str) -> dict[str, str]:
    return {
        "流水号": str(number),
        "记账日": "20261122",
        "借贷标志": direction,
        "金额": amount,
        "交易类型": kind,
    } | more


def text_of(*lines: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue()


def a_page(*rows: dict[str, str], columns: Sequence[str] = COLUMNS) -> str:
    return text_of(columns, *([row.get(column, "") for column in columns] for row in rows))


def a_statement(opening: str, closing: str, *rows: dict[str, str], count: int | None = None) -> str:
    said = str(len(rows) if count is None else count)
    return text_of(["期初余额", opening, "期末余额", closing, "笔数", said]) + a_page(*rows)
