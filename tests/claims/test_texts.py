"""A member reads why the amount is what it is."""

from datetime import date
from uuid import UUID

from services.claims.model import Coverage
from services.claims.rules import assess, cases
from services.claims.texts import Line, why
from services.common.period import Days
from services.common.schemes.load import load_rulebook
from tests.claims.settlements import a_settlement

RULEBOOK = load_rulebook()
SCHEME = RULEBOOK.scheme("bj.mutual")
BJ18 = "工人日报 2018-07-12《医疗费“二次报销”成北京工会名片》"


def told(*coverages: Coverage, self_pay_one: str = "2300.00") -> list[Line]:
    opened = cases(UUID(int=1), a_settlement(self_pay_one), coverages, RULEBOOK)
    assert isinstance(opened, tuple)
    (done,) = assess(opened, {})
    return why(done.working, SCHEME if done.scheme_id else None)


def test_every_line_says_what_went_in_the_clause_and_what_came_out() -> None:
    lines = told(Coverage("bj.mutual", Days(date(2020, 1, 1))))
    assert [(line.step, line.amount_in, line.amount_out) for line in lines] == [
        ("self_pay_one", "2800.00", "2300.00"),
        ("period_total", "2300.00", "2300.00"),
        ("deductible", "2300.00", "1000.00"),
        ("share", "1000.00", "800.00"),
        ("all_kinds", "800.00", "800.00"),
        ("cap", "800.00", "800.00"),
        ("granted_before", "800.00", "800.00"),
    ]
    assert (lines[0].clause, lines[0].source) == ("para. 2", BJ18)
    assert lines[2].source == f"{BJ18} (assumed)"
    assert lines[2].text == (
        "扣除起付线1300.00元,超出部分为1000.00元。 Above the deductible of 1300.00 lie 1000.00."
    )
    assert lines[3].text == "超出部分1000.00元的80.00%为800.00元。 80.00% of 1000.00 is 800.00."
    assert "住院" in lines[1].text
    assert "inpatient" in lines[1].text


def test_below_the_deductible_the_lines_end_there() -> None:
    lines = told(Coverage("bj.mutual", Days(date(2020, 1, 1))), self_pay_one="1300.00")
    assert [line.step for line in lines] == ["self_pay_one", "period_total", "deductible"]
    assert lines[-1].amount_out == "0.00"


def test_without_cover_the_day_is_named() -> None:
    (line,) = told()
    assert (line.step, line.source) == ("coverage", "")
    assert "2024-03-09" in line.text
