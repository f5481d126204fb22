"""The settlements of a year, in the order of their days, as many and as large as Beijing's of 2017.

Everything follows from the seed and the year's share. What a settlement is to be paid is drawn
first and its bill is made to fit, so that what the whole year is worth is known to the fen without
asking the product: `Year.expected_fen`.
"""

import gzip
import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle
from math import exp
from pathlib import Path
from statistics import NormalDist
from typing import Final

from deploy.bench.year.people import name_of
from deploy.demo.people import id_number
from deploy.demo.spoil import refund_of
from deploy.demo.visits import COLUMNS, INPATIENT, OUTPATIENT, Row, yuan

# Of a whole year: design.md §1, issue of the Beijing union for 2017.
PAID_PEOPLE: Final = 1_110_000
PAID: Final = 2_590_000
BELOW: Final = 1_100_000
TOTAL_FEN: Final = 335_000_000_00
LARGEST_FEN: Final = 188_238_00
SPOILT_SHARE: Final = 0.005
REFUND_SHARE: Final = 0.003
ROSTER_PER_PAID: Final = 1.08
# So many of those below the deductible are first visits of people who are paid later.
_BELOW_OF_PAID: Final = 0.6

_DEDUCTIBLE: Final = (1_800_00, 1_300_00)  # outpatient, inpatient, as the oracle has them
_INPATIENT_SHARE: Final = 0.15
_MONTHS: Final = (62, 51, 88, 84, 86, 83, 79, 80, 87, 81, 96, 123)
_HOSPITALS: Final = 640
_SIGMA: Final = 1.24
_BENEFIT_MAX_FEN: Final = 20_000_00
_QUANTILES: Final = 4_096
_DAY_S: Final = 86_400
_OPENS_S, _CLOSES_S = 8 * 3_600, 18 * 3_600
_REFUND_AFTER_S: Final = 3 * _DAY_S
_BELOW, _PAID, _REFUND = range(3)
_DISEASES: Final = (
    (("I10", "高血压"), ("E11.9", "2型糖尿病"), ("J06.9", "上呼吸道感染"), ("M54.5", "下背痛")),
    (("J18.9", "肺炎"), ("K80.2", "胆囊结石"), ("I63.9", "脑梗死"), ("O82", "剖宫产")),
)
_SPOILT: Final = (
    ("psn_part_amt", "12.345"),
    ("medfee_sumamt", "1e3"),
    ("enddate", "2025-13-01"),
    ("certno", "110101199001011234"),
    ("psn_name", ""),
    ("inscp_scp_amt", "0.01"),
    ("psn_type", "21"),
)


@dataclass
class Year:
    """One calendar year, or a share of it; `roster` members exist, the first ones are paid."""

    share: float
    roster: int
    calendar: int = 2025
    seed: int = 20_171_231
    paid: int = field(init=False)
    expected_fen: int = field(init=False, default=0)
    rows: int = field(init=False, default=0)
    spoilt: int = field(init=False, default=0)
    refunds: int = field(init=False, default=0)
    largest_fen: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.paid_people = max(1, round(PAID_PEOPLE * self.share))
        self.paid = max(1, round(PAID * self.share))
        self.below = round(BELOW * self.share)
        if self.paid_people >= self.roster:
            raise ValueError("somebody of the roster has to stay unpaid")
        self._rng = random.Random(f"{self.seed} {self.calendar}")  # noqa: S311 - made-up people
        self._first = date(self.calendar, 1, 1)
        self._days_by_month = _days(self.calendar)
        self._sums = (
            array("q", bytes(8 * self.roster + 8)),
            array("q", bytes(8 * self.roster + 8)),
        )

    def write(self, path: Path) -> None:
        """Write the feed, gzipped, and add up what it is worth."""
        with gzip.open(path, "wt", encoding="utf-8", newline="", compresslevel=1) as file:
            file.write(",".join(COLUMNS) + "\n")
            for row in self._rows():
                file.write(",".join(row.values()) + "\n")

    def _rows(self) -> Iterator[Row]:
        rng, benefits = self._rng, cycle(self._benefits())
        refunded: dict[int, tuple[Row, int]] = {}
        moments, refund_of_last = self._plan()
        for number, (second, person, what) in enumerate(moments, start=1):
            if what == _REFUND:
                original, benefit = refunded.pop(person)
                self.expected_fen -= benefit
                self.refunds += 1
                self.rows += 1
                yield refund_of(original) | {"setl_time": self._moment(second)}
                continue
            benefit = self._benefit(person, benefits) if what == _PAID else 0
            row = self._visit(number, person, second, benefit)
            self.expected_fen += benefit
            self.largest_fen = max(self.largest_fen, benefit)
            if refund_of_last.get(person) == second:
                refunded[person] = (row, benefit)
            self.rows += 1
            yield row
            if rng.random() < SPOILT_SHARE:
                column, text = rng.choice(_SPOILT)
                self.spoilt += 1
                self.rows += 1
                yield row | {"setl_id": f"X{row['setl_id']}", column: text}

    def _benefit(self, person: int, benefits: Iterator[int]) -> int:
        """Person 1 is the one whose one stay is worth the largest payout."""
        return LARGEST_FEN if person == 1 else next(benefits)

    def _benefits(self) -> list[int]:
        """Give amounts whose mean is right to the fen, small ones many and large ones few.

        Whole multiples of four, so that the bill behind each is a whole number of fen.
        """
        mean = (TOTAL_FEN * self.share - LARGEST_FEN) / max(1, self.paid - 1)
        normal = NormalDist()
        drawn = [exp(_SIGMA * normal.inv_cdf((i + 0.5) / _QUANTILES)) for i in range(_QUANTILES)]
        scale = mean / (sum(drawn) / _QUANTILES)
        amounts = [max(4, min(_BENEFIT_MAX_FEN, round(one * scale)) // 4 * 4) for one in drawn]
        self._rng.shuffle(amounts)
        return amounts

    def _plan(self) -> tuple[list[tuple[int, int, int]], dict[int, int]]:
        """Say when everybody goes to the doctor, first below the deductible, then to be paid.

        Gives the visits in the order of their seconds in the year, and which last visits are
        taken back.
        """
        rng, people = self._rng, self.paid_people
        paid = array("H", [1]) * people
        for _ in range(self.paid - people):
            # Some are ill often: the square crowds the visits onto fewer people.
            paid[1 + int((people - 1) * rng.random() ** 2) if people > 1 else 0] += 1
        below = array("H", bytes(2 * self.roster))
        mine = round(self.below * _BELOW_OF_PAID)
        for place in range(self.below):
            low, high = (1, people) if place < mine else (people, self.roster)
            below[min(self.roster - 1, low + int((high - low) * rng.random()))] += 1
        paid[0], below[0] = 1, 0
        moments: list[tuple[int, int, int]] = []
        last: dict[int, int] = {}
        refunds = rng.sample(range(1, people), round(min(people - 1, self.paid * REFUND_SHARE)))
        taken_back = set(refunds)
        for place in range(self.roster):
            first = below[place]
            count = first + (paid[place] if place < people else 0)
            seconds = sorted(self._second() for _ in range(count))
            person = place + 1
            for nth, second in enumerate(seconds):
                moments.append((second, person, _BELOW if nth < first else _PAID))
            if place in taken_back:
                last[person] = seconds[-1]
                later = seconds[-1] + 1 + int(_REFUND_AFTER_S * rng.random())
                moments.append((later, person, _REFUND))
        moments.sort()
        return moments, last

    def _second(self) -> int:
        rng = self._rng
        day = rng.choice(self._days_by_month)
        return day * _DAY_S + rng.randrange(_OPENS_S, _CLOSES_S)

    def _moment(self, second: int) -> str:
        day, rest = divmod(second, _DAY_S)
        on = self._first + timedelta(days=day)
        return f"{on}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}+08:00"

    def _visit(self, number: int, person: int, second: int, benefit: int) -> Row:
        """Make a visit of the person worth the benefit, or one that stays below the deductible."""
        rng = self._rng
        stay = person == 1 or rng.random() < _INPATIENT_SHARE
        sums, deductible = self._sums[stay], _DEDUCTIBLE[stay]
        left = max(0, deductible - sums[person])
        if benefit:
            burden = left + (benefit * 5 // 4 if stay else benefit * 2)
        else:
            burden = rng.randrange(max(1, left // 4))
        sums[person] += burden
        ended = self._first + timedelta(days=second // _DAY_S)
        begun = ended - timedelta(days=rng.randrange(2, 12)) if stay else ended
        hospital = int(_HOSPITALS * rng.random() ** 3)  # a few large ones see most of the people
        code, disease = rng.choice(_DISEASES[stay])
        return {
            "setl_id": f"BJ{ended:%y%m%d}{number:08d}",
            "mdtrt_id": f"V{number:08d}",
            "psn_cert_type": "01",
            "certno": id_number(person),
            "psn_name": name_of(person),
            "insutype": "310",
            "psn_type": "11",
            "fixmedins_code": f"H1101{hospital:07d}",
            "fixmedins_name": f"北京市第{hospital + 1}医院",
            "hosp_lv": str(1 + hospital % 3),
            "med_type": INPATIENT if stay else OUTPATIENT,
            "begndate": begun.isoformat(),
            "enddate": ended.isoformat(),
            "setl_time": self._moment(second),
            "dise_codg": code,
            "dise_name": disease,
            **_amounts(rng, burden, deductible, stay=stay),
            "refd_setl_flag": "0",
        }


def _amounts(rng: random.Random, burden: int, deductible: int, *, stay: bool) -> Row:
    """Write all amounts of a bill of which so much in scope is left to the person."""
    fund = burden * 4 if stay else burden * 3 // 2
    own, first_share = burden * rng.randrange(20) // 100, burden * rng.randrange(8) // 100
    in_scope, under = burden + fund, min(burden, deductible)
    pooled = min(fund, 500_000_00)
    fen: Sequence[int] = (
        in_scope + own + first_share,
        own,
        0,
        first_share,
        in_scope,
        under,
        pooled,
        fund - pooled,
        fund,
        burden + own + first_share,
        burden - under,
        0,
    )
    return dict(zip(COLUMNS[16:28], map(yuan, fen), strict=True))


def _days(calendar: int) -> list[int]:
    """Give the days of the year, from 0, those of busy months more often, the last day excepted."""
    first, days = date(calendar, 1, 1), list[int]()
    for place in range(364):
        days += [place] * _MONTHS[(first + timedelta(days=place)).month - 1]
    return days
