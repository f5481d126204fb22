"""Movements and day statements as CSV pages, GB18030, CRLF, a header line in front."""

import csv
import io
from collections.abc import Iterable

from deploy.sandbox.bank.batches import yuan
from deploy.sandbox.bank.movements import Kind, Movement, Statement

ENCODING = "gb18030"
COLUMNS = (
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
)
KINDS = {
    Kind.PAYOUT: "代发",
    Kind.RETURN: "退票",
    Kind.REVERSAL: "冲账",
    Kind.DEPOSIT: "存入",
    Kind.TRANSFER: "转出",
    Kind.FEE: "手续费",
}


def movements_page(movements: Iterable[Movement]) -> bytes:
    return _page([], movements)


def statement_page(statement: Statement, movements: Iterable[Movement]) -> bytes:
    """Write a day: its balances and its count, then its movements."""
    opening, closing = yuan(statement.opening_fen), yuan(statement.closing_fen)
    count = str(statement.count)
    return _page(["期初余额", opening, "期末余额", closing, "笔数", count], movements)


def _page(summary: list[str], movements: Iterable[Movement]) -> bytes:
    page = io.BytesIO()
    with io.TextIOWrapper(page, ENCODING, newline="", write_through=True) as text:
        writer = csv.writer(text)
        if summary:
            writer.writerow(summary)
        writer.writerow(COLUMNS)
        writer.writerows(map(_row, movements))
        return page.getvalue()


def _row(movement: Movement) -> list[str]:
    return [
        str(movement.ref),
        movement.booked_on.strftime("%Y%m%d"),
        # From the payer's side: 借 is money out, 贷 money in.
        "贷" if movement.credit else "借",
        yuan(movement.amount_fen),
        KINDS[movement.kind],
        movement.batch,
        movement.instruction_id,
        movement.code,
        movement.reason,
        movement.party,
        movement.party_account,
        movement.remark,
    ]
