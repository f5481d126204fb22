"""What is left of each plan: the floor still to reach, the cap, the claims."""

from datetime import date
from typing import Any

from services.claims.model import Coverage, PeriodKey, Totals
from services.claims.rules.left import FloorLeft, Left, left
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.model import Scheme
from tests.claims.rules.books import MEMBER, Books, a_claim
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

DAY = date(2024, 3, 9)
KEY = PeriodKey(MEMBER, "made.up", date(2024, 1, 1))
OTHER = Coverage("other", Days(SINCE))


def left_of(
    *plans: Scheme | dict[str, Any],
    covers: tuple[Coverage, ...] = (COVER,),
    totals: dict[PeriodKey, Totals] | None = None,
    day: date = DAY,
) -> list[Left]:
    return left(MEMBER, covers, totals or {}, day, rulebook(*plans))


def test_a_plan_without_limits_tells_what_it_granted() -> None:
    totals = {KEY: Totals(granted={"benefit": Fen(70_00), "another": Fen(1)})}
    year = Days(date(2024, 1, 1), date(2024, 12, 31))
    expected = Left("made.up", "benefit", year, Fen(70_00))
    assert left_of(benefit(sections(co_pay_pooled="0.70")), totals=totals) == [expected]


def test_a_member_sees_how_far_each_kind_of_care_is_from_its_floor() -> None:
    kinds = excess(
        inpatient={"visits": ["inpatient"], "floor": "1300.00"},
        outpatient={"visits": ["ordinary_outpatient"], "floor": "1800.00"},
    )
    totals = {KEY: Totals(sums={"inpatient": Fen(2300_00), "outpatient": Fen(500_00)})}
    (found,) = left_of(benefit(kinds), totals=totals)
    assert found.floors == (
        FloorLeft("inpatient", Fen(1300_00), Fen(2300_00), Fen(0)),
        FloorLeft("outpatient", Fen(1800_00), Fen(500_00), Fen(1300_00)),
    )
    (fresh,) = left_of(benefit(kinds))
    assert [floor.left for floor in fresh.floors] == [1300_00, 1800_00]


def sharing(scheme_id: str, other: str) -> Scheme:
    limits = {"cap": "1000.00", "shared_with": [other]}
    plan = benefit(daily(disease="40.00"), aid="allowance", limits=limits)
    return scheme({f"of {scheme_id}": plan}, scheme_id)


def test_what_is_left_of_a_cap_is_what_no_plan_or_other_book_has_used_of_it() -> None:
    plans = (sharing("made.up", "other"), sharing("other", "made.up"))
    totals = {
        KEY: Totals(granted={"of made.up": Fen(300_00)}, granted_elsewhere=Fen(50_00)),
        KEY._replace(scheme_id="other"): Totals(granted={"of other": Fen(200_00)}),
    }
    one, other = left_of(*plans, covers=(OTHER, COVER), totals=totals)
    assert (one.scheme_id, one.granted, one.cap, one.cap_left) == (
        "made.up",
        300_00,
        1000_00,
        450_00,
    )
    assert (other.scheme_id, other.granted, other.cap_left) == ("other", 200_00, 500_00)


def test_of_a_cap_that_other_books_exceed_nothing_is_left() -> None:
    plan = benefit(sections(co_pay_pooled="0.70"), limits={"cap": "100.00"})
    (found,) = left_of(plan, totals={KEY: Totals(granted_elsewhere=Fen(100_01))})
    assert found.cap_left == 0


def test_a_member_sees_how_many_claims_are_left() -> None:
    plan = benefit(sections(co_pay_pooled="0.70"), limits={"claims_max": 2})
    found = [
        left_of(plan, totals={KEY: Totals(paid={"benefit": paid})})[0] for paid in (0, 1, 2, 3)
    ]
    assert [(one.claims_max, one.claims_left) for one in found] == [(2, 2), (2, 1), (2, 0), (2, 0)]


def test_of_a_new_period_all_is_left() -> None:
    limits = {"claims_max": 2, "cap": "100.00"}
    (found,) = left_of(benefit(sections(co_pay_pooled="0.70"), limits=limits))
    assert (found.granted, found.cap_left, found.claims_left) == (0, 100_00, 2)


def test_a_package_is_told_of_by_its_parts_as_they_are_on_the_day() -> None:
    includes = {"made.up": figure(1, date(2024, 1, 1))}
    package = scheme({}, "package", includes=includes)
    part = scheme({"benefit": benefit(excess())})
    cover = Coverage("package", Days(SINCE))
    days = (date(2023, 12, 31), date(2024, 1, 1))
    found = [left_of(package, part, covers=(cover,), day=day) for day in days]
    assert [[one.benefit for one in each] for each in found] == [[], ["benefit"]]


def test_a_plan_that_pays_once_in_a_period_has_one_claim() -> None:
    once = benefit(lump_sum(), limits={"once": "period"})
    (before,), (after,) = (
        left_of(once, totals={KEY: Totals(paid={"benefit": paid})}) for paid in (0, 1)
    )
    assert (before.claims_max, before.claims_left, after.claims_left) == (1, 1, 0)


def test_a_plan_that_pays_once_for_an_illness_counts_no_claims() -> None:
    (found,) = left_of(benefit(lump_sum(), limits={"once": "illness"}))
    assert (found.claims_max, found.claims_left) == (None, None)


def test_a_plan_that_lacks_a_figure_says_which() -> None:
    raw = benefit(lump_sum())
    raw["formula"]["per_unit"] = []
    missing = Left("made.up", "benefit", missing="benefit.per_unit")
    assert left_of(raw) == [missing]


def test_only_covers_that_hold_the_day_are_told_of() -> None:
    over = Coverage("made.up", Days(SINCE, date(2024, 3, 8)))
    assert left_of(benefit(excess()), covers=(over,)) == []
    ends = Coverage("made.up", Days(SINCE, DAY))
    assert len(left_of(benefit(excess()), covers=(over, ends))) == 1


def test_plans_and_their_benefits_come_in_their_declared_order() -> None:
    plan = benefit(excess())
    first = scheme({"b": plan, "a": benefit(graded(), events=["death"])}, "made.up", order=1)
    second = scheme({"c": plan}, "other", order=2)
    found = left_of(second, first, covers=(OTHER, COVER))
    assert [one.benefit for one in found] == ["b", "a", "c"]


def of_term(figures_of: str) -> Scheme:
    plan = benefit(excess(), period="cover_term")
    plan["limits"]["cap"] = figure("100.00", SINCE, date(2024, 1, 31)) + figure(
        "200.00", date(2024, 2, 1)
    )
    return scheme({"benefit": plan}, enrolment={"term_years": 1, "figures_of": figures_of})


def test_a_period_is_the_term_that_holds_the_day_with_its_own_figures() -> None:
    cover = Coverage("made.up", Days(date(2022, 4, 1)))
    (by_term,) = left_of(of_term("term_start"), covers=(cover,))
    assert by_term.days == Days(date(2023, 4, 1), date(2024, 3, 31))
    assert by_term.cap == 100_00
    (by_day,) = left_of(of_term("event_day"), covers=(cover,))
    assert by_day.cap == 200_00


def test_a_cover_without_terms_is_one_period() -> None:
    cover = Coverage("made.up", Days(date(2022, 4, 1), date(2026, 3, 31)))
    (found,) = left_of(scheme({"benefit": benefit(excess(), period="cover_term")}), covers=(cover,))
    assert found.days == cover.days


def test_of_several_covers_the_period_is_that_of_a_claim() -> None:
    covers = (
        Coverage("made.up", Days(date(2023, 6, 1))),
        Coverage("made.up", Days(date(2023, 9, 1))),
    )
    plan = of_term("term_start")
    account = Books(rulebook(plan), covers)
    account.claim(a_claim())
    (found,) = left_of(plan, covers=covers, totals=account.totals)
    assert found.granted == account.granted() > 0
