"""Who and what is covered: each thing that keeps a claim from a plan, with what was found."""

from datetime import date
from typing import Any

import pytest

from services.claims.model import Assessment, Coverage, Person, Reason, Step, Verdict
from services.common.identity import Diagnosis
from services.common.money import Fen
from services.common.period import Days
from tests.claims.rules.books import Books, a_claim
from tests.claims.rules.made_up import COVER, SINCE, benefit, excess, figure, rulebook, scheme

ILLNESS_LISTS = {"listed": ["C50", "I20-I25", "Z95.1"]}
WOMAN = Person(date(1990, 3, 1), "F", ("hardship",))


def judged(
    conditions: dict[str, Any],
    person: Person = WOMAN,
    cover: Coverage = COVER,
    **said: Any,  # noqa: ANN401 (facts by name)
) -> Assessment:
    one = scheme({"benefit": benefit(excess(), conditions=conditions)}, illness_lists=ILLNESS_LISTS)
    return Books(rulebook(one), [cover], person).claim(a_claim(**said))


def is_covered(conditions: dict[str, Any], person: Person = WOMAN, **said: Any) -> bool:  # noqa: ANN401 (facts by name)
    return judged(conditions, person, **said).verdict is Verdict.SETTLED


def kept_away(reason: Reason, condition: str, *found: str) -> Assessment:
    """Give the assessment of a claim that a condition of the benefit keeps away."""
    step = Step(condition, f"benefit.{condition}@{SINCE}", Fen(2300_00), Fen(0), found)
    return Assessment("made.up", "benefit", Verdict.REJECTED, Fen(0), (step,), code=reason)


def unmet(*standing: str) -> Coverage:
    return Coverage("made.up", Days(SINCE), unmet=frozenset(standing))


HARDSHIP = {"any_of": ["hardship", "gig:courier"], "otherwise": "NOT_ELIGIBLE"}
COURIERS = {"any_of": ["gig:courier"], "otherwise": "OCCUPATION_NOT_COVERED"}
FIRST = {"what": "first_diagnosis", "otherwise": "NOT_FIRST_DIAGNOSIS"}
LISTED = {"what": "listed_illness", "otherwise": "NOT_COVERED_DISEASE", "groups": ["hardship"]}


def test_somebody_in_another_standing_of_insurance_is_not_eligible() -> None:
    expected = kept_away(Reason.NOT_ELIGIBLE, "psn_type", "12")
    assert judged({"psn_type": ["11", "13"]}, psn_type="12") == expected
    assert is_covered({"psn_type": ["11", "13"]}, psn_type="13")


def test_another_kind_of_insurance_is_not_eligible() -> None:
    expected = kept_away(Reason.NOT_ELIGIBLE, "insutype", "390")
    assert judged({"insutype": ["310"]}, insutype="390") == expected
    assert is_covered({"insutype": ["310"]}, insutype="310")


def test_a_claim_that_is_no_settlement_is_not_asked_for_its_codes() -> None:
    assert is_covered({"psn_type": ["11"], "insutype": ["310"]})


def test_who_lost_a_condition_of_admission_is_not_eligible() -> None:
    standing = {"standing": ["employer_pays_dues", "fit_for_work", "union_member"]}
    broken = unmet("union_member", "employer_pays_dues", "anything_else")
    expected = kept_away(Reason.NOT_ELIGIBLE, "standing", "employer_pays_dues union_member")
    assert judged(standing, cover=broken) == expected
    assert judged(standing, cover=unmet("anything_else")).verdict is Verdict.SETTLED


def test_who_stands_in_none_of_the_registers_is_not_eligible() -> None:
    miner = Person(groups=("gig:miner", "retired"))
    expected = kept_away(Reason.NOT_ELIGIBLE, "groups", "gig:miner retired")
    assert judged({"groups": HARDSHIP}, miner) == expected
    assert is_covered({"groups": HARDSHIP}, Person(groups=("retired", "gig:courier")))


def test_another_occupation_is_named_as_that() -> None:
    expected = kept_away(Reason.OCCUPATION_NOT_COVERED, "groups", "hardship")
    assert judged({"groups": COURIERS}) == expected


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2004, 1, 1), 16),
        (date(2004, 1, 2), 15),
        (date(1959, 1, 2), 60),
        (date(1959, 1, 1), 61),
    ],
)
def test_the_age_is_that_of_the_first_day_of_cover_in_completed_years(born: date, age: int) -> None:
    done = judged({"ages": {"youngest": 16, "oldest": 60}}, Person(born))
    if age in (16, 60):
        assert done.verdict is Verdict.SETTLED
    else:
        assert done == kept_away(Reason.AGE_LIMIT, "ages", str(age))


def test_the_age_counts_anew_at_the_start_of_each_term() -> None:
    benefits = {"benefit": benefit(excess(), period="cover_term")}
    ages = {"ages": {"youngest": 16, "oldest": 60}}
    one = scheme(benefits, admission=ages, enrolment={"term_years": 1})
    sixty_since_may_2023 = Person(date(1963, 5, 5))
    cover = Coverage("made.up", Days(date(2020, 3, 1)))
    books = Books(rulebook(one), [cover], sixty_since_may_2023)
    assert books.claim(a_claim(day=date(2025, 2, 28))).verdict is Verdict.SETTLED
    assert books.claim(a_claim(day=date(2025, 3, 1))).code is Reason.AGE_LIMIT


def test_an_age_that_nobody_knows_is_asked_for() -> None:
    expected = kept_away(Reason.FACT_MISSING, "ages", "born")
    assert judged({"ages": {"youngest": 16, "oldest": 60}}, Person()) == expected


def test_a_plan_for_women_covers_no_man() -> None:
    assert judged({"sex": "F"}, Person(sex="M")) == kept_away(Reason.SEX_NOT_COVERED, "sex", "M")
    assert judged({"sex": "F"}, Person()) == kept_away(Reason.FACT_MISSING, "sex", "sex")
    assert is_covered({"sex": "F"})


def test_an_illness_of_another_relative_is_not_covered() -> None:
    expected = kept_away(Reason.RELATION_NOT_COVERED, "relations", "parent")
    assert judged({"relations": ["spouse", "child"]}, relation="parent") == expected
    assert is_covered({"relations": ["spouse", "child"]}, relation="child")


def test_another_cause_is_not_covered() -> None:
    expected = kept_away(Reason.NOT_COVERED_CAUSE, "causes", "traffic_accident")
    assert judged({"causes": ["disease"]}, cause="traffic_accident") == expected
    assert is_covered({"causes": ["disease", "ordinary_accident"]}, cause="ordinary_accident")


def test_a_cause_that_nobody_told_is_asked_for() -> None:
    expected = kept_away(Reason.FACT_MISSING, "causes", "cause")
    assert judged({"causes": ["disease"]}, cause="") == expected


def test_of_an_accident_the_kind_is_asked_for_where_one_kind_is_covered() -> None:
    untold = kept_away(Reason.FACT_MISSING, "causes", "cause")
    assert judged({"causes": ["disease", "ordinary_accident"]}, cause="accident") == untold
    accident = kept_away(Reason.NOT_COVERED_CAUSE, "causes", "accident")
    assert judged({"causes": ["disease"]}, cause="accident") == accident
    assert is_covered({"causes": ["accident", "traffic_accident"]}, cause="accident")


def test_another_kind_of_care_is_not_covered() -> None:
    expected = kept_away(Reason.NOT_COVERED_VISIT, "visits", "ordinary_outpatient")
    assert judged({"visits": ["inpatient"]}, visit="ordinary_outpatient") == expected
    assert is_covered({"visits": ["inpatient"]})


@pytest.mark.parametrize(
    "code", ["C50", "C50.9", "c50.900x001", "I20", "I25.9", "I22.101", "Z95.1"]
)
def test_an_illness_of_the_list_is_covered(code: str) -> None:
    assert is_covered({"illnesses": "listed"}, diagnosis=Diagnosis(code))


@pytest.mark.parametrize("code", ["C5", "C51", "I19.9", "I26", "Z95", "Z95.2", "D05", "X"])
def test_an_illness_that_is_not_on_the_list_is_not_covered(code: str) -> None:
    done = judged({"illnesses": "listed"}, diagnosis=Diagnosis(code))
    # The working is shown to many eyes: it does not say which illness it was.
    assert done == kept_away(Reason.NOT_COVERED_DISEASE, "illnesses")


def test_an_illness_that_nobody_named_is_asked_for() -> None:
    expected = kept_away(Reason.FACT_MISSING, "illnesses", "diagnosis")
    assert judged({"illnesses": "listed"}) == expected


def test_what_somebody_looked_into_and_denied_keeps_the_claim_away() -> None:
    expected = kept_away(Reason.NOT_FIRST_DIAGNOSIS, "confirmed", "first_diagnosis")
    assert judged({"confirmed": [FIRST]}, confirmed={"first_diagnosis": False}) == expected
    assert is_covered({"confirmed": [FIRST]}, confirmed={"first_diagnosis": True})


def test_what_nobody_looked_into_is_asked_for() -> None:
    expected = kept_away(Reason.FACT_MISSING, "confirmed", "first_diagnosis")
    assert judged({"confirmed": [FIRST]}) == expected


def test_a_confirmation_for_one_group_is_not_asked_of_others() -> None:
    both = {"confirmed": [LISTED, FIRST]}
    others = Person(groups=("gig:courier",))
    assert is_covered(both, others, confirmed={"first_diagnosis": True})
    expected = kept_away(Reason.FACT_MISSING, "confirmed", "listed_illness")
    assert judged(both, confirmed={"first_diagnosis": True}) == expected
    denied = kept_away(Reason.NOT_FIRST_DIAGNOSIS, "confirmed", "first_diagnosis")
    assert judged(both, others, confirmed={"first_diagnosis": False}) == denied


def test_a_hospital_of_a_lower_level_is_not_covered() -> None:
    expected = kept_away(Reason.HOSPITAL_LEVEL, "hospital_level_min", "1")
    assert judged({"hospital_level_min": 2}, hospital_level=1) == expected
    assert is_covered({"hospital_level_min": 2}, hospital_level=2)
    untold = kept_away(Reason.FACT_MISSING, "hospital_level_min", "hospital_level")
    assert judged({"hospital_level_min": 2}) == untold


def test_a_shorter_stay_is_not_covered() -> None:
    expected = kept_away(Reason.STAY_TOO_SHORT, "stay_days_min", "3")
    assert judged({"stay_days_min": 4}, admission=date(2024, 3, 6)) == expected
    assert is_covered({"stay_days_min": 4}, admission=date(2024, 3, 5))
    untold = kept_away(Reason.FACT_MISSING, "stay_days_min", "admission")
    assert judged({"stay_days_min": 4}, admission=None) == untold


def test_the_conditions_of_the_scheme_apply_to_all_its_benefits() -> None:
    admission = {"sex": "F"}
    one = scheme({"benefit": benefit(excess())}, admission=admission)
    done = Books(rulebook(one), [COVER], Person(sex="M")).claim(a_claim())
    step = Step("sex", f"admission.sex@{SINCE}", Fen(2300_00), Fen(0), ("M",))
    assert done.code is Reason.SEX_NOT_COVERED
    assert done.working == (step,)


def test_a_condition_holds_on_its_days_alone() -> None:
    raw = benefit(excess())
    raw["conditions"] = {"sex": figure("F", SINCE, date(2023, 12, 31))}
    books = Books(rulebook(raw), [COVER], Person(sex="M"))
    assert books.claim(a_claim(day=date(2023, 12, 31))).code is Reason.SEX_NOT_COVERED
    assert books.claim(a_claim(day=date(2024, 1, 1))).verdict is Verdict.SETTLED
