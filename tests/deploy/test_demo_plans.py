"""What the demo says is due to the members of other plans: worked out here once more, two ways."""

import ast
import csv
import operator
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from deploy.demo import plans, rule_scene
from deploy.demo.make_data import DEMO_DIR
from deploy.demo.plans import NEXT_DUE, Bill, Due, PlansData
from services.claims.model import Brought, Coverage, PeriodKey, Person, Settlement, Totals
from services.claims.rows import COLUMNS, RowReader
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.common.identity import IdNumber, born_on, sex_of
from services.common.kit.sealing import BlindIndex
from services.common.money import yuan
from services.common.period import Days
from services.common.schemes.load import DATA, load_rulebook

DAYS = (date(2026, 11, 22), date(2027, 1, 1), date(2028, 2, 29))
OPERATORS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
CHOICES: dict[str, Callable[..., Decimal]] = {"取小": min, "取大": max}


def worked_out(working: str) -> Decimal:
    """Work out what stands in a line of the demo: sums, products, per cent, 取小 and 取大."""
    plain = re.sub(r"([0-9]+)%", r"0.\1", working.replace("×", "*"))
    return _value(ast.parse(plain, mode="eval").body)


def _value(part: ast.expr) -> Decimal:
    match part:
        case ast.Constant():
            return Decimal(str(part.value))
        case ast.BinOp():
            return OPERATORS[type(part.op)](_value(part.left), _value(part.right))
        case ast.Call(func=ast.Name(id=choice)):
            return CHOICES[choice](*map(_value, part.args))
        case _:
            raise AssertionError(ast.dump(part))


@pytest.fixture(scope="module")
def data() -> PlansData:
    return PlansData(DAYS[0])


def test_every_working_leads_to_its_amount(data: PlansData) -> None:
    dues = [due for bill in data.bills for due in bill.due] + [*NEXT_DUE]
    wrong = [due for due in dues if worked_out(due.working) != Decimal(due.amount)]
    assert wrong == []


def test_every_working_begins_with_what_the_bill_says(data: PlansData) -> None:
    for bill in data.bills:
        for due in bill.due:
            [first, *_] = re.findall(r"[0-9.]+", due.working)
            assert Decimal(first) == _said(bill, due), due


def _said(bill: Bill, due: Due) -> Decimal:
    row = bill.row
    match due.scheme_id:
        case "cq.allowance" | "wh.gig":
            stay = date.fromisoformat(row["enddate"]) - date.fromisoformat(row["begndate"])
            return Decimal(stay.days)
        case "ct.medical":
            return Decimal(row["copay_pooled"])
        case _:
            return Decimal(row["inscp_scp_amt"]) - Decimal(row["fund_pay_sumamt"])


@pytest.mark.parametrize("today", DAYS)
def test_the_engine_gives_what_was_worked_out_by_hand(today: date) -> None:
    data, rulebook = PlansData(today), load_rulebook()
    totals: dict[PeriodKey, Totals] = {}
    identity = BlindIndex(b"k" * 32, "id_number")
    reader = RowReader(COLUMNS, hash_key=b"k" * 32, identity=identity)
    for bill in data.bills:
        settlement = reader.read([bill.row.get(name, "") for name in COLUMNS])
        assert isinstance(settlement, Settlement)
        member_id, person = _member(bill)
        brought = cases(member_id, settlement.facts, person, _covers(bill), rulebook)
        assert isinstance(brought, Brought)
        [assessed] = assess([brought], totals)
        assert {one.scheme_id: yuan(one.benefit) for one in assessed} == bill.amounts


def _member(bill: Bill) -> tuple[UUID, Person]:
    number = IdNumber(bill.patient.id_number)
    groups = tuple(filter(None, [bill.patient.groups]))
    return UUID(int=int(bill.patient.phone)), Person(born_on(number), sex_of(number), groups)


def _covers(bill: Bill) -> list[Coverage]:
    days = Days(max(plans.COVERED_FROM, bill.patient.hired_on), None)
    return [Coverage(scheme_id, days) for scheme_id in bill.patient.plans]


@pytest.mark.parametrize("today", DAYS)
def test_stays_of_these_days_lie_in_a_term_of_cover_that_has_begun(today: date) -> None:
    data = PlansData(today)
    for bill in data.bills[-3:]:
        assert bill.patient.hired_on + timedelta(days=366) < bill.ended - timedelta(days=bill.days)


def test_the_line_that_the_officer_changes_stands_in_the_file_once() -> None:
    file = DATA / f"{rule_scene.SCHEME}.yaml"
    assert file.read_text(encoding="utf-8").count(rule_scene.WAS) == 1


def test_the_backtest_is_worked_out_from_the_stays_of_the_period(data: PlansData) -> None:
    days = (rule_scene.FIRST_DAY, rule_scene.LAST_DAY)
    burdens = [
        Decimal(bill.row["inscp_scp_amt"]) - Decimal(bill.row["fund_pay_sumamt"])
        for bill in data.bills
        if days[0] <= bill.row["enddate"] <= days[1]
    ]

    def granted(floor: int) -> Decimal:
        return sum((worked_out(f"取大({one}-{floor}, 0)×80%") for one in burdens), Decimal(0))

    fund, booked, drafted = Decimal(rule_scene.FUND), granted(8000), granted(6000)
    assert booked == worked_out(rule_scene.BOOKED_WORKING)
    assert drafted == worked_out(rule_scene.DRAFTED_WORKING)
    amounts = [booked, drafted, drafted - booked, fund - booked, fund - drafted]
    assert [f"{amount:.2f}" for amount in amounts] == [
        rule_scene.BOOKED,
        rule_scene.DRAFTED,
        rule_scene.DIFFERENCE,
        rule_scene.FUND_BOOKED,
        rule_scene.FUND_DRAFTED,
    ]


def test_nobody_of_the_unit_is_known_elsewhere_in_the_demo(data: PlansData) -> None:
    known = DEMO_DIR / "rosters"
    taken = {
        row[column]
        for path in known.glob("*.csv")
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        for column in ("id_number", "phone", "card_number")
    }
    own = {text for person in data.who for text in (person.id_number, person.phone, person.card)}
    assert len(own) == 3 * len(data.who)
    assert not own & taken
