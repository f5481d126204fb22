"""The made year: as many and as large as the sources say, and worth what it says it is worth."""

import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest

from deploy.bench.year.people import by_card, by_phone, member, right_card, units, wrong_cards
from deploy.bench.year.settlements import (
    BELOW,
    LARGEST_FEN,
    PAID,
    PAID_PEOPLE,
    SPOILT_SHARE,
    TOTAL_FEN,
    Year,
)
from deploy.demo.books import fen
from deploy.demo.oracle import Oracle
from deploy.demo.visits import Row

SHARE, ROSTER = 0.01, 13_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Year, list[Row]]:
    path = tmp_path_factory.mktemp("year") / "year.csv.gz"
    year = Year(SHARE, ROSTER)
    year.write(path)
    return year, _rows(path)


def _rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_share_of_the_year_has_its_share_of_everything(made: tuple[Year, list[Row]]) -> None:
    year, rows = made
    assert year.rows == len(rows)
    assert (year.paid_people, year.paid, year.below) == (
        PAID_PEOPLE * SHARE,
        PAID * SHARE,
        BELOW * SHARE,
    )
    assert year.refunds == pytest.approx(0.003 * year.paid, rel=0.01)
    assert year.spoilt == pytest.approx(SPOILT_SHARE * (year.paid + year.below), rel=0.3)
    assert abs(year.expected_fen / (TOTAL_FEN * SHARE) - 1) < 0.01


def test_the_oracle_finds_every_settlement_worth_what_was_made_of_it(
    made: tuple[Year, list[Row]],
) -> None:
    year, rows = made
    oracle = Oracle()
    whole = [row for row in rows if row["setl_id"].startswith("B")]
    found = [
        oracle.expect(row, "refund" if row["refd_setl_flag"] == "1" else "ok") for row in whole
    ]
    counts = Counter(one.status for one in found)
    assert counts == {"settled": year.paid, "rejected": year.below, "reversed": year.refunds}
    assert fen(str(sum(one.benefit for one in found))) == year.expected_fen
    assert max(fen(str(one.benefit)) for one in found) == year.largest_fen == LARGEST_FEN


def test_the_year_is_the_same_each_time_and_its_days_are_in_order(
    made: tuple[Year, list[Row]], tmp_path: Path
) -> None:
    _, rows = made
    Year(SHARE, ROSTER).write(tmp_path / "again.csv.gz")
    assert _rows(tmp_path / "again.csv.gz") == rows
    moments = [row["setl_time"] for row in rows]
    assert moments == sorted(moments)


def test_months_and_hospitals_are_uneven(made: tuple[Year, list[Row]]) -> None:
    _, rows = made
    by_month = Counter(row["setl_time"][5:7] for row in rows)
    assert by_month["12"] > 2 * by_month["02"]
    by_hospital = Counter(row["fixmedins_code"] for row in rows)
    assert by_hospital.most_common(1)[0][1] > 20 * len(rows) / 640


def test_a_member_is_found_again_by_card_and_phone() -> None:
    for number in (1, 77, 1_199_999):
        one = member(number)
        assert by_card(one.card) == by_card(right_card(number)) == by_phone(one.phone) == number
        assert one.card != right_card(number)


def test_one_card_in_two_hundred_is_wrong() -> None:
    assert len(set(wrong_cards(20_000, seed=1))) == 100


def test_units_hold_everybody_once() -> None:
    numbers = [number for _, some in units(12_345) for number in some]
    assert numbers == list(range(1, 12_346))
