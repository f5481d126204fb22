"""A worked case is told apart from what the engine makes of it."""

from datetime import date
from typing import Any

import pytest

from services.claims.model import Coverage, Facts, Reason
from services.claims.rules.trial import Tried, cover_from, facts_from, try_cases
from services.common.identity import Diagnosis
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.errors import SchemeFigureMissing
from tests.claims.rules.made_up import (
    benefit,
    excess,
    figure,
    figures,
    graded,
    rulebook,
    scheme,
)

BILL: dict[str, Any] = {"day": date(2024, 3, 9), "visit": "inpatient"}
NEWEST = date(2022, 1, 1)
DOCUMENTS = {
    "OLD": {"title": "old", "publisher": "press", "published": date(2021, 1, 1)},
    "NEW": {"title": "new", "publisher": "press", "published": NEWEST},
}


def tried(*claims: dict[str, Any], **case: Any) -> list[Tried]:  # noqa: ANN401 (parts of a case)
    """Try one case under a scheme with aid for stays, for deaths, and rules of joining."""
    plans = {
        "benefit": benefit(excess(), conditions={"ages": {"youngest": 16, "oldest": 60}}),
        "death": benefit(graded(), aid="lump_sum", events=["death"], death_payee="family"),
    }
    enrolment = {"term_years": 1}
    whole: dict[str, Any] = {"id": "a-case", "shows": [], "why": "", "claims": claims}
    whole |= case
    one = scheme(
        plans,
        enrolment=enrolment,
        documents=DOCUMENTS,
        cases=[whole],
        **figures(processing_months=1),
    )
    return list(try_cases(one, rulebook(one)))


def test_a_case_that_comes_as_it_was_worked_out_agrees() -> None:
    person = {"born": date(1990, 1, 1)}
    first = {**BILL, "self_pay_one": "2300.00", "benefit": "1040.00"}
    second = {**BILL, "self_pay_one": "0.01", "benefit": "0.01"}
    one, two = tried(first, second, person=person)
    assert (one.case_id, one.claim, two.claim) == ("a-case", 1, 2)
    assert one.came == {"benefit": "1040.00"} == one.expected
    assert one.agrees
    assert two.agrees
    assert [done.benefit for done in one.assessed] == [1040_00]


def test_a_case_that_comes_otherwise_does_not_agree() -> None:
    claim = {**BILL, "self_pay_one": "2300.00", "benefit": "1040.01"}
    (one,) = tried(claim, person={"born": date(1990, 1, 1)})
    assert not one.agrees


def test_a_code_that_came_or_was_promised_must_be_the_other_s_too() -> None:
    person = {"born": date(1950, 1, 1)}
    claim = {**BILL, "self_pay_one": "2300.00", "benefit": "0.00"}
    silent, wrong, right = (
        tried({**claim, **code}, person=person)[0]
        for code in ({}, {"code": "SEX_NOT_COVERED"}, {"code": "AGE_LIMIT"})
    )
    assert [silent.agrees, wrong.agrees, right.agrees] == [False, False, True]
    assert right.came == {"benefit": "0.00", "code": Reason.AGE_LIMIT}


def test_what_other_plans_paid_is_said_by_a_claim() -> None:
    person = {"born": date(1990, 1, 1)}
    bill = {**BILL, "self_pay_one": "2300.00", "own_cost": "2300.00", "aided": "2000.00"}
    (one,) = tried({**bill, "benefit": "300.00", "code": "CAP_OWN_COST"}, person=person)
    assert one.agrees


def test_who_is_paid_is_compared_where_a_case_says_it() -> None:
    death = {"event": "death", "day": date(2024, 3, 9), "benefit": "10000.00"}
    silent, right, wrong = (
        tried({**death, **payee})[0] for payee in ({}, {"payee": "family"}, {"payee": "member"})
    )
    assert [silent.agrees, right.agrees, wrong.agrees] == [True, True, False]
    assert silent.came == {"benefit": "10000.00"}


def test_the_person_and_the_cover_of_a_case_are_asked() -> None:
    claim = {**BILL, "self_pay_one": "2300.00", "benefit": "0.00", "code": "OUTSIDE_COVERAGE"}
    person = {"born": date(1990, 1, 1), "sex": "F", "groups": ["hardship"]}
    (one,) = tried(claim, person=person, cover={"starts": date(2024, 4, 1)})
    assert one.agrees


def test_a_claim_that_is_refused_tells_its_code() -> None:
    claim = {**BILL, "day": date(2019, 1, 1), "benefit": "0.00", "code": "SCHEME_FIGURE_MISSING"}
    later = {**BILL, "self_pay_one": "2300.00", "benefit": "1040.00"}
    one, two = tried(claim, later, person={"born": date(1990, 1, 1)})
    assert one == Tried("a-case", 1, {"benefit": "0.00", "code": "SCHEME_FIGURE_MISSING"}, one.came)
    assert one.agrees
    assert two.agrees


def joined(**said: Any) -> Tried:  # noqa: ANN401 (parts of a case)
    """Try what a case says about joining a plan whose fees hold since its latest document."""
    parts = {
        "fee": {
            "member": figure("50.00", NEWEST),
            "union": figure("10.00", NEWEST),
            "membership": {"association": "one", "amount": figure("5.00", NEWEST)},
        },
        "participation": {"rate": figure("0.80", NEWEST), "all_below": figure(20, NEWEST)},
    }
    one = scheme(
        {"benefit": benefit(excess())},
        enrolment={"term_years": 1},
        joining=parts,
        documents=DOCUMENTS,
        cases=[{"id": "joins", "shows": [], "why": "", "joining": said}],
        **figures(processing_months=1),
    )
    (done,) = try_cases(one, rulebook(one))
    return done


@pytest.mark.parametrize(
    ("said", "came"),
    [
        ({"units": 2}, {"total": "120.00", "member_pays": "100.00"}),
        ({"units": 1, "new_member": True}, {"total": "65.00", "member_pays": "55.00"}),
        ({"units": 4}, {"code": "SHARES_ABOVE_MAXIMUM"}),
        ({"staff": 100, "joining": 80}, {"admitted": True}),
        ({"staff": 100, "joining": 79}, {"admitted": False}),
        ({"accepted_on": date(2024, 1, 31)}, {"due": date(2024, 2, 29)}),
        ({"joined_on": date(2024, 3, 1)}, {"ends_on": date(2025, 2, 28)}),
    ],
)
def test_a_case_about_joining_is_answered(said: dict[str, Any], came: dict[str, Any]) -> None:
    right = joined(**said, **came)
    assert (right.came, right.agrees, right.claim, right.case_id) == (came, True, 0, "joins")
    assert not joined(**said).agrees


def test_a_case_about_joining_may_name_its_day() -> None:
    """Without a day it is the day of the latest document, here the first of the figures."""
    with pytest.raises(SchemeFigureMissing, match=r"enrolment\.fee\.member on 2021-12-31"):
        joined(units=1, day=date(2021, 12, 31))


def test_a_case_about_a_term_needs_one() -> None:
    with pytest.raises(AssertionError, match=r"^a case about a term needs one"):
        joined(joined_on=date(2019, 12, 31))


def test_facts_are_read_with_their_amounts_in_yuan() -> None:
    amounts = (
        *("in_scope", "self_pay_one", "pooled_paid", "co_pay_pooled", "co_pay_large_sum"),
        *("self_pay_after_insurance", "own_cost"),
    )
    said = {name: f"{number}.05" for number, name in enumerate(amounts, 1)}
    expected: dict[str, Any] = {name: Fen(n * 100 + 5) for n, name in enumerate(amounts, 1)}
    day = date(2024, 3, 9)
    read = facts_from({"day": day, "diagnosis": "C50.9", "grade": 3, **said})
    assert read == Facts(day=day, diagnosis=Diagnosis("C50.9"), grade=3, **expected)
    with pytest.raises(TypeError):
        facts_from({"day": day, "self_pay_two": "1.00"})


def test_a_cover_is_open_and_of_one_share_unless_a_case_says_otherwise() -> None:
    silent = cover_from("made.up", {})
    assert silent == Coverage("made.up", Days(date(2010, 1, 1)), 1, frozenset(), renewed=True)
    starts, ends = date(2024, 1, 1), date(2024, 12, 31)
    said = {"starts": starts, "ends": ends, "units": 2, "renewed": False, "unmet": ["dues"]}
    expected = Coverage("made.up", Days(starts, ends), 2, frozenset({"dues"}), renewed=False)
    assert cover_from("made.up", said) == expected
