"""A claim that is taken back leaves the sums of its period as if it had never come."""

from datetime import date
from typing import Any

import pytest

from services.claims.model import (
    Assessment,
    Brought,
    Case,
    Counted,
    Coverage,
    Facts,
    InPlan,
    PeriodKey,
    Reversal,
    Step,
    Totals,
    Verdict,
)
from services.claims.rules.assess import assess, without_effect
from services.claims.rules.cases import reversal
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.rulebook import Rulebook
from services.common.schemes.terms import FOR_EVER
from tests.claims.rules.books import MEMBER, Books, a_claim, told
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
MEDICAL = benefit(excess(), limits={"cap": "2000.00"})


def books(*plans: dict[str, Any]) -> Books:
    return Books(rulebook(*plans), [COVER])


def claim_and_take_back(account: Books, facts: Facts) -> Assessment:
    brought = account.bring(facts)
    done = account.claim_all(facts)
    (back,) = account.take_back(brought, done)
    return back


def test_a_claim_leaves_the_sums_again_with_a_working_of_its_own() -> None:
    account = books(MEDICAL)
    account.claim(a_claim(self_pay_one=Fen(1500_00), own_cost=Fen(1500_00)))
    back = claim_and_take_back(account, a_claim())
    assert told(back) == [
        ("taken_back", "benefit.period", "2300.00", "1500.00", "care", 3800_00),
        ("floor", "benefit.care.floor", "1500.00", "500.00", 1000_00),
        ("share", "benefit.care.bands", "500.00", "400.00", "0.80"),
        ("cap", "benefit.cap", "400.00", "400.00", 2000_00, 2000_00, 1600_00),
        ("granted_before", "benefit.period", "400.00", "-1600.00", 2000_00),
    ]
    assert back == Assessment(
        "made.up",
        "benefit",
        Verdict.REVERSED,
        Fen(-1600_00),
        back.working,
        key=KEY,
        grant_no=3,
        totals=Totals(
            sums={"care": Fen(1500_00)},
            granted={"benefit": Fen(400_00)},
            grants=3,
            cost=Fen(1500_00),
        ),
    )
    assert account.totals[KEY] == back.totals


def test_taking_back_what_lay_below_the_deductible_books_nothing() -> None:
    account = books(MEDICAL)
    back = claim_and_take_back(account, a_claim(self_pay_one=Fen(900_00)))
    assert (back.benefit, back.grant_no, back.verdict) == (0, None, Verdict.REVERSED)
    assert told(back) == [
        ("taken_back", "benefit.period", "900.00", "0.00", "care", 900_00),
        ("floor", "benefit.care.floor", "0.00", "0.00", 1000_00),
    ]
    assert account.totals[KEY] == Totals(sums={"care": Fen(0)})


def test_a_place_below_the_cap_goes_to_the_bills_that_were_cut() -> None:
    account = books(MEDICAL)
    account.claim(a_claim(self_pay_one=Fen(3500_00)))
    brought = account.bring(a_claim())
    done = account.claim_all(a_claim())
    assert done[0].benefit == 0
    (back,) = account.take_back(brought, done)
    assert back.benefit == 0
    assert account.granted() == 2000_00


def test_what_stands_in_other_books_stays_there() -> None:
    account = books(MEDICAL)
    account.totals[KEY] = Totals(granted_elsewhere=Fen(500_00))
    back = claim_and_take_back(account, a_claim())
    assert back.totals is not None
    assert back.totals.granted_elsewhere == 500_00


def test_a_place_in_the_cap_that_another_bill_fills_is_no_grant() -> None:
    limits = {"claims_max": 2, "cap": "100.00"}
    account = books(benefit(sections(co_pay_pooled="1.00"), limits=limits))
    bill = a_claim(co_pay_pooled=Fen(100_00))
    brought, done = account.bring(bill), account.claim_all(bill)
    account.claim(bill)
    (back,) = account.take_back(brought, done)
    assert (back.benefit, back.grant_no) == (0, None)
    assert account.totals[KEY].grants == 1
    assert account.totals[KEY].paid == {"benefit": 0}


def test_bills_that_reach_just_the_floor_again_are_shown_by_the_first_band() -> None:
    bands = [{"rate": "0.80", "to": "2000.00"}, {"rate": "0.90"}]
    account = books(benefit(excess(care={"bands": bands})))
    account.claim(a_claim(self_pay_one=Fen(1000_00)))
    back = claim_and_take_back(account, a_claim(self_pay_one=Fen(100_00)))
    assert told(back)[2:] == [
        ("share", "benefit.care.bands", "0.00", "0.00", "0.80"),
        ("granted_before", "benefit.period", "0.00", "-80.00", 80_00),
    ]


def test_a_bill_paid_for_itself_is_taken_back_with_what_it_earned() -> None:
    account = books(benefit(sections(co_pay_pooled="0.70")))
    account.claim(a_claim(co_pay_pooled=Fen(10_00)))
    back = claim_and_take_back(account, a_claim(co_pay_pooled=Fen(100_00)))
    assert told(back) == [
        ("taken_back", "benefit.period", "70.00", "7.00", "benefit", 77_00),
        ("granted_before", "benefit.period", "7.00", "-70.00", 77_00),
    ]
    assert account.granted() == 7_00


def test_an_accident_has_its_maximum_again_when_a_payment_for_it_is_taken_back() -> None:
    plan = benefit(graded("100.00"), events=["disability", "death"], period="for_ever")
    account = books(plan)
    fall = a_claim(event="disability", event_id="fall", grade=3)
    back = claim_and_take_back(account, fall)
    assert back.totals is not None
    assert back.totals.sums == {"benefit": 0, "benefit:fall": 0}
    assert account.earns(a_claim(event="death", event_id="fall")) == (100_00, None)


def test_one_of_two_accidents_keeps_what_it_used_up() -> None:
    account = books(benefit(graded("100.00"), events=["disability"], period="for_ever"))
    account.claim(a_claim(event="disability", event_id="crash", grade=1))
    claim_and_take_back(account, a_claim(event="disability", event_id="fall", grade=1))
    (totals,) = account.totals.values()
    assert totals.sums == {"benefit": 100_00, "benefit:crash": 100_00, "benefit:fall": 0}


def test_a_claim_that_was_paid_for_an_illness_is_no_longer_counted() -> None:
    once = benefit(lump_sum(), period="for_ever", limits={"once": "illness"})
    account = books(once)
    back = claim_and_take_back(account, a_claim(event_id="spouse"))
    assert back.totals is not None
    assert back.totals.paid == {"benefit:spouse": 0}
    assert account.claim(a_claim(event_id="spouse")).benefit == 5000_00


def test_a_claim_that_earned_nothing_frees_no_place() -> None:
    account = books(benefit(excess(), limits={"claims_max": 1}))
    account.claim(a_claim(day=date(2024, 2, 1)))
    assert account.totals[KEY].paid == {"benefit": 1}
    (entry,) = account.bring(a_claim()).entries
    assert isinstance(entry, Case)
    small = Reversal(KEY, entry.terms, Counted("care", Fen(0)))
    assess([Brought((small,))], account.totals)
    assert account.totals[KEY].paid == {"benefit": 1}


def test_what_other_plans_gave_back_is_no_longer_counted_as_paid_by_them() -> None:
    first = scheme({"first": benefit(excess())}, "a.first", order=1)
    rest = excess(after_other_plans=True, care={"floor": "0.00", "bands": [{"rate": "1.00"}]})
    second = scheme({"second": benefit(rest)}, "b.second", order=2)
    covers = [Coverage(s, Days(SINCE)) for s in ("a.first", "b.second")]
    account = Books(rulebook(first, second), covers)
    brought, done = account.bring(a_claim()), account.claim_all(a_claim())
    assert [d.benefit for d in done] == [1040_00, 1260_00]
    back = account.take_back(brought, done)
    assert [d.benefit for d in back] == [-1040_00, -1260_00]
    totals = account.totals[KEY._replace(scheme_id="b.second")]
    assert (totals.aided, totals.cost, totals.sums) == (0, 0, {"care": 0})


def test_a_lump_sum_is_nothing_that_made_good_a_cost() -> None:
    gift = scheme({"gift": benefit(daily(disease="400.00"), aid="allowance")}, "a.gift", order=1)
    covers = [Coverage("a.gift", Days(SINCE)), COVER]
    account = Books(rulebook(gift, benefit(excess())), covers)
    allowance, medical = account.claim_all(a_claim())
    assert (allowance.benefit, medical.benefit) == (3200_00, 1040_00)
    assert account.totals[KEY].aided == 0


def test_a_claim_cannot_leave_sums_that_it_never_entered() -> None:
    account = books(MEDICAL)
    brought = account.bring(a_claim())
    done = account.claim_all(a_claim())
    account.take_back(brought, done)
    said = "^a claim leaves the sums once, and only after it entered them"
    with pytest.raises(AssertionError, match=said):
        account.take_back(brought, done)


def test_what_never_counted_is_reversed_without_effect() -> None:
    step = Step("never_counted", "", Fen(123_45), Fen(0))
    expected = Assessment("", "", Verdict.REVERSED, Fen(0), (step,))
    assert without_effect(Fen(123_45)) == expected


COUNTED = Counted("care", Fen(2300_00), Fen(2310_00))


def in_plan(starts: date | None = KEY.starts, counted: Counted | None = COUNTED) -> InPlan:
    return InPlan("made.up", "benefit", None, Fen(1040_00), starts, counted)


def reversed_on(day: date, plan: InPlan, rules: Rulebook) -> Reversal | None:
    return reversal(MEMBER, plan, day, rules)


def test_a_kept_claim_is_taken_back_by_the_terms_that_it_was_judged_by() -> None:
    rules = rulebook(MEDICAL)
    found = reversed_on(date(2024, 3, 9), in_plan(), rules)
    terms = rules.terms("made.up", "benefit", date(2024, 3, 9))
    assert found == Reversal(KEY, terms, COUNTED)


def test_a_claim_that_entered_no_sums_has_nothing_to_take_back() -> None:
    rules = rulebook(MEDICAL)
    assert reversed_on(date(2024, 3, 9), in_plan(counted=None), rules) is None
    assert reversed_on(date(2024, 3, 9), in_plan(starts=None), rules) is None


def by_term(period: str) -> Rulebook:
    """Give rules of two editions, the second of which holds for terms since June 2024."""
    plan = benefit(lump_sum(), period=period)
    per_unit = figure("10.00", SINCE, date(2024, 5, 31)) + figure("20.00", date(2024, 6, 1))
    plan["formula"]["per_unit"] = per_unit
    enrolment = {"term_years": 1, "figures_of": "term_start"}
    return rulebook(scheme({"benefit": plan}, enrolment=enrolment))


def test_a_claim_of_a_term_is_taken_back_by_the_terms_of_its_first_day() -> None:
    rules = by_term("cover_term")
    starts = date(2023, 9, 1)
    found = reversed_on(date(2024, 8, 31), in_plan(starts), rules)
    assert found is not None
    assert found.terms == rules.terms("made.up", "benefit", starts)


def test_a_claim_of_a_period_without_beginning_is_taken_back_too() -> None:
    rules = by_term("for_ever")
    found = reversed_on(date(2024, 8, 31), in_plan(FOR_EVER.starts), rules)
    assert found is not None
    assert found.key.starts == FOR_EVER.starts
