"""Makes the data that the repository holds, from nothing but a seed.

Run it by `python -m deploy.demo.make_data`. Two sets: the demo's, and a small one for the tests.
Each has rosters, a settlement feed, what is to become of every line (truth.csv) and what every
member is to be granted per year (expected.csv); the demo's has a cast as well: who posts, who is
refused, who looks.
"""

import csv
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from deploy.demo.oracle import Oracle
from deploy.demo.people import ROSTER_COLUMNS, Person, card, person
from deploy.demo.spoil import Made, spoil
from deploy.demo.visits import COLUMNS, INPATIENT, Cost, Hospital, Row, visit, visits

DEMO_DIR = Path(__file__).with_name("data")
SMALL_DIR = Path(__file__).parents[2] / "tests" / "system" / "data"
SEED = 20_240_501
FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2025, 12, 31)
HOSPITALS = (
    Hospital("H11010000001", "北京市第一示范医院", "3"),
    Hospital("H11010000002", "北京市第二示范医院", "2"),
)


class Unit(NamedTuple):
    code: str
    name: str
    officer: str
    phone: str


UNITS = (
    Unit("U0001", "北京市公交集团工会", "孙丽华", "13900000001"),
    Unit("U0002", "北京市园林绿化局工会", "周建国", "13900000002"),
    Unit("U0003", "首都师范附属学校工会", "吴晓燕", "13900000003"),
    Unit("U0004", "北京市环卫集团工会", "郑大勇", "13900000004"),
)
TRUTH_COLUMNS = ("line", "setl_id", "made", "status", "code", "benefit")
EXPECTED_COLUMNS = ("certno", "year", "benefit")


class Scale(NamedTuple):
    """How large a set is, and how many of its rows are spoilt in which way."""

    units: int
    members: int
    rows: int
    spoilt: Mapping[str, int]


DEMO = Scale(
    units=4,
    members=300,
    rows=1_960,
    spoilt={
        "sums": 8,
        "bad_amount": 7,
        "bad_date": 4,
        "bad_id": 6,
        "unknown_member": 6,
        "retired": 5,
        "missing_field": 4,
        "not_covered": 5,
        "duplicate": 10,
        "conflicting": 5,
        "refund": 10,
        "refund_mismatch": 4,
        "early_refund": 5,
    },
)
SMALL = Scale(units=1, members=12, rows=52, spoilt=dict.fromkeys(DEMO.spoilt, 1))


def main() -> None:
    make_demo(DEMO_DIR)
    make_small(SMALL_DIR)


def make_demo(folder: Path) -> None:
    rng = random.Random(SEED)  # noqa: S311 - made-up people need no secrets
    people = _people(rng, DEMO.members, first=1)
    heroine, refused, costly = people[0], people[1:3], people[3]
    rows = [
        *_visits(rng, people[4:], DEMO.rows),
        *_visits_of_the_cast(rng, refused, costly),
    ]
    rows.sort(key=lambda row: row["setl_time"])
    _write_set(folder, DEMO, people, _spoilt(rng, DEMO, rows, people, keep=people[:4]))
    claim = visit(
        rng,
        DEMO.rows + 10,
        heroine,
        HOSPITALS[0],
        kind=INPATIENT,
        ended=date(2025, 12, 18),
        cost=Cost(31_862_75, 1_204_30, 0, 862_45, 1_300_00, 85),
    )
    cast = {
        "units": [union._asdict() for union in UNITS],
        "covered_from": FIRST_DAY.isoformat(),
        "heroine": {"unit": _unit_of(people, heroine), **_named(heroine)},
        "hospital_claim": claim,
        "hospital_benefit": str(Oracle().expect(claim, "ok").benefit),
        "refused_cards": [
            {
                "unit": _unit_of(people, one),
                **_named(one),
                "holder_at_bank": "钱某",
                "right_card": card(800_000 + place),
            }
            for place, one in enumerate(refused)
        ],
    }
    text = json.dumps(cast, ensure_ascii=False, indent=1)
    (folder / "cast.json").write_text(f"{text}\n", encoding="utf-8")


def make_small(folder: Path) -> None:
    rng = random.Random(SEED + 1)  # noqa: S311 - as above
    people = _people(rng, SMALL.members, first=5_001)
    rows = list(_visits(rng, people, SMALL.rows))
    _write_set(folder, SMALL, people, _spoilt(rng, SMALL, rows, people, keep=()))


def _people(rng: random.Random, count: int, first: int) -> list[Person]:
    """Make people of whom at least the last was hired late; the first few are there all along."""
    people = [person(first + place, rng, FIRST_DAY, LAST_DAY) for place in range(count)]
    early, late = date(2019, 3, 1), date(2025, 4, 1)
    people[:4] = [one._replace(hired_on=early) for one in people[:4]]
    people[0] = people[0]._replace(name="张秀兰")
    people[4] = people[4]._replace(name="阿依古丽·买买提")
    people[5] = people[5]._replace(name="李㛃")  # a character beyond GBK, which GB18030 has
    people[-1] = people[-1]._replace(hired_on=late)
    return people


def _visits(rng: random.Random, people: Sequence[Person], count: int) -> Iterable[Row]:
    return visits(rng, people, HOSPITALS, first_day=FIRST_DAY, last_day=LAST_DAY, count=count)


def _stay(rng: random.Random, number: int, patient: Person, ended: date, cost: Cost) -> Row:
    return visit(rng, number, patient, HOSPITALS[1], kind=INPATIENT, ended=ended, cost=cost)


def _visits_of_the_cast(
    rng: random.Random, refused: Sequence[Person], costly: Person
) -> Iterable[Row]:
    """Give one stay to each whose card is wrong, and stays beyond the year's cap to one member."""
    number = DEMO.rows
    for one in refused:
        number += 1
        cost = Cost(rng.randrange(20_000_00, 40_000_00), 500_00, 0, 300_00, 1_300_00, 85)
        yield _stay(rng, number, one, date(2025, 3, 14), cost)
    for month in (5, 8, 10):
        number += 1
        cost = Cost(310_000_00 + month * 1_017, 9_000_00, 2_000_00, 4_000_00, 1_300_00, 65)
        yield _stay(rng, number, costly, date(2024, month, 20), cost)


def _spoilt(
    rng: random.Random,
    scale: Scale,
    rows: Sequence[Row],
    people: Sequence[Person],
    keep: Sequence[Person],
) -> list[Made]:
    """Spoil the feed, but leave whole what the story is about."""
    kept = {one.id_number for one in keep}
    late = [one for one in people if one.hired_on > FIRST_DAY.replace(month=4)]
    plain = [row for row in rows if row["certno"] not in kept]
    story = [Made(row, "ok") for row in rows if row["certno"] in kept]
    feed = spoil(rng, plain, scale.spoilt, late)
    for made in story:
        before = (n for n, one in enumerate(feed) if one.row["setl_time"] > made.row["setl_time"])
        feed.insert(next(before, len(feed)), made)
    return feed


def _write_set(folder: Path, scale: Scale, people: Sequence[Person], feed: Sequence[Made]) -> None:
    rosters = folder / "rosters"
    rosters.mkdir(parents=True, exist_ok=True)
    for place, union in enumerate(UNITS[: scale.units]):
        members = (one.roster_row() for one in people[place :: scale.units])
        _write(rosters / f"{union.code}.csv", ROSTER_COLUMNS, members)
    _write(folder / "settlements.csv", COLUMNS, (one.row.values() for one in feed))
    oracle = Oracle()
    truth = (
        (line, one.row["setl_id"], one.made, *oracle.expect(one.row, one.made))
        for line, one in enumerate(feed, start=2)
    )
    _write(folder / "truth.csv", TRUTH_COLUMNS, truth)
    _write(folder / "expected.csv", EXPECTED_COLUMNS, oracle.by_year())


def _write(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _unit_of(people: Sequence[Person], one: Person) -> str:
    return UNITS[people.index(one) % DEMO.units].code


def _named(one: Person) -> dict[str, str]:
    return {"name": one.name, "id_number": one.id_number, "phone": one.phone, "card": one.card}


if __name__ == "__main__":
    main()
