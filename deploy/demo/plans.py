"""A unit whose members hold other plans: who they are, their bills, what is due plan by plan.

What is due was worked out by hand from the figures of the documents; the working stands beside the
amount, so that a clerk can follow it, and a test works it out once more. Nothing here is imported
from the services' rules.
"""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from deploy.demo.make_data import HOSPITALS, Unit
from deploy.demo.people import ROSTER_COLUMNS, Person, card, id_number
from deploy.demo.visits import INPATIENT, Cost, Hospital, Row, visit
from services.common.kit import clock

UNIT = Unit("U0005", "华运物流集团工会(跨地区)", "冯志远", "13900000005")
COVERED_FROM = date(2022, 11, 1)  # the first day of period 14 of 惠工保
# One of the five documents does not say which city it is of.
LABELS = {
    "bj.mutual": "北京 医疗互助",
    "ct.medical": "某市 医疗互助保障",
    "cq.allowance": "重庆 住院津贴",
    "wh.medical": "威海 惠工保住院医疗",
    "wh.hardship": "威海 困难职工补偿",
    "wh.gig": "威海 暖“新”保险",
    "ct.package": "某市 互助套餐",
    "ct.critical": "某市 重大疾病互助",
    "ct.accident": "某市 团体意外互助",
}

_LONG_AGO = date(2019, 3, 1)
# Somebody's term of cover is to have begun a while ago, whatever day the demo is played on.
_TERM_DAYS, _INTO_TERM_DAYS = 366, 40


class Due(NamedTuple):
    """What one plan owes for a bill, in yuan; 取小 takes the smaller amount, 取大 the larger."""

    scheme_id: str
    working: str
    amount: str


@dataclass(frozen=True)
class Bill:
    """A stay in hospital, its costs in fen, and what is due for it plan by plan."""

    number: int
    patient: Person
    hospital: Hospital
    ended: date
    days: int
    disease: tuple[str, str]
    cost: Cost
    due: tuple[Due, ...]

    @property
    def amounts(self) -> dict[str, str]:
        return {due.scheme_id: due.amount for due in self.due}

    @property
    def whole(self) -> Decimal:
        """Give what all plans owe together, in yuan."""
        return sum((Decimal(due.amount) for due in self.due), Decimal(0))

    @cached_property
    def row(self) -> Row:
        """Give the settlement as the hospital posts it, on the day of discharge."""
        made = visit(
            random.Random(self.number),  # noqa: S311 - only the hour of the settlement hangs on it
            self.number,
            self.patient,
            self.hospital,
            kind=INPATIENT,
            ended=self.ended,
            cost=self.cost,
        )
        code, name = self.disease
        begun = self.ended - timedelta(days=self.days)
        return {
            **made,
            "setl_id": f"HY{self.ended:%y%m%d}{self.number:04d}",
            "begndate": begun.isoformat(),
            "dise_codg": code,
            "dise_name": name,
        }


class Cast(NamedTuple):
    """The members of the unit, by what they are in the story."""

    package: Person
    nearly_free: Person
    courier: Person
    hardship: Person
    driver: Person


def people(today: date) -> Cast:
    early = today - timedelta(days=_TERM_DAYS + _INTO_TERM_DAYS)
    return Cast(
        package=_member(7_005, "韩雪梅", early, "ct.package:1;cq.allowance:1"),
        nearly_free=_member(7_002, "罗晓燕", early, "bj.mutual:1;ct.medical:1"),
        courier=_member(7_008, "马兰芝", early, "wh.gig:1", "gig:courier"),
        hardship=_member(7_003, "丛丽华", _LONG_AGO, "wh.medical:1;wh.hardship:1", "hardship"),
        driver=_member(7_011, "于海燕", _LONG_AGO, "wh.medical:1"),
    )


def _member(index: int, name: str, hired_on: date, schemes: str, groups: str = "") -> Person:
    phone = f"138{index:08d}"
    number, account = id_number(index), card(index)
    return Person(name, number, phone, account, "工商银行", hired_on, schemes, groups)


def roster(members: Sequence[Person]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ROSTER_COLUMNS)
    writer.writerows(member.roster_row() for member in members)
    return text.getvalue().encode()


def bills(who: Cast, today: date) -> list[Bill]:
    """Give the stays in the order in which they are posted."""
    return [*_of_two_periods(who), *_of_these_days(who, today)]


def _of_two_periods(who: Cast) -> list[Bill]:
    """惠工保 by the figures of period 14, with a floor of 8000.00, and of 15, with 6000.00."""
    gallstones, pneumonia, stroke = ("K80.2", "胆囊结石"), ("J18.9", "肺炎"), ("I63.9", "脑梗死")
    driver, hardship, hospital = who.driver, who.hardship, HOSPITALS[0]
    # Self-pay one is 40800.00 - 31600.00 = 9200.00; 32300.00 - 24800.00 = 7500.00;
    # 144800.00 - 114800.00 = 30000.00.
    of_9200 = Cost(41_200_00, 400_00, 0, 0, 1_300_00, 80)
    of_7500 = Cost(33_000_00, 700_00, 0, 0, 1_300_00, 80)
    of_30000 = Cost(147_000_00, 2_200_00, 0, 0, 1_300_00, 80)
    due_9200 = (Due("wh.medical", "(9200-8000)×80%", "960.00"),)
    due_7500 = (
        Due("wh.medical", "取大(7500-8000, 0)×80%", "0.00"),
        Due("wh.hardship", "取小(7500-0, 5000)", "5000.00"),
    )
    due_30000 = (
        Due("wh.medical", "(30000-6000)×80%", "19200.00"),
        Due("wh.hardship", "取小(30000-19200, 10000)", "10000.00"),
    )
    return [
        Bill(1, driver, hospital, date(2023, 3, 9), 11, gallstones, of_9200, due_9200),
        Bill(2, hardship, hospital, date(2023, 8, 16), 8, pneumonia, of_7500, due_7500),
        Bill(3, hardship, hospital, date(2023, 12, 12), 21, stroke, of_30000, due_30000),
    ]


def _of_these_days(who: Cast, today: date) -> list[Bill]:
    pneumonia, gallstones, stones = ("J18.9", "肺炎"), ("K80.2", "胆囊结石"), ("N20.0", "肾结石")
    first, second = HOSPITALS
    week = Cost(9_600_00, 300_00, 0, 0, 1_300_00, 85)
    # Co-pay above the deductible is 25300.00 - 1300.00 - 20400.00 = 3600.00.
    of_3600 = Cost(26_200_00, 500_00, 0, 400_00, 1_300_00, 85)
    # The member pays 44000.00 - 34000.00 = 10000.00: self-pay one is 9800.00, of which 8500.00
    # are co-pay above the deductible, and 200.00 are out of scope.
    of_10000 = Cost(44_000_00, 200_00, 0, 0, 1_300_00, 80)
    due_week = (Due("wh.gig", "7×40", "280.00"),)
    due_3600 = (
        Due("cq.allowance", "12×50", "600.00"),
        Due("ct.medical", "3600×70%", "2520.00"),
    )
    due_10000 = (
        Due("bj.mutual", "(9800-1300)×80%", "6800.00"),
        Due("ct.medical", "取小(8500×70%, 10000-6800)", "3200.00"),
    )
    lately = today - timedelta(days=2)
    return [
        Bill(4, who.courier, second, lately, 7, pneumonia, week, due_week),
        Bill(5, who.package, first, today, 12, gallstones, of_3600, due_3600),
        Bill(6, who.nearly_free, second, today, 9, stones, of_10000, due_10000),
    ]


# A stay that may follow for the member of the last bill: her deductible is used up already.
NEXT_STAY = {
    "visit": "inpatient",
    "cause": "disease",
    "hospital_level": 2,
    "in_scope": "23700.00",
    "self_pay_one": "5000.00",
    "co_pay_pooled": "3700.00",
    "own_cost": "5000.00",
}
NEXT_DUE = (
    Due("bj.mutual", "(9800+5000-1300)×80%-6800", "4000.00"),
    Due("ct.medical", "取小(3700×70%, 5000-4000)", "1000.00"),
)


class Left(NamedTuple):
    """What is left of a plan once the bills are settled, in the words of the demo."""

    person: Person
    scheme_id: str
    granted: str
    floors: str
    rest: str


def left_after(who: Cast) -> list[Left]:
    """Give what is left, by hand; a package holds its plans one by one."""
    unknown = ("", "", "规定未公布:保障期")  # no period of 惠工保 is known after the 15th
    return [
        Left(who.nearly_free, "bj.mutual", "6800.00", "住院0.00 门诊1800.00", "193200.00 元"),
        Left(who.nearly_free, "ct.medical", "3200.00", "无", "不限"),
        Left(who.package, "cq.allowance", "600.00", "无", "1 次(共 2 次)"),
        Left(who.package, "ct.medical", "2520.00", "无", "不限"),
        Left(who.package, "ct.critical", "0.00", "无", "1 次(共 1 次)"),
        Left(who.package, "ct.accident", "0.00", "无", "不限"),
        Left(who.hardship, "wh.medical", *unknown),
        Left(who.hardship, "wh.hardship", *unknown),
    ]


@dataclass(frozen=True)
class PlansData:
    """The unit's whole story, told for the day it is played on."""

    today: date

    @classmethod
    def now(cls) -> "PlansData":
        return cls(clock.today())

    @cached_property
    def who(self) -> Cast:
        return people(self.today)

    @cached_property
    def bills(self) -> list[Bill]:
        return bills(self.who, self.today)

    @property
    def dues(self) -> list[tuple[str, str]]:
        """Give what each plan owes for each bill."""
        return [(due.scheme_id, due.amount) for bill in self.bills for due in bill.due]

    @property
    def roster(self) -> bytes:
        return roster(self.who)
