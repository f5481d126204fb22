"""The whole working of claims under each kind of formula, worked out by hand."""

from datetime import date
from typing import Any

import pytest

from services.claims.model import Assessment, Counted, Coverage, PeriodKey, Reason, Totals, Verdict
from services.common.money import Fen
from services.common.period import Days
from tests.claims.rules.books import MEMBER, Books, a_claim, told
from tests.claims.rules.made_up import (
    SINCE,
    benefit,
    daily,
    excess,
    graded,
    lump_sum,
    rulebook,
    sections,
)

KEY = PeriodKey(MEMBER, "made.up", date(2024, 1, 1))


def books(plan: dict[str, Any]) -> Books:
    return Books(rulebook(plan), [Coverage("made.up", Days(SINCE), units=2)])


def one(plan: dict[str, Any], **said: Any) -> Assessment:  # noqa: ANN401 (facts by name)
    return books(plan).claim(a_claim(**said))


def test_a_bill_is_led_from_what_is_in_scope_to_what_is_granted() -> None:
    done = one(benefit(excess()), in_scope=Fen(2800_00))
    assert told(done) == [
        ("self_pay_one", "benefit.base", "2800.00", "2300.00", 500_00),
        ("period_total", "benefit.period", "2300.00", "2300.00", "care", 0),
        ("floor", "benefit.care.floor", "2300.00", "1300.00", 1000_00),
        ("share", "benefit.care.bands", "1300.00", "1040.00", "0.80"),
        ("granted_before", "benefit.period", "1040.00", "1040.00", 0),
    ]
    assert done == Assessment(
        "made.up",
        "benefit",
        Verdict.SETTLED,
        Fen(1040_00),
        done.working,
        key=KEY,
        counted=Counted("care", Fen(2300_00), Fen(2310_00)),
        grant_no=1,
        totals=Totals(
            sums={"care": Fen(2300_00)},
            granted={"benefit": Fen(1040_00)},
            grants=1,
            cost=Fen(2310_00),
        ),
    )


def test_a_second_bill_is_added_to_the_first() -> None:
    """33.33 × 0.80 is 26.664: 2333.33 earn 1066.664, of which 1040.00 were granted."""
    account = books(benefit(excess()))
    account.claim(a_claim())
    done = account.claim(a_claim(self_pay_one=Fen(33_33), own_cost=Fen(40_00)))
    assert told(done) == [
        ("burden", "benefit.base", "33.33", "33.33"),
        ("period_total", "benefit.period", "33.33", "2333.33", "care", 2300_00),
        ("floor", "benefit.care.floor", "2333.33", "1333.33", 1000_00),
        ("share", "benefit.care.bands", "1333.33", "1066.66", "0.80"),
        ("granted_before", "benefit.period", "1066.66", "26.66", 1040_00),
    ]
    assert done.grant_no == 2
    assert account.totals[KEY] == Totals(
        sums={"care": Fen(2333_33)},
        granted={"benefit": Fen(1066_66)},
        grants=2,
        cost=Fen(2350_00),
    )


def test_below_the_deductible_the_working_ends_with_it_and_the_bill_counts() -> None:
    done = one(benefit(excess()), self_pay_one=Fen(1000_00))
    assert (done.verdict, done.code) == (Verdict.REJECTED, Reason.AT_OR_BELOW_DEDUCTIBLE)
    assert told(done) == [
        ("burden", "benefit.base", "1000.00", "1000.00"),
        ("period_total", "benefit.period", "1000.00", "1000.00", "care", 0),
        ("floor", "benefit.care.floor", "1000.00", "0.00", 1000_00),
    ]
    assert done.counted == Counted("care", Fen(1000_00), Fen(2310_00))
    assert (done.key, done.grant_no) == (KEY, None)
    assert done.totals == Totals(sums={"care": Fen(1000_00)}, cost=Fen(2310_00))


TWO_KINDS = excess(
    inpatient={"visits": ["inpatient"]},
    outpatient={
        "visits": ["ordinary_outpatient", "special_disease_outpatient"],
        "floor": "1800.00",
        "bands": [{"rate": "0.50"}],
    },
)


def test_each_kind_of_care_has_its_floor_and_both_have_one_cap() -> None:
    account = books(benefit(TWO_KINDS, limits={"cap": "1100.00"}))
    account.claim(a_claim())
    done = account.claim(a_claim(visit="ordinary_outpatient", self_pay_one=Fen(2000_00)))
    assert (done.benefit, done.code) == (60_00, Reason.CAP_ANNUAL)
    assert told(done) == [
        ("burden", "benefit.base", "2000.00", "2000.00"),
        ("period_total", "benefit.period", "2000.00", "2000.00", "outpatient", 0),
        ("floor", "benefit.outpatient.floor", "2000.00", "200.00", 1800_00),
        ("share", "benefit.outpatient.bands", "200.00", "100.00", "0.50"),
        ("all_kinds", "benefit.period", "100.00", "1140.00", 1040_00),
        ("cap", "benefit.cap", "1140.00", "1100.00", 1100_00, 1100_00, 0),
        ("granted_before", "benefit.period", "1100.00", "60.00", 1040_00),
    ]


def test_all_other_kinds_of_care_count_beside_the_one_at_hand() -> None:
    """800.00 and 160.00 are earned by other kinds, 80.00 by this one."""
    account = books(
        benefit(
            excess(
                one={"visits": ["inpatient"]},
                other={"visits": ["special_disease_outpatient"]},
                third={"visits": ["ordinary_outpatient"]},
            )
        )
    )
    account.claim(a_claim(self_pay_one=Fen(2000_00)))
    account.claim(a_claim(visit="special_disease_outpatient", self_pay_one=Fen(1200_00)))
    done = account.claim(a_claim(visit="ordinary_outpatient", self_pay_one=Fen(1100_00)))
    assert told(done)[-2:] == [
        ("all_kinds", "benefit.period", "80.00", "1040.00", 960_00),
        ("granted_before", "benefit.period", "1040.00", "80.00", 960_00),
    ]


def test_what_is_left_of_a_cap_is_said() -> None:
    done = one(benefit(excess(), limits={"cap": "2000.00"}))
    cap = ("cap", "benefit.cap", "1040.00", "1040.00", 2000_00, 2000_00, 960_00)
    assert cap in told(done)
    assert done.code is None


def test_a_kind_of_care_that_no_kind_takes_is_not_covered() -> None:
    done = one(benefit(TWO_KINDS), visit="41")
    assert (done.code, done.counted, done.totals) == (Reason.NOT_COVERED_VISIT, None, None)
    assert told(done) == [("visits", "benefit.inpatient.visits", "2300.00", "0.00", "41")]


BANDS = excess(
    care={
        "bands": [
            {"rate": "0.80", "to": "2000.00"},
            {"rate": "0.855", "to": "3000.00"},
            {"rate": "0.90"},
        ]
    }
)


@pytest.mark.parametrize(
    ("burden", "bands"),
    [
        # On the floor and at the end of the first band there is one band alone.
        (1000_01, [("0.01", "0.01", "0.80", 1000_00, 1000_01, "0.008")]),
        (2000_00, [("1000.00", "800.00", "0.80", 1000_00, 2000_00, "800.00")]),
        (
            2000_01,
            [
                ("1000.00", "800.00", "0.80", 1000_00, 2000_00, "800.00"),
                ("0.01", "800.01", "0.855", 2000_00, 2000_01, "800.00855"),
            ],
        ),
        (
            3500_01,
            [
                ("1000.00", "800.00", "0.80", 1000_00, 2000_00, "800.00"),
                ("1000.00", "1655.00", "0.855", 2000_00, 3000_00, "1655.000"),
                ("500.01", "2105.01", "0.90", 3000_00, 3500_01, "2105.009"),
            ],
        ),
    ],
)
def test_bands_are_summed_exactly_and_rounded_once(burden: int, bands: list[Any]) -> None:
    done = one(benefit(BANDS), self_pay_one=Fen(burden))
    steps = [step for step in told(done) if step[0] == "band"]
    assert steps == [("band", "benefit.care.bands", *band) for band in bands]
    assert f"{done.benefit / 100:.2f}" == bands[-1][1]


def test_bands_pay_nothing_up_to_the_floor() -> None:
    done = one(benefit(BANDS), self_pay_one=Fen(1000_00))
    assert (done.benefit, done.code) == (0, Reason.AT_OR_BELOW_DEDUCTIBLE)
    assert "band" not in [step[0] for step in told(done)]


def test_what_another_plan_paid_is_no_burden_any_more_where_the_scheme_says_so() -> None:
    rest = excess(after_other_plans=True, care={"floor": "100.00", "bands": [{"rate": "0.50"}]})
    account = books(benefit(rest))
    done = account.claim(a_claim(), aided=1000_00)
    assert told(done) == [
        ("burden", "benefit.base", "2300.00", "2300.00"),
        ("period_total", "benefit.period", "2300.00", "2300.00", "care", 0),
        ("after_other_plans", "benefit.after_other_plans", "2300.00", "1300.00", 1000_00),
        ("floor", "benefit.care.floor", "1300.00", "1200.00", 100_00),
        ("share", "benefit.care.bands", "1200.00", "600.00", "0.50"),
        ("granted_before", "benefit.period", "600.00", "600.00", 0),
    ]
    assert account.totals[KEY].aided == 1000_00


def test_where_the_scheme_does_not_say_so_the_whole_burden_counts() -> None:
    for plan in (excess(), excess(after_other_plans=False)):
        done = books(benefit(plan)).claim(a_claim(), aided=100_00)
        assert done.benefit == 1040_00
        assert "after_other_plans" not in [step[0] for step in told(done)]


SECTIONS = sections(co_pay_pooled="0.70", co_pay_large_sum="0.85")


def test_sections_are_summed_exactly_and_rounded_once() -> None:
    """0.05 × 0.70 = 0.035 and 0.03 × 0.85 = 0.0255: 0.0605 together."""
    done = one(benefit(SECTIONS), co_pay_pooled=Fen(5), co_pay_large_sum=Fen(3))
    assert told(done) == [
        ("section", "benefit.co_pay_pooled.rate", "0.05", "0.04", "co_pay_pooled", "0.70", "0.035"),
        (
            *("section", "benefit.co_pay_large_sum.rate", "0.03", "0.06"),
            *("co_pay_large_sum", "0.85", "0.0605"),
        ),
    ]
    assert (done.benefit, done.counted) == (6, Counted("benefit", Fen(6), Fen(2310_00)))


def test_nothing_in_any_section_earns_nothing() -> None:
    done = one(benefit(SECTIONS))
    assert (done.code, done.counted) == (Reason.AT_OR_BELOW_DEDUCTIBLE, None)
    pooled, large_sum = told(done)
    assert pooled[2:] == ("0.00", "0.00", "co_pay_pooled", "0.70", "0.00")
    assert large_sum[2:] == ("0.00", "0.00", "co_pay_large_sum", "0.85", "0.00")


def test_a_section_so_small_that_it_earns_no_fen_adds_nothing() -> None:
    done = one(benefit(sections(co_pay_pooled="0.30")), co_pay_pooled=Fen(1))
    assert (done.benefit, done.code) == (0, Reason.NOTHING_TO_ADD)


@pytest.mark.parametrize(("co_pay", "steps"), [(1, 2), (2, 1)])
def test_the_period_is_shown_only_where_it_has_something_to_say(co_pay: int, steps: int) -> None:
    """0.30 of one fen is nothing, of two it is a fen, paid as it was earned."""
    account = books(benefit(sections(co_pay_pooled="0.30")))
    account.claim(a_claim(co_pay_pooled=Fen(100_00)))
    done = account.claim(a_claim(co_pay_pooled=Fen(co_pay)))
    assert done.benefit == co_pay - 1
    assert len(done.working) == steps


STAY = benefit(daily(disease="40.00", traffic_accident="80.00", same_day=1), aid="allowance")


def test_a_day_in_hospital_is_paid_from_admission_to_discharge() -> None:
    account = books(STAY)
    done = account.claim(a_claim())
    assert told(done) == [("daily", "benefit.per_day.disease", "40.00", "320.00", "8", "disease")]
    again = account.claim(a_claim(cause="traffic_accident", admission=date(2024, 3, 8)))
    assert told(again) == [
        ("daily", "benefit.per_day.traffic_accident", "80.00", "80.00", "1", "traffic_accident"),
    ]
    assert (again.benefit, again.grant_no) == (80_00, 2)


def test_a_stay_that_ends_on_its_first_day_counts_as_the_scheme_says() -> None:
    same_day = {"admission": date(2024, 3, 9), "cause": "traffic_accident"}
    done = one(STAY, **same_day)
    assert told(done) == [("daily", "benefit.same_day", "80.00", "80.00", "1", "traffic_accident")]
    none = benefit(daily(traffic_accident="80.00", same_day=0), aid="allowance")
    done = one(none, **same_day)
    assert (done.benefit, done.code, done.counted) == (0, Reason.STAY_TOO_SHORT, None)
    assert told(done) == [("daily", "benefit.same_day", "80.00", "0.00", "0", "traffic_accident")]


def test_a_stay_for_another_cause_or_of_unknown_days_earns_nothing() -> None:
    done = one(STAY, cause="ordinary_accident")
    assert (done.benefit, done.code) == (0, Reason.NOT_COVERED_CAUSE)
    assert told(done) == [("causes", "", "0.00", "0.00", "ordinary_accident")]
    done = one(STAY, admission=None)
    assert (done.benefit, done.code) == (0, Reason.FACT_MISSING)
    step = ("stay_days_min", "benefit.per_day.disease", "0.00", "0.00", "admission")
    assert told(done) == [step]


def test_a_sum_is_paid_for_each_share() -> None:
    done = one(benefit(lump_sum(), aid="lump_sum"))
    assert told(done) == [("lump_sum", "benefit.per_unit", "5000.00", "10000.00", "2")]
    assert (done.benefit, done.code) == (10_000_00, None)


@pytest.mark.parametrize(("self_pay", "added"), [(100_00, 0), (100_01, 50_00)])
def test_above_a_bound_a_supplement_is_added_once(self_pay: int, added: int) -> None:
    more = lump_sum(of="self_pay_after_insurance", above="100.00", amount="50.00")
    done = one(benefit(more, aid="lump_sum"), self_pay_after_insurance=Fen(self_pay))
    shown, out = f"{self_pay / 100:.2f}", f"{10_000 + added / 100:.2f}"
    assert told(done) == [
        ("lump_sum", "benefit.per_unit", "5000.00", "10000.00", "2"),
        ("supplement", "benefit.supplement", shown, out, 100_00, added),
    ]
    assert done.benefit == 10_000_00 + added


ACCIDENT = benefit(
    graded(in_hospital="20000.00", death="0.90"),
    events=["disability", "death"],
    aid="lump_sum",
    death_payee="family",
)


def test_a_disability_earns_the_part_of_the_maximum_that_its_grade_names() -> None:
    done = one(ACCIDENT, event="disability", grade=3, event_id="fall")
    assert told(done) == [
        ("maximum", "benefit.maximum_per_unit", "10000.00", "20000.00", "2"),
        ("disability", "benefit.grades", "20000.00", "16000.00", "3", "0.80"),
    ]
    assert done.counted == Counted("benefit", Fen(16_000_00), Fen(2310_00), event_id="fall")
    sums = {"benefit": Fen(16_000_00), "benefit:fall": Fen(16_000_00)}
    assert done.totals is not None
    assert done.totals.sums == sums
    assert done.payee == "member"


def test_a_death_in_hospital_is_paid_from_the_higher_maximum_to_the_family() -> None:
    done = one(ACCIDENT, event="death", in_hospital=True)
    assert told(done) == [
        ("maximum", "benefit.in_hospital_maximum_per_unit", "20000.00", "40000.00", "2"),
        ("death", "benefit.death", "40000.00", "36000.00", "", "0.90"),
    ]
    assert done.payee == "family"


def test_a_plan_without_a_higher_maximum_pays_in_hospital_as_anywhere() -> None:
    plan = benefit(graded(), events=["death"], aid="lump_sum")
    done = one(plan, event="death", in_hospital=True)
    assert (done.benefit, done.payee) == (20_000_00, "member")


@pytest.mark.parametrize(("grade", "earns"), [(1, 20_000_00), (10, 2_000_00)])
def test_grades_go_from_one_to_ten(grade: int, earns: int) -> None:
    assert one(ACCIDENT, event="disability", grade=grade).benefit == earns


@pytest.mark.parametrize("grade", [None, 0, 11])
def test_a_disability_without_its_grade_is_asked_for_it(grade: int | None) -> None:
    done = one(ACCIDENT, event="disability", grade=grade)
    assert (done.code, done.counted, done.benefit) == (Reason.FACT_MISSING, None, 0)
    assert told(done) == [("grade", "benefit.grades", "20000.00", "0.00", "grade")]
