"""Members of Weihai's plan for hospital costs, and their stays in period 14: all made up."""

import random
from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from deploy.demo.people import Person, person
from deploy.demo.visits import INPATIENT, OUTPATIENT, Cost, Hospital, Row, visit

SCHEME: Final = "wh.medical"
FIRST_DAY, LAST_DAY = date(2022, 11, 1), date(2023, 10, 31)
_SEED: Final = 18_090_014
_MEMBERS, _VISITS = 320, 700
_HOSPITALS: Final = (
    Hospital("H37100000001", "威海市第一示范医院", "3"),
    Hospital("H37100000002", "威海市第二示范医院", "2"),
    Hospital("H37100000003", "威海市第三示范医院", "1"),
)
_UNITS: Final = ("WH0001", "WH0002", "WH0003", "WH0004", "WH0005")
# Of a hundred visits so many are none of the plan's, and so many very dear.
_OUTPATIENT, _DEAR = 10, 8


class Member(NamedTuple):
    person: Person
    unit: str


def members() -> list[Member]:
    rng = random.Random(_SEED)  # noqa: S311 - made-up people need no secrets
    people = [person(n, rng, FIRST_DAY, LAST_DAY) for n in range(1, _MEMBERS + 1)]
    return [Member(one._replace(hired_on=FIRST_DAY), rng.choice(_UNITS)) for one in people]


def settlements() -> Iterator[Row]:
    """Give what the bureau would report of them, in the order of days."""
    rng = random.Random(_SEED + 1)  # noqa: S311 - as above
    patients = members()
    span = LAST_DAY - FIRST_DAY
    for number in range(1, _VISITS + 1):
        ended = FIRST_DAY + span * number // _VISITS
        dice = rng.randrange(100)
        row = visit(
            rng,
            number,
            rng.choice(patients).person,
            rng.choice(_HOSPITALS),
            kind=OUTPATIENT if dice < _OUTPATIENT else INPATIENT,
            ended=ended,
            cost=_dear(rng) if dice >= 100 - _DEAR else None,
        )
        yield {**row, "setl_id": f"WH{ended:%y%m%d}{number:07d}"}


def _dear(rng: random.Random) -> Cost:
    total = rng.randrange(60_000_00, 500_000_00)
    return Cost(total, total // 50, 0, total // 40, 1_300_00, 80)
