"""What a fault test is about: a unit's people, their settlements, and what must come of them."""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from deploy.demo.oracle import Oracle
from deploy.demo.people import ROSTER_COLUMNS, Person, person
from deploy.demo.spoil import Made, spoil
from deploy.demo.visits import COLUMNS, INPATIENT, Cost, Hospital, Row, visit, visits

FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2025, 12, 31)
HOSPITAL = Hospital("H11010000001", "北京市第一示范医院", "3")
PEOPLE = 20
ROWS = 180
SPOILT: Mapping[str, int] = dict.fromkeys(
    (
        "sums",
        "bad_amount",
        "bad_date",
        "bad_id",
        "unknown_member",
        "retired",
        "missing_field",
        "not_covered",
        "duplicate",
        "conflicting",
        "refund",
        "refund_mismatch",
        "early_refund",
    ),
    1,
)


@dataclass(frozen=True)
class Story:
    """Nobody and no settlement of one story is in another; the same number tells the same story."""

    number: int
    people: Sequence[Person]
    made: Sequence[Made]

    @property
    def unit(self) -> str:
        return f"F{self.number:04d}"

    @property
    def roster(self) -> bytes:
        return _csv(ROSTER_COLUMNS, (one.roster_row() for one in self.people))

    @property
    def feed(self) -> bytes:
        return _csv(COLUMNS, (one.row.values() for one in self.made))

    @property
    def counts(self) -> Counter[str]:
        oracle = Oracle()
        return Counter(oracle.expect(one.row, one.made).status for one in self.made)

    @property
    def refused(self) -> list[tuple[int, str, str]]:
        """Give line, settlement and code of every row that must be refused."""
        oracle = Oracle()
        verdicts = (oracle.expect(one.row, one.made) for one in self.made)
        return [
            (line, one.row["setl_id"], verdict.code)
            for line, (one, verdict) in enumerate(zip(self.made, verdicts, strict=True), start=2)
            if verdict.status == "refused"
        ]

    @property
    def granted(self) -> dict[tuple[str, int], int]:
        """Give what each person must have been granted in a year, in fen."""
        return granted(self.made)


def story(number: int, *, people: int = PEOPLE, rows: int = ROWS) -> Story:
    rng = random.Random(number)  # noqa: S311 - made-up people need no secrets
    first = 20_000 + 100 * number
    everybody = [person(first + place, rng, FIRST_DAY, LAST_DAY) for place in range(people)]
    everybody[0] = everybody[0]._replace(hired_on=date(2019, 3, 1))
    everybody[-1] = everybody[-1]._replace(hired_on=date(2025, 4, 1))
    made = list(
        visits(rng, everybody, [HOSPITAL], first_day=FIRST_DAY, last_day=LAST_DAY, count=rows)
    )
    named = [{**row, "setl_id": f"F{number:04d}{row['setl_id']}"} for row in made]
    return Story(number, everybody, spoil(rng, named, SPOILT, [everybody[-1]]))


def stay(number: int, patient: Person, total_fen: int) -> Row:
    """Give a stay in hospital that is worth something whatever came before in its year."""
    rng = random.Random(number)  # noqa: S311 - as above
    row = visit(
        rng,
        number,
        patient,
        HOSPITAL,
        kind=INPATIENT,
        ended=LAST_DAY,
        cost=Cost(total_fen, 0, 0, 0, 1_300_00, 60),
    )
    return {**row, "setl_id": f"STAY{patient.card[-8:]}{number:04d}"}


def granted(made: Iterable[Made]) -> dict[tuple[str, int], int]:
    oracle = Oracle()
    for one in made:
        oracle.expect(one.row, one.made)
    return {(certno, year): fen(benefit) for certno, year, benefit in oracle.by_year()}


def fen(yuan: Decimal | str) -> int:
    return int(Decimal(yuan) * 100)


def _csv(header: Sequence[str], rows: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()
