"""Where a claim fails twice, the reason that the field names first is given."""

from collections.abc import Mapping
from datetime import date
from itertools import combinations
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pytest

from services.claims.model import Coverage, Facts, Person, Reason
from services.common.identity import Diagnosis
from services.common.money import Fen
from services.common.period import Days
from tests.claims.rules.books import Books, a_claim
from tests.claims.rules.made_up import benefit, rulebook, scheme, sections

# Of everybody, then of women, couriers and so on: all that a scheme can ask.
CONDITIONS: Final = {
    "psn_type": ["11"],
    "insutype": ["310"],
    "standing": ["fit_for_work"],
    "groups": {"any_of": ["gig:courier"], "otherwise": "OCCUPATION_NOT_COVERED"},
    "ages": {"youngest": 16, "oldest": 60},
    "sex": "F",
    "relations": ["spouse"],
    "causes": ["disease"],
    "visits": ["inpatient"],
    "illnesses": "listed",
    "confirmed": [{"what": "first_diagnosis", "otherwise": "NOT_FIRST_DIAGNOSIS"}],
    "hospital_level_min": 2,
    "stay_days_min": 4,
}
LIMITS: Final = {
    "claims_max": 1,
    "window": {"after": "discharge", "days": 180},
    "share_of": {"of": "pooled_paid", "rate": "0.20"},
    "per_claim": "500.00",
    "cap": "600.00",
}
FACTS: Final[dict[str, Any]] = {
    "psn_type": "11",
    "insutype": "310",
    "relation": "spouse",
    "diagnosis": Diagnosis("C50.9"),
    "confirmed": {"first_diagnosis": True},
    "hospital_level": 3,
    "claimed_on": date(2024, 4, 1),
    "co_pay_pooled": Fen(100_00),
    "pooled_paid": Fen(10_000_00),
}
PERSON: Final[dict[str, Any]] = {
    "born": date(1990, 1, 1),
    "sex": "F",
    "groups": ("gig:courier",),
}
COVER: Final[dict[str, Any]] = {"days": Days(date(2022, 1, 1), date(2024, 12, 31))}


AS_IT_IS: Final[Mapping[str, Any]] = MappingProxyType({})


class Failing(NamedTuple):
    """What is changed about a claim that is paid in full, so that it fails for the reason."""

    reason: Reason
    facts: Mapping[str, Any] = AS_IT_IS
    person: Mapping[str, Any] = AS_IT_IS
    cover: Mapping[str, Any] = AS_IT_IS
    earlier: bool = False


SMALL: Final = {"co_pay_pooled": Fen(0)}
# In the order of judging. A limit on what is paid comes last and is named if nothing else is.
IN_ORDER: Final = [
    Failing(Reason.NOT_ELIGIBLE, {"insutype": "390"}),
    Failing(Reason.NOT_ELIGIBLE, cover={"unmet": frozenset({"fit_for_work"})}),
    Failing(Reason.OCCUPATION_NOT_COVERED, person={"groups": ()}),
    Failing(Reason.AGE_LIMIT, person={"born": date(2010, 1, 1)}),
    Failing(Reason.SEX_NOT_COVERED, person={"sex": "M"}),
    Failing(Reason.RELATION_NOT_COVERED, {"relation": "parent"}),
    Failing(Reason.OUTSIDE_COVERAGE, cover={"days": Days(date(2022, 1, 1), date(2024, 3, 8))}),
    Failing(Reason.WAITING_PERIOD, cover={"days": Days(date(2024, 3, 1))}),
    Failing(Reason.NOT_COVERED_CAUSE, {"cause": "traffic_accident"}),
    Failing(Reason.NOT_COVERED_VISIT, {"visit": "ordinary_outpatient"}),
    Failing(Reason.NOT_COVERED_DISEASE, {"diagnosis": Diagnosis("J18.9")}),
    Failing(Reason.NOT_FIRST_DIAGNOSIS, {"confirmed": {"first_diagnosis": False}}),
    Failing(Reason.HOSPITAL_LEVEL, {"hospital_level": 1}),
    Failing(Reason.STAY_TOO_SHORT, {"admission": date(2024, 3, 6)}),
    Failing(Reason.FREQ_LIMIT, earlier=True),
    Failing(Reason.LATE_CLAIM, {"claimed_on": date(2024, 9, 6)}),
    Failing(Reason.AT_OR_BELOW_DEDUCTIBLE, SMALL),
]
PLAN: Final = scheme(
    {"benefit": benefit(sections(co_pay_pooled="0.70"), conditions=CONDITIONS, limits=LIMITS)},
    illness_lists={"listed": ["C50"]},
    enrolment={"waiting_days": 30},
)


def reason(*failing: Failing) -> Reason | None:
    facts, person, cover = FACTS, PERSON, COVER
    for each in failing:
        facts, person = {**facts, **each.facts}, {**person, **each.person}
        cover = {**cover, **each.cover}
    books = Books(rulebook(PLAN), [Coverage("made.up", **cover)], Person(**person))
    if any(each.earlier for each in failing):
        earlier = Books(rulebook(PLAN), [Coverage("made.up", **COVER)], Person(**PERSON))
        earlier.claim(a_claim(**FACTS))
        books.totals = earlier.totals
    return books.claim(a_claim(**facts)).code


def test_a_claim_that_fails_in_nothing_is_paid_in_full() -> None:
    assert reason() is None


@pytest.mark.parametrize("failing", IN_ORDER, ids=lambda failing: str(failing.reason))
def test_a_claim_that_fails_once_is_told_why(failing: Failing) -> None:
    assert reason(failing) is failing.reason


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(first, second, id=f"{first.reason}-{second.reason}")
        for first, second in combinations(IN_ORDER, 2)
        if (first.reason, second.reason) != (Reason.OUTSIDE_COVERAGE, Reason.WAITING_PERIOD)
    ],
)
def test_of_two_reasons_the_one_that_is_judged_first_is_given(
    first: Failing, second: Failing
) -> None:
    assert reason(first, second) is first.reason
    assert reason(second, first) is first.reason


def capped(**facts: Any) -> Facts:  # noqa: ANN401 (facts by name)
    return a_claim(**(FACTS | {"co_pay_pooled": Fen(2_000_00)} | facts))


def test_of_several_limits_the_one_that_decided_last_is_named() -> None:
    """1400.00 earned, cut to a fifth of the pooled fund, to 500.00 a claim, to 600.00 a year."""
    limits = LIMITS | {"claims_max": 9}
    plan = benefit(sections(co_pay_pooled="0.70"), conditions=CONDITIONS, limits=limits)
    one = scheme({"benefit": plan}, illness_lists={"listed": ["C50"]})
    books = Books(rulebook(one), [Coverage("made.up", **COVER)], Person(**PERSON))
    assert books.earns(capped(pooled_paid=Fen(1_000_00))) == (200_00, Reason.CAP_POOLED_20PCT)
    assert books.earns(capped(pooled_paid=Fen(5_000_00))) == (400_00, Reason.CAP_ANNUAL)
    assert books.earns(capped(pooled_paid=Fen(5_000_00))) == (0, Reason.CAP_ANNUAL)
    fresh = Books(rulebook(one), [Coverage("made.up", **COVER)], Person(**PERSON))
    assert fresh.earns(capped(pooled_paid=Fen(5_000_00))) == (500_00, Reason.CAP_PER_CLAIM)
