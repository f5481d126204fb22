"""Movements and day statements in CSV: read by the names of their columns, whole or not at all."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.identity import CardNumber, PersonName
from services.payments.channels.csv_statement import read_movements, read_statement
from services.payments.errors import ResultUnusable
from services.payments.model.statements import Movement, MovementKind, Movements
from tests.payments.files.csv_bank import COLUMNS, a_page, a_row, a_statement, text_of
from tests.payments.files.samples import CARD, DAY

ID = "0" * 32 + "1"
PAYOUT = a_row(7, "借", "300.00", "代发", 批次号="7215")
RETURN = a_row(
    8,
    "贷",
    "100.00",
    "退票",
    企业流水号=ID,
    原因码="0002",
    原因="账户已销户",
    对方户名="𠮷·丽",
    对方账号=CARD,
    摘要='退, "票"\r\n再说',
)
ROWS = (
    PAYOUT,
    RETURN,
    a_row(9, "贷", "5.00", "冲账", 企业流水号=ID),
    a_row(10, "贷", "0.01", "存入", 对方户名="市总工会"),
    a_row(11, "借", "20.00", "转出"),
    a_row(12, "借", "1.50", "手续费"),
)
TEXT = a_page(*ROWS)


def read(text: str, mark: str = "") -> Movements:
    return read_movements(text.encode("gb18030"), mark)


def test_every_kind_is_read_with_its_direction_and_the_mark_is_the_last_number() -> None:
    lines, mark = read(TEXT, "6")
    assert mark == "12"
    assert [(line.bank_ref, line.kind, line.signed_fen) for line in lines] == [
        ("7", MovementKind.PAYOUT, -300_00),
        ("8", MovementKind.RETURN, 100_00),
        ("9", MovementKind.REVERSAL, 5_00),
        ("10", MovementKind.DEPOSIT, 1),
        ("11", MovementKind.TRANSFER, -20_00),
        ("12", MovementKind.FEE, -1_50),
    ]
    assert lines[0].batch_no == "7215"
    assert lines[1] == Movement(
        bank_ref="8",
        booked_on=DAY,
        direction="credit",
        amount_fen=lines[1].amount_fen,
        kind=MovementKind.RETURN,
        instruction_id=ID,
        bank_code="0002",
        reason="ACCOUNT_CLOSED",
        party=PersonName("𠮷·丽"),
        party_account=CardNumber(CARD),
        remark='退, "票"\r\n再说',
    )


def test_a_reason_that_nobody_told_us_of_is_other() -> None:
    (line,), _ = read(a_page(RETURN | {"原因码": "Z9"}))
    assert (line.bank_code, line.reason) == ("Z9", "OTHER")


def test_columns_stand_where_they_like_and_strange_ones_are_nothing_to_us() -> None:
    columns = ["网点", *reversed(COLUMNS), "操作员"]
    assert read(a_page(*ROWS, columns=columns)) == read(TEXT)
    assert read(a_page(*ROWS, columns=[c for c in COLUMNS if c != "原因"])) == read(TEXT)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column != "原因"])
def test_without_one_of_our_columns_nothing_is_read(column: str) -> None:
    with pytest.raises(ResultUnusable):
        read(a_page(*ROWS, columns=[c for c in COLUMNS if c != column]))
    with pytest.raises(ResultUnusable):
        read(a_page(*ROWS, columns=[*COLUMNS, column]))


def test_an_empty_page_leaves_the_mark_where_it_was() -> None:
    assert read(a_page(), "7") == Movements([], "7")
    assert read(a_page()) == Movements([], "")


def test_rows_that_come_twice_or_out_of_order_are_read_once_and_in_order() -> None:
    assert read(a_page(*ROWS, *ROWS)) == read(TEXT)
    assert read(a_page(*reversed(ROWS))) == read(TEXT)


def test_numbers_are_in_order_as_numbers_and_the_mark_never_goes_back() -> None:
    assert [line.bank_ref for line in read(a_page(ROWS[3], ROWS[2])).lines] == ["9", "10"]
    assert read(a_page(ROWS[2]), "10").mark == "10"


def test_two_rows_that_differ_under_one_number_spoil_the_page() -> None:
    with pytest.raises(ResultUnusable):
        read(a_page(PAYOUT, PAYOUT | {"金额": "300.01"}))


BAD_FIELDS = [
    ("流水号", ""),
    ("流水号", "7a"),
    ("流水号", "-7"),
    ("流水号", "７"),
    ("流水号", "7" * 33),
    ("记账日", "20261322"),
    ("记账日", "2026-11-22"),
    ("记账日", ""),
    ("借贷标志", "收"),
    ("借贷标志", "贷"),
    ("金额", "300"),
    ("金额", "-300.00"),
    ("金额", "3e2"),
    ("金额", "3,00.00"),
    ("金额", "0.00"),
    ("金额", ""),
    ("交易类型", "利息"),
    ("交易类型", ""),
    ("批次号", "72 15"),
    ("企业流水号", "a" * 65),
    ("摘要", "a\0b"),
]


@pytest.mark.parametrize(("column", "value"), BAD_FIELDS)
def test_a_row_that_cannot_be_read_spoils_the_page(column: str, value: str) -> None:
    with pytest.raises(ResultUnusable):
        read(a_page(ROWS[1], PAYOUT | {column: value}))


@given(st.integers(0, len(TEXT.encode("gb18030")) - 1))
def test_a_page_cut_short_is_refused_or_ends_behind_a_row(length: int) -> None:
    content = TEXT.encode("gb18030")[:length]
    try:
        lines, mark = read_movements(content, "")
    except ResultUnusable:
        return
    whole = read(TEXT).lines
    assert lines == list(whole)[: len(lines)]
    assert mark == (lines[-1].bank_ref if lines else "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_page_in_another_encoding_is_not_believed(encoding: str) -> None:
    with pytest.raises(ResultUnusable):
        read_movements(TEXT.encode(encoding), "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        text_of(["无此记录"]),
        TEXT + "\r\n",
        TEXT + '"\r\n',
        TEXT + "13,20261122\r\n",
        "\ufeff" + TEXT,
        TEXT.replace("代发", "代发" * 100_000),
    ],
)
def test_what_is_no_page_is_not_believed(text: str) -> None:
    with pytest.raises(ResultUnusable):
        read(text)


@given(st.binary(max_size=300))
def test_noise_is_not_believed(noise: bytes) -> None:
    with pytest.raises(ResultUnusable):
        read_movements(noise, "")
    with pytest.raises(ResultUnusable):
        read_statement(noise, DAY)


OPENING, CLOSING = "1000.00", "783.51"
STATEMENT = a_statement(OPENING, CLOSING, *ROWS)


def test_a_statement_says_what_the_day_opened_and_closed_with() -> None:
    found = read_statement(STATEMENT.encode("gb18030"), DAY)
    assert (found.day, found.opening_fen, found.closing_fen) == (DAY, 1_000_00, 783_51)
    assert found.lines == read(TEXT).lines


def test_a_day_without_movements_closes_as_it_opened() -> None:
    found = read_statement(a_statement("0.00", "0.00").encode("gb18030"), DAY)
    assert (found.opening_fen, found.closing_fen, found.lines) == (0, 0, [])


def test_a_row_that_comes_twice_in_a_statement_counts_once() -> None:
    doubled = a_statement(OPENING, CLOSING, *ROWS, PAYOUT, count=len(ROWS))
    assert read_statement(doubled.encode("gb18030"), DAY).lines == read(TEXT).lines


@pytest.mark.parametrize(
    "text",
    [
        a_statement(OPENING, "783.52", *ROWS),
        a_statement("1000.01", CLOSING, *ROWS),
        a_statement(OPENING, CLOSING, *ROWS[1:]),
        a_statement(OPENING, CLOSING, *ROWS, count=5),
        a_statement("-1.00", "-1.00"),
        a_statement("1.0", "1.0"),
        a_statement("1.00", "1.00", count=0).replace("笔数,0", "笔数,"),
        a_statement("1.00", "1.00").replace("期末余额", "期初余额"),
        a_statement("1.00", "1.00").replace(",笔数,0", ",笔数"),
        a_statement("1.00", "1.00").replace(",笔数,0", ""),
        TEXT,
        STATEMENT.replace("20261122,贷,0.01", "20261121,贷,0.01"),
    ],
)
def test_a_statement_that_does_not_add_up_is_not_believed(text: str) -> None:
    with pytest.raises(ResultUnusable):
        read_statement(text.encode("gb18030"), DAY)


def test_another_days_statement_is_not_believed() -> None:
    with pytest.raises(ResultUnusable):
        read_statement(STATEMENT.encode("gb18030"), date(2026, 11, 21))


@given(st.integers(0, len(STATEMENT.encode("gb18030")) - 1))
def test_a_statement_cut_short_anywhere_is_not_believed(length: int) -> None:
    with pytest.raises(ResultUnusable):
        read_statement(STATEMENT.encode("gb18030")[:length], DAY)
