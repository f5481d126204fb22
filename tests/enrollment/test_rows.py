"""Roster rows: what is taken, what is refused, and that a bad row never stops the file."""

import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.model import Chunk, Cover, FileCode, RosterRow, RowCode
from services.enrollment.rows import COLUMNS, FileRefused, RosterReader, measured
from tests.enrollment.people import HEADER, Worker, csv_of, worker, workers

SCHEMES = {"bj.mutual": 1, "ct.women": 3}
TODAY = date(2026, 11, 20)
SHARED = Path(__file__).parents[3] / "shared" / "data" / "rosters"


def read(content: bytes, encoding: str = "utf-8-sig") -> Chunk:
    reader = RosterReader(io.BytesIO(content), encoding, schemes=SCHEMES, today=TODAY)
    return reader.next_chunk(1_000_000)


def codes(*rows: Worker) -> list[tuple[int, str, str]]:
    return [(r.row, r.column, r.code) for r in read(csv_of(rows)).refusals]


def only_row(row: Worker) -> RosterRow:
    [found] = read(csv_of([row])).rows
    return found


def refusal_of(content: bytes) -> FileCode:
    with pytest.raises(FileRefused) as refused:
        measured(lambda: io.BytesIO(content))
    return refused.value.code


def test_a_good_row_is_a_person_with_covers() -> None:
    row = only_row(Worker(schemes="bj.mutual:1; ct.women:3", groups="hardship; gig:courier"))
    person = row.person
    assert row.row == 2
    assert person.name.open() == "王芳"
    assert person.id_number.open() == "110101199003070011"
    assert person.payee.card.open() == "6217000000000000012"
    assert person.hired_on == date(2012, 5, 1)
    assert person.groups == ("gig:courier", "hardship")
    assert row.covers == (Cover("bj.mutual", 1), Cover("ct.women", 3))


def test_a_person_prints_as_a_mask() -> None:
    shown = repr(only_row(Worker()))
    assert not any(plain in shown for plain in ("王芳", "199003", "13800000001", "6217000"))


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (Worker(name=""), "name", RowCode.MISSING_FIELD),
        (Worker(name="王\t芳"), "name", RowCode.BAD_NAME),
        (Worker(id_number=""), "id_number", RowCode.MISSING_FIELD),
        (Worker(id_number="110101199003070012"), "id_number", RowCode.ID_CHECK_DIGIT),
        (Worker(id_number="11010119900307001"), "id_number", RowCode.ID_CHECK_DIGIT),
        (Worker(id_type="02", id_number="E#1234567"), "id_number", RowCode.BAD_ID_NUMBER),
        (Worker(phone="23800000001"), "phone", RowCode.BAD_PHONE),
        (Worker(card_number="6217-00"), "card_number", RowCode.BAD_CARD),
        (Worker(employment_status="retired"), "employment_status", RowCode.NOT_IN_SERVICE),
        (Worker(employment_status=""), "employment_status", RowCode.MISSING_FIELD),
        (Worker(hired_on="2012-02-30"), "hired_on", RowCode.BAD_DATE),
        (Worker(hired_on="20120501"), "hired_on", RowCode.BAD_DATE),
        (Worker(schemes=""), "schemes", RowCode.MISSING_FIELD),
        (Worker(schemes="xx.unknown:1"), "schemes", RowCode.BAD_SCHEME),
        (Worker(schemes="bj.mutual:1;bj.mutual:1"), "schemes", RowCode.BAD_SCHEME),
        (Worker(schemes="bj.mutual:0"), "schemes", RowCode.BAD_UNITS),
        (Worker(schemes="ct.women:4"), "schemes", RowCode.BAD_UNITS),
        (Worker(schemes="bj.mutual"), "schemes", RowCode.BAD_UNITS),
        (Worker(schemes="bj.mutual:1.5"), "schemes", RowCode.BAD_UNITS),
        (Worker(groups="Hardship!"), "groups", RowCode.BAD_GROUP),
    ],
)
def test_each_fault_has_its_column_and_its_code(row: Worker, column: str, code: RowCode) -> None:
    assert codes(row) == [(2, column, code)]


def test_every_fault_of_a_row_is_told_at_once() -> None:
    row = Worker(phone="1", card_number="x", hired_on="?", employment_status="left")
    assert sorted(column for _, column, _ in codes(row)) == [
        "card_number",
        "employment_status",
        "hired_on",
        "phone",
    ]


def test_the_second_row_of_a_person_is_refused_wherever_it_stands() -> None:
    twice = [worker(1), worker(2), worker(1).but(phone="13700000000")]
    assert codes(*twice) == [(4, "id_number", RowCode.DUPLICATE_ROW)]


def test_a_person_met_before_a_restart_is_still_known_after_it() -> None:
    content = csv_of([worker(1), worker(2), worker(1)])
    reader = RosterReader(io.BytesIO(content), "utf-8-sig", schemes=SCHEMES, today=TODAY)
    reader.skip(2)
    assert [r.code for r in reader.next_chunk(10).refusals] == [RowCode.DUPLICATE_ROW]


def test_chunks_together_are_the_file() -> None:
    content = csv_of(workers(25))
    reader = RosterReader(io.BytesIO(content), "utf-8-sig", schemes=SCHEMES, today=TODAY)
    counts = [reader.next_chunk(10).count for _ in range(4)]
    assert counts == [10, 10, 5, 0]


def test_full_width_signs_blanks_and_a_country_code_are_read_as_what_they_are() -> None:
    row = Worker(
        id_number="11010519491231002x".replace("1", "１"),
        phone="+86 138 0000 0001",
        card_number="6217 0000 0000 0000 012",
    )
    person = only_row(row).person
    assert person.id_number.open() == "11010519491231002X"
    assert person.phone.open() == "13800000001"
    assert person.payee.card.open() == "6217000000000000012"


def test_a_passport_is_checked_by_its_form() -> None:
    assert only_row(Worker(id_type="02", id_number="e12345678")).person.id_number.open() == (
        "E12345678"
    )


def test_blank_lines_count_for_nothing_but_keep_the_numbers_of_the_sheet() -> None:
    content = "\n".join([HEADER, "", worker(1).line(), ",,,,,,,,,", worker(2).line()]).encode()
    assert measured(lambda: io.BytesIO(content)) == ("utf-8-sig", 2)
    assert [row.row for row in read(content).rows] == [3, 5]


def test_columns_stand_in_any_order_and_optional_ones_may_be_missing() -> None:
    columns = ["schemes", "phone", "name", "card_number", "employment_status", "id_number", "memo"]
    cells = [getattr(Worker(), column, "x") for column in columns]
    row = read("\n".join([",".join(columns), ",".join(cells)]).encode()).rows[0]
    assert row.person.id_type == "01"
    assert row.person.hired_on is None


def test_a_comma_at_the_end_of_a_row_moves_nothing_into_columns_the_file_lacks() -> None:
    columns = ["schemes", "phone", "name", "card_number", "employment_status", "id_number"]
    cells = [getattr(Worker(), column) for column in columns]
    content = "\n".join([",".join([*columns, "groups"]), ",".join([*cells, "hardship", ""])])
    person = read(content.encode()).rows[0].person
    assert (person.id_type, person.payee.bank, person.hired_on) == ("01", "", None)


def test_a_row_with_more_cells_than_the_header_is_refused() -> None:
    content = "\n".join([HEADER, worker(1).line() + ",surplus"]).encode()
    assert [(r.column, r.code) for r in read(content).refusals] == [("", RowCode.EXTRA_FIELD)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_read_in_the_encodings_that_offices_use(encoding: str) -> None:
    content = csv_of(workers(3)).decode().encode(encoding)
    found, rows = measured(lambda: io.BytesIO(content))
    assert rows == 3
    assert [row.person.name.open() for row in read(content, found).rows] == [
        w.name for w in workers(3)
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FileCode.EMPTY_FILE),
        (b"\n\n", FileCode.EMPTY_FILE),
        (HEADER.encode(), FileCode.EMPTY_FILE),
        (HEADER.replace("phone", "mobile").encode(), FileCode.MISSING_COLUMN),
        (f"{HEADER},phone\n".encode(), FileCode.DUPLICATE_COLUMN),
        (HEADER.encode("utf-16"), FileCode.UNREADABLE_FILE),
        (b"\xff\xff\xff\xff", FileCode.UNREADABLE_FILE),
        (f'{HEADER}\n"open quote'.encode(), FileCode.UNREADABLE_FILE),
        (csv_of([worker(1)]) + b"\xff\xff\xff", FileCode.UNREADABLE_FILE),
    ],
)
def test_a_file_that_is_no_roster_is_refused_whole(content: bytes, code: FileCode) -> None:
    assert refusal_of(content) == code


cell = st.text(max_size=20) | st.sampled_from([getattr(Worker(), c) for c in COLUMNS])


@given(st.lists(st.lists(cell, max_size=len(COLUMNS) + 2), max_size=20))
def test_whatever_the_cells_hold_each_row_is_taken_or_refused(rows: list[list[str]]) -> None:
    lines = [",".join(f'"{text.replace(chr(34), chr(34) * 2)}"' for text in r) for r in rows]
    content = "\r\n".join([HEADER, *lines]).encode("utf-8", "replace")
    chunk = read(content)
    refused = {refusal.row for refusal in chunk.refusals}
    assert len(chunk.rows) + len(refused) == chunk.count
    assert refused.isdisjoint(row.row for row in chunk.rows)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared sample rosters are not here")
def test_the_sample_rosters_are_taken_whole() -> None:
    for path in SHARED.glob("*.csv"):
        content = path.read_bytes()
        encoding, rows = measured(lambda content=content: io.BytesIO(content))
        chunk = read(content, encoding)
        assert (len(chunk.rows), chunk.refusals) == (rows, ())
