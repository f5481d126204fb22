"""What a benefit never exceeds, and how often and until when it is paid."""

from datetime import date
from typing import Any

import pytest

from services.claims.model import Assessment, Coverage, PeriodKey, Reason, Totals, Verdict
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.model import Scheme
from tests.claims.rules.books import MEMBER, Books, a_claim, rejected, told
from tests.claims.rules.made_up import (
    COVER,
    SINCE,
    benefit,
    daily,
    excess,
    figure,
    graded,
    lump_sum,
    rulebook,
    scheme,
    sections,
)

KEY = PeriodKey(MEMBER, "made.up", date(2024, 1, 1))
# Of a hundred fen a hundred are paid, so that what a limit does is seen at once.
ALL = sections(co_pay_pooled="1.00")
SUM = lump_sum("100.00")


def books(plan: dict[str, Any] | Scheme, units: int = 1, starts: date = SINCE) -> Books:
    return Books(rulebook(plan), [Coverage("made.up", Days(starts), units)])


def a_bill(yuan: int, **said: Any) -> Any:  # noqa: ANN401 (facts by name)
    return a_claim(co_pay_pooled=Fen(yuan * 100), own_cost=Fen(yuan * 100), **said)


def limited(plan: dict[str, Any], **said: Any) -> tuple[int, str | None]:  # noqa: ANN401 (facts by name)
    return books(plan).earns(a_claim(**said))


def last_but(done: Assessment, granted_before: int) -> tuple[object, ...]:
    """Give the last step before what was granted is taken off."""
    return told(done)[-1 - granted_before]


@pytest.mark.parametrize(
    ("period", "reason"),
    [
        ("calendar_year", Reason.CAP_ANNUAL),
        ("cover_term", Reason.CAP_PERIOD),
        ("for_ever", Reason.CAP_PERIOD),
    ],
)
def test_a_cap_over_a_period_is_named_by_it(period: str, reason: Reason) -> None:
    account = books(benefit(ALL, period=period, limits={"cap": "150.00"}))
    assert account.earns(a_bill(100)) == (100_00, None)
    assert account.earns(a_bill(50)) == (50_00, None)
    assert account.earns(a_bill(100)) == (0, reason)


def test_a_cap_begins_anew_with_the_period() -> None:
    account = books(benefit(ALL, limits={"cap": "150.00"}))
    assert account.earns(a_bill(200)) == (150_00, Reason.CAP_ANNUAL)
    assert account.earns(a_bill(100, day=date(2025, 1, 1))) == (100_00, None)


def test_what_a_bill_earned_beyond_the_cap_still_counts_in_the_sums() -> None:
    account = books(benefit(ALL, limits={"cap": "150.00"}))
    done = account.claim(a_bill(200))
    assert done.counted is not None
    assert done.counted.amount == 200_00
    section = ("co_pay_pooled", "1.00", "200.00")
    assert told(done) == [
        ("section", "benefit.co_pay_pooled.rate", "200.00", "200.00", *section),
        ("cap", "benefit.cap", "200.00", "150.00", 150_00, 150_00, 0),
    ]


@pytest.mark.parametrize(("elsewhere", "earns"), [(0, 100_00), (60_00, 90_00), (150_00, 0)])
def test_aid_in_other_books_uses_up_the_same_cap(elsewhere: int, earns: int) -> None:
    account = books(benefit(ALL, limits={"cap": "150.00"}))
    account.totals[KEY] = Totals(granted_elsewhere=Fen(elsewhere))
    expected = None if earns == 100_00 else Reason.CAP_ANNUAL
    assert account.earns(a_bill(100)) == (earns, expected)
    assert account.totals[KEY].granted_elsewhere == elsewhere


def test_aid_in_other_books_beyond_the_cap_takes_nothing_back() -> None:
    account = books(benefit(ALL, limits={"cap": "150.00"}))
    account.totals[KEY] = Totals(granted_elsewhere=Fen(151_00))
    assert account.earns(a_bill(100)) == (0, Reason.CAP_ANNUAL)


def sharing() -> Books:
    """Give two plans of one period that have 150.00 together."""
    one = benefit(ALL, limits={"cap": "150.00", "shared_with": ["other"]})
    other = benefit(daily(disease="10.00"), aid="allowance", limits={"cap": "150.00"})
    other["limits"]["shared_with"] = ["made.up"]
    covers = [COVER, Coverage("other", Days(SINCE))]
    return Books(rulebook(scheme({"one": one}), scheme({"other": other}, "other", order=2)), covers)


def test_plans_that_share_a_cap_never_exceed_it_together() -> None:
    account = sharing()
    claims = [account.claim_all(a_bill(60)) for _ in range(3)]
    earned = [[(done.benefit, done.code) for done in each] for each in claims]
    assert earned == [
        [(60_00, None), (80_00, None)],
        [(10_00, Reason.CAP_ANNUAL), (0, Reason.CAP_ANNUAL)],
        [(0, Reason.CAP_ANNUAL), (0, Reason.CAP_ANNUAL)],
    ]
    assert told(claims[1][0])[-2] == ("cap", "one.cap", "120.00", "70.00", 150_00, 70_00, 0)


def test_a_plan_shares_its_cap_in_the_same_period_only() -> None:
    account = sharing()
    account.claim_all(a_bill(150))
    in_2025 = account.claim_all(a_bill(60, day=date(2025, 3, 9), admission=date(2025, 3, 1)))
    assert [done.benefit for done in in_2025] == [60_00, 80_00]


def test_one_claim_has_a_limit_of_its_own() -> None:
    account = books(benefit(ALL, limits={"per_claim": "80.00"}))
    assert account.earns(a_bill(80)) == (80_00, None)
    done = account.claim(a_bill(100))
    assert (done.benefit, done.code) == (80_00, Reason.CAP_PER_CLAIM)
    assert last_but(done, 0) == ("per_claim", "benefit.per_claim", "100.00", "80.00", 80_00)
    assert done.counted is not None
    assert done.counted.amount == 80_00


A_FIFTH = {"share_of": {"of": "pooled_paid", "rate": "0.20"}}


@pytest.mark.parametrize(
    ("co_pay", "pooled", "earns", "reason"),
    [
        (100_00, 500_00, 100_00, None),
        (100_01, 500_00, 100_00, Reason.CAP_POOLED_20PCT),
        # A fifth of it is 100.002, which is no fen less than 100.00.
        (100_00, 500_01, 100_00, None),
        (100_01, 500_02, 100_00, Reason.CAP_POOLED_20PCT),
        (100_01, 500_03, 100_01, None),
        (100_00, 0, 0, Reason.CAP_POOLED_20PCT),
    ],
)
def test_a_benefit_is_never_above_a_share_of_what_the_fund_paid(
    co_pay: int, pooled: int, earns: int, reason: Reason | None
) -> None:
    plan = benefit(ALL, limits=A_FIFTH)
    done = books(plan).claim(a_claim(co_pay_pooled=Fen(co_pay), pooled_paid=Fen(pooled)))
    assert (done.benefit, done.code) == (earns, reason)
    step = ("share_of", "benefit.share_of", f"{co_pay / 100:.2f}", f"{earns / 100:.2f}")
    assert told(done)[1] == (*step, pooled, "0.20")


def test_a_share_of_what_the_fund_paid_is_rounded_with_the_benefit() -> None:
    """0.70 × 0.05 = 0.035 and 0.20 × 0.17 = 0.034: the smaller one is rounded, once."""
    plan = benefit(sections(co_pay_pooled="0.70"), limits=A_FIFTH)
    assert limited(plan, co_pay_pooled=Fen(5), pooled_paid=Fen(17)) == (
        3,
        Reason.CAP_POOLED_20PCT,
    )


def test_shares_above_the_maximum_do_not_count() -> None:
    done = books(benefit(SUM, aid="lump_sum"), units=4).claim(a_claim())
    assert (done.benefit, done.code) == (300_00, Reason.SHARES_CLAMPED)
    assert told(done) == [
        ("units_max", "enrolment.units_max", "0.00", "0.00", "4", "3"),
        ("lump_sum", "benefit.per_unit", "100.00", "300.00", "3"),
    ]
    assert books(benefit(SUM, aid="lump_sum"), units=3).earns(a_claim()) == (300_00, None)


def test_shares_above_the_maximum_do_not_count_after_an_accident() -> None:
    plan = benefit(graded("100.00"), events=["death"], aid="lump_sum")
    done = books(plan, units=4).claim(a_claim(event="death"))
    assert (done.benefit, done.code) == (300_00, Reason.SHARES_CLAMPED)
    assert [step[0] for step in told(done)] == ["units_max", "maximum", "death"]


ACCIDENT = benefit(
    graded("100.00"), events=["disability", "death"], aid="lump_sum", period="for_ever"
)


def test_one_accident_has_one_maximum() -> None:
    account = books(ACCIDENT)
    fall = {"event": "disability", "event_id": "fall"}
    assert account.earns(a_claim(**fall, grade=3)) == (80_00, None)
    assert account.earns(a_claim(**fall, grade=10)) == (10_00, None)
    done = account.claim(a_claim(event="death", event_id="fall", day=date(2026, 1, 1)))
    assert (done.benefit, done.code) == (10_00, Reason.CAP_PER_EVENT)
    assert told(done)[1:] == [
        ("death", "benefit.death", "100.00", "100.00", "", "1.00"),
        ("one_accident", "benefit.one_accident", "100.00", "10.00", 90_00, 10_00),
    ]
    nothing = account.claim(a_claim(**fall, grade=10))
    assert (nothing.benefit, nothing.code, nothing.counted) == (0, Reason.CAP_PER_EVENT, None)
    assert told(nothing)[-1][2:] == ("10.00", "0.00", 100_00, 0)
    assert account.earns(a_claim(event="death", event_id="crash")) == (100_00, None)


def test_what_just_fits_into_the_maximum_is_paid_in_full() -> None:
    account = books(ACCIDENT)
    assert account.earns(a_claim(event="disability", event_id="fall", grade=3)) == (80_00, None)
    assert account.earns(a_claim(event="disability", event_id="fall", grade=9)) == (20_00, None)


def test_an_accident_without_a_name_is_known_by_its_day() -> None:
    account = books(ACCIDENT)
    assert account.earns(a_claim(event="disability", grade=3)) == (80_00, None)
    assert account.earns(a_claim(event="death")) == (20_00, Reason.CAP_PER_EVENT)
    assert account.earns(a_claim(event="death", day=date(2024, 3, 10))) == (100_00, None)


def test_a_smaller_maximum_takes_nothing_back_from_the_same_accident() -> None:
    plan = benefit(graded("100.00", in_hospital="200.00"), events=["disability", "death"])
    account = books(plan)
    here = {"event": "disability", "event_id": "fall", "in_hospital": True}
    assert account.earns(a_claim(**here, grade=1)) == (200_00, None)
    assert account.earns(a_claim(event="death", event_id="fall")) == (0, Reason.CAP_PER_EVENT)


def test_only_so_many_claims_of_a_period_are_paid() -> None:
    account = books(benefit(ALL, limits={"claims_max": 2}))
    assert account.earns(a_bill(100)) == (100_00, None)
    assert account.earns(a_bill(0)) == (0, Reason.AT_OR_BELOW_DEDUCTIBLE)
    assert account.earns(a_bill(50)) == (50_00, None)
    done = account.claim(a_bill(100))
    assert told(done) == [("claims_max", "benefit.claims_max", "0.00", "0.00", "2", "2")]
    assert done == rejected(Reason.FREQ_LIMIT, *done.working)
    assert account.earns(a_bill(100, day=date(2025, 1, 1))) == (100_00, None)


def test_a_claim_that_earned_a_fen_is_one_of_those_that_were_paid() -> None:
    account = books(benefit(ALL, limits={"claims_max": 1}))
    assert account.earns(a_claim(co_pay_pooled=Fen(1))) == (1, None)
    assert account.earns(a_bill(100)) == (0, Reason.FREQ_LIMIT)


def test_a_claim_that_was_paid_frees_its_place_when_it_is_taken_back() -> None:
    account = books(benefit(ALL, limits={"claims_max": 1}))
    brought = account.bring(a_bill(100))
    done = account.claim_all(a_bill(100))
    assert account.earns(a_bill(100)) == (0, Reason.FREQ_LIMIT)
    account.take_back(brought, done)
    assert account.earns(a_bill(70)) == (70_00, None)
    assert account.earns(a_bill(70)) == (0, Reason.FREQ_LIMIT)


def test_a_plan_that_pays_once_in_a_period_pays_no_second_illness() -> None:
    account = books(benefit(SUM, aid="lump_sum", limits={"once": "period"}))
    assert account.earns(a_claim(event_id="first")) == (100_00, None)
    done = account.claim(a_claim(event_id="second"))
    assert told(done) == [("once", "benefit.once", "0.00", "0.00")]
    assert done == rejected(Reason.ALREADY_PAID, *done.working)
    assert account.earns(a_claim(day=date(2025, 3, 9))) == (100_00, None)


def test_a_plan_that_pays_once_for_an_illness_pays_another_one() -> None:
    account = books(benefit(SUM, aid="lump_sum", period="for_ever", limits={"once": "illness"}))
    assert account.earns(a_claim(event_id="spouse")) == (100_00, None)
    assert account.earns(a_claim(event_id="child")) == (100_00, None)
    assert account.earns(a_claim(event_id="spouse", day=date(2030, 1, 1))) == (
        0,
        Reason.ALREADY_PAID,
    )


def test_an_illness_without_a_name_is_asked_for_it() -> None:
    plan = benefit(SUM, aid="lump_sum", period="for_ever", limits={"once": "illness"})
    done = books(plan).claim(a_claim())
    assert told(done) == [("once", "benefit.once", "0.00", "0.00", "event_id")]
    assert done == rejected(Reason.FACT_MISSING, *done.working)


def test_the_window_to_claim_ends_so_many_days_after_discharge() -> None:
    plan = benefit(ALL, limits={"window": {"after": "discharge", "days": 180}})
    assert books(plan).earns(a_bill(1, claimed_on=date(2024, 9, 5))) == (1_00, None)
    done = books(plan).claim(a_bill(1, claimed_on=date(2024, 9, 6)))
    step = ("window", "benefit.window", "0.00", "0.00", "2024-09-06", "2024-09-05")
    assert told(done) == [step]
    assert done == rejected(Reason.LATE_CLAIM, *done.working)
    assert books(plan).earns(a_bill(1)) == (1_00, None)


def test_the_window_to_claim_ends_so_many_days_after_the_period() -> None:
    plan = benefit(ALL, limits={"window": {"after": "period_end", "days": 180}})
    assert books(plan).earns(a_bill(1, claimed_on=date(2025, 6, 29))) == (1_00, None)
    done = books(plan).claim(a_bill(1, claimed_on=date(2025, 6, 30)))
    assert done.code is Reason.LATE_CLAIM
    assert told(done)[0][-2:] == ("2025-06-30", "2025-06-29")


def test_a_period_without_end_is_never_too_late() -> None:
    window = {"window": {"after": "period_end", "days": 180}}
    plan = benefit(ALL, period="for_ever", limits=window)
    assert books(plan).earns(a_bill(1, claimed_on=date(2099, 1, 1))) == (1_00, None)


def test_who_is_rejected_for_a_death_would_have_been_the_family() -> None:
    plan = benefit(
        graded("100.00"), events=["death"], death_payee="family", limits={"claims_max": 1}
    )
    account = books(plan)
    assert account.claim(a_claim(event="death")).payee == "family"
    late = account.claim(a_claim(event="death", day=date(2024, 5, 1)))
    assert late == rejected(Reason.FREQ_LIMIT, *late.working, payee="family")


def test_a_death_is_paid_to_the_member_s_estate_where_the_scheme_says_so() -> None:
    plan = benefit(graded("100.00"), events=["death"], death_payee="member")
    assert books(plan).claim(a_claim(event="death")).payee == "member"


def test_a_claim_below_the_deductible_is_told_so_even_where_the_cap_is_used_up() -> None:
    kinds = excess(
        inpatient={"visits": ["inpatient"]}, outpatient={"visits": ["ordinary_outpatient"]}
    )
    account = books(benefit(kinds, limits={"cap": "1000.00"}))
    assert account.earns(a_claim()) == (1000_00, Reason.CAP_ANNUAL)
    small = a_claim(visit="ordinary_outpatient", self_pay_one=Fen(10_00))
    assert account.earns(small) == (0, Reason.AT_OR_BELOW_DEDUCTIBLE)


def test_a_cap_that_changes_holds_for_its_own_years() -> None:
    plan = benefit(ALL)
    old = figure("50.00", SINCE, date(2023, 12, 31))
    plan["limits"]["cap"] = old + figure("60.00", date(2024, 1, 1))
    account = books(plan)
    assert account.earns(a_bill(100, day=date(2023, 12, 31))) == (50_00, Reason.CAP_ANNUAL)
    done = account.claim(a_bill(100))
    assert (done.verdict, done.benefit) == (Verdict.SETTLED, 60_00)
