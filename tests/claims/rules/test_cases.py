"""Which plans a claim comes before, in which term of cover, by whose figures."""

from datetime import date
from typing import Any

import pytest

from services.claims.model import (
    Assessment,
    Brought,
    Case,
    Coverage,
    PeriodKey,
    Person,
    Reason,
    Refusal,
    RefusalCode,
    Step,
    Verdict,
)
from services.claims.rules.cases import cases
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.model import Scheme
from services.common.schemes.terms import FOR_EVER
from tests.claims.rules.books import MEMBER, Books, a_claim, rejected
from tests.claims.rules.made_up import (
    COVER,
    SINCE,
    benefit,
    daily,
    excess,
    figure,
    lump_sum,
    rulebook,
    scheme,
)

MEDICAL = benefit(excess())
OUTSIDE = Reason.OUTSIDE_COVERAGE
DAY = date(2024, 3, 9)


def covered(starts: date, ends: date | None = None, **changed: Any) -> Coverage:  # noqa: ANN401 (fields by name)
    return Coverage("made.up", Days(starts, ends), **changed)


def code(benefit: dict[str, Any], *covers: Coverage, **said: Any) -> Reason | None:  # noqa: ANN401 (facts by name)
    return Books(rulebook(benefit), covers).claim(a_claim(**said)).code


def the_case(plan: Scheme, cover: Coverage = COVER, **said: Any) -> Case:  # noqa: ANN401 (facts by name)
    (entry,) = Books(rulebook(plan), [cover]).bring(a_claim(**said)).entries
    assert isinstance(entry, Case), entry
    return entry


def of_term(years: int | None = 1, figures_of: str = "event_day", **changed: object) -> Scheme:
    """Make a scheme whose period is the member's own term of cover."""
    enrolment: dict[str, object] = {"figures_of": figures_of}
    if years is not None:
        enrolment["term_years"] = years
    plan = benefit(excess(), **{"period": "cover_term", **changed})
    return scheme({"benefit": plan}, enrolment=enrolment)


def test_both_ends_of_a_cover_belong_to_it() -> None:
    cover = covered(date(2024, 3, 1), date(2024, 3, 9))
    days = [date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 9), date(2024, 3, 10)]
    assert [code(MEDICAL, cover, day=day) for day in days] == [OUTSIDE, None, None, OUTSIDE]


def test_a_day_between_two_covers_lies_outside() -> None:
    covers = covered(SINCE, date(2024, 3, 1)), covered(date(2024, 4, 1))
    assert code(MEDICAL, *covers, day=date(2024, 3, 9)) is OUTSIDE
    assert code(MEDICAL, *covers, day=date(2024, 4, 1)) is None


def test_outside_the_cover_the_day_that_was_asked_for_is_said() -> None:
    done = Books(rulebook(MEDICAL), [covered(date(2025, 1, 1))]).claim(a_claim())
    step = Step("coverage", f"benefit.cover_day@{SINCE}", Fen(2300_00), Fen(0), ("2024-03-09",))
    assert done == rejected(OUTSIDE, step)


def test_where_admission_must_be_covered_the_stay_may_outlast_the_cover() -> None:
    by_admission = benefit(excess(), cover_day="admission")
    ends_early = covered(SINCE, date(2024, 3, 1))
    assert code(by_admission, ends_early) is None
    assert code(MEDICAL, ends_early) is OUTSIDE
    begins_late = covered(date(2024, 3, 2))
    assert code(by_admission, begins_late) is OUTSIDE
    assert code(MEDICAL, begins_late) is None


def test_without_an_admission_the_day_itself_must_be_covered() -> None:
    by_admission = benefit(excess(), cover_day="admission")
    assert code(by_admission, covered(date(2024, 3, 9)), admission=None) is None
    assert code(by_admission, covered(date(2024, 3, 10)), admission=None) is OUTSIDE


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 1, 30), Reason.WAITING_PERIOD),
        (date(2024, 1, 31), None),
    ],
)
def test_a_newcomer_waits_the_days_that_the_scheme_says(day: date, expected: str | None) -> None:
    waits = scheme({"benefit": MEDICAL}, enrolment={"waiting_days": 30})
    newcomer = covered(date(2024, 1, 1))
    done = Books(rulebook(waits), [newcomer]).claim(a_claim(day=day))
    assert done.code == expected
    if expected:
        ref = f"enrolment.waiting_days@{SINCE}"
        step = Step("waiting", ref, Fen(2300_00), Fen(0), ("30", "2024-01-01"))
        assert done == rejected(Reason.WAITING_PERIOD, step)


def test_nobody_waits_twice() -> None:
    waits = scheme({"benefit": MEDICAL}, enrolment={"waiting_days": 30})
    renewed = covered(date(2024, 3, 1), renewed=True)
    assert Books(rulebook(waits), [renewed]).claim(a_claim()).verdict is Verdict.SETTLED


def test_where_nobody_waits_the_first_day_counts() -> None:
    assert code(MEDICAL, covered(DAY)) is None


def test_a_period_is_the_year_of_the_day() -> None:
    case = the_case(scheme({"benefit": MEDICAL}))
    assert case.key == PeriodKey(MEMBER, "made.up", date(2024, 1, 1))
    assert case.ends == date(2024, 12, 31)


def test_a_period_is_the_term_of_cover_that_holds_the_day() -> None:
    cover = covered(date(2023, 3, 9))
    case = the_case(of_term(), cover)
    assert (case.key.starts, case.ends) == (date(2024, 3, 9), date(2025, 3, 8))
    before = the_case(of_term(), cover, day=date(2024, 3, 8))
    assert (before.key.starts, before.ends) == (date(2023, 3, 9), date(2024, 3, 8))


def test_a_term_of_two_years_is_one_period() -> None:
    case = the_case(of_term(2), covered(date(2022, 3, 10), date(2026, 1, 1)))
    assert (case.key.starts, case.ends) == (date(2022, 3, 10), date(2024, 3, 9))
    last = the_case(of_term(2), covered(date(2022, 3, 9), date(2026, 1, 1)))
    assert (last.key.starts, last.ends) == (date(2024, 3, 9), date(2026, 1, 1))


def test_a_cover_without_terms_is_one_period() -> None:
    case = the_case(of_term(None), covered(date(2022, 5, 5), date(2026, 5, 4)))
    assert (case.key.starts, case.ends) == (date(2022, 5, 5), date(2026, 5, 4))


def test_where_admission_must_be_covered_it_picks_the_term() -> None:
    plan = of_term(cover_day="admission")
    case = the_case(plan, covered(date(2023, 3, 5)), admission=date(2024, 3, 4))
    assert case.key.starts == date(2023, 3, 5)


def test_a_period_may_be_for_ever() -> None:
    case = the_case(of_term(period="for_ever"))
    assert (case.key.starts, case.ends) == (FOR_EVER.starts, None)


def test_a_named_period_has_days_of_its_own() -> None:
    first, second = date(2023, 3, 10), date(2024, 3, 10)
    periods = figure("4", first, date(2024, 3, 9)) + figure("5", second)
    named = scheme({"benefit": benefit(excess(), period="named")}, periods=periods)
    case = the_case(named)
    assert (case.key.starts, case.ends) == (first, date(2024, 3, 9))
    assert the_case(named, day=second).key.starts == second


def editions(figures_of: str) -> Scheme:
    """Give a scheme that paid for admissions, and since June 2024 pays for days of discharge."""
    plan = benefit(lump_sum(), period="cover_term")
    per_unit = figure("10.00", SINCE, date(2024, 5, 31)) + figure("20.00", date(2024, 6, 1))
    plan["formula"]["per_unit"] = per_unit
    enrolment = {"term_years": 1, "figures_of": figures_of}
    return scheme({"benefit": plan}, enrolment=enrolment)


def test_a_cover_keeps_the_figures_of_the_first_day_of_its_term_where_the_scheme_says_so() -> None:
    cover = covered(date(2023, 9, 1))
    for figures_of, earns in (("term_start", [10_00, 20_00]), ("event_day", [20_00, 20_00])):
        books = Books(rulebook(editions(figures_of)), [cover])
        days = [date(2024, 8, 31), date(2024, 9, 1)]
        assert [books.claim(a_claim(day=day)).benefit for day in days] == earns


def test_outside_its_cover_a_member_is_judged_by_the_figures_of_the_day() -> None:
    books = Books(rulebook(editions("term_start")), [covered(date(2030, 1, 1))])
    assert books.claim(a_claim()).code is OUTSIDE


def test_a_claim_comes_before_the_plans_in_their_declared_order() -> None:
    third = scheme({"c": MEDICAL}, "a.third", order=3)
    first = scheme({"a": MEDICAL, "x": benefit(excess(), events=["death"])}, "z.first", order=1)
    second = scheme({"b": MEDICAL, "bb": benefit(daily(disease="40.00"))}, "m.second", order=2)
    covers = [Coverage(s, Days(SINCE)) for s in ("a.third", "z.first", "m.second")]
    done = Books(rulebook(third, first, second), covers).claim_all(a_claim())
    assert [d.benefit_name for d in done] == ["a", "b", "bb", "c"]


def test_a_claim_that_no_plan_held_pays_for_lies_outside_every_cover() -> None:
    step = Step("coverage", "", Fen(2300_00), Fen(0), ("2024-03-09",))
    expected = rejected(OUTSIDE, step, scheme_id="", benefit="")
    assert Books(rulebook(MEDICAL), []).claim(a_claim()) == expected
    assert Books(rulebook(MEDICAL), [COVER]).claim(a_claim(event="death")) == expected


def package(*shares: tuple[str, int]) -> Scheme:
    includes = {part: figure(units, date(2024, 1, 1)) for part, units in shares}
    return scheme({}, "package", includes=includes)


def test_a_package_covers_by_each_scheme_that_it_includes() -> None:
    sums = scheme({"sum": benefit(lump_sum("100.00"))}, "sums", order=2)
    other = scheme({"other": benefit(lump_sum("1.00"))}, "other", order=3)
    books = rulebook(package(("sums", 2), ("other", 1)), sums, other)
    cover = Coverage("package", Days(date(2020, 5, 1)), units=1)
    assert [d.benefit for d in Books(books, [cover]).claim_all(a_claim())] == [200_00, 1_00]
    # What is included since 2024 does not cover a day before.
    earlier = Books(books, [cover]).claim_all(a_claim(day=date(2023, 12, 31)))
    assert [(d.scheme_id, d.code) for d in earlier] == [("", OUTSIDE)]


def test_a_part_of_a_package_is_covered_as_the_package_is() -> None:
    waits = {"waiting_days": 30}
    standing = {"standing": ["fit_for_work"]}
    sums = scheme({"sum": benefit(lump_sum())}, "sums", enrolment=waits, admission=standing)
    books = rulebook(package(("sums", 1)), sums)
    days = Days(date(2024, 3, 1), date(2025, 2, 28))

    def done(**changed: Any) -> Reason | None:  # noqa: ANN401 (fields by name)
        return Books(books, [Coverage("package", days, **changed)]).claim(a_claim()).code

    assert done(renewed=True) is None
    assert done() is Reason.WAITING_PERIOD
    assert done(unmet=frozenset({"fit_for_work"}), renewed=True) is Reason.NOT_ELIGIBLE


def test_shares_of_one_plan_that_are_held_at_once_add_up() -> None:
    sums = scheme({"sum": benefit(lump_sum("100.00"))}, enrolment={"units_max": 9})
    covers = [
        covered(date(2024, 1, 1), units=2),
        covered(date(2024, 3, 9), units=3),
        covered(date(2024, 3, 10), units=4),
    ]
    assert Books(rulebook(sums), covers).claim(a_claim()).benefit == 500_00


def test_of_two_covers_that_hold_the_day_the_one_that_began_first_gives_the_term() -> None:
    later, first = covered(date(2023, 9, 1)), covered(date(2023, 6, 1))
    (entry,) = Books(rulebook(of_term()), [later, first]).bring(a_claim()).entries
    assert isinstance(entry, Case)
    assert entry.key.starts == date(2023, 6, 1)


def brought_again(plan: dict[str, Any] | None, **judged: str) -> Brought | Refusal:
    """Bring a claim that `made.up` has judged before the plan that is known now as well."""
    plans = {"made.up": MEDICAL} if plan is None else {"made.up": MEDICAL, "other": plan}
    schemes = [scheme({"benefit": raw}, scheme_id) for scheme_id, raw in plans.items()]
    covers = [Coverage(scheme_id, Days(SINCE)) for scheme_id in plans]
    names = set(judged.items())
    books = rulebook(*schemes)
    return cases(MEMBER, a_claim(), Person(), covers, books, judged=names, aided=Fen(5_00))


def test_a_plan_that_has_judged_a_claim_is_not_asked_again() -> None:
    found = brought_again(MEDICAL, **{"made.up": "benefit"})
    assert isinstance(found, Brought)
    assert [entry.terms.scheme_id for entry in found.entries if isinstance(entry, Case)] == [
        "other"
    ]
    assert (len(found.entries), found.aided) == (1, 5_00)


def test_a_claim_that_all_plans_have_judged_comes_before_none() -> None:
    assert brought_again(None, **{"made.up": "benefit"}) == Brought((), Fen(5_00))


def test_a_claim_that_a_further_plan_rejects_stays_with_those_that_judged_it() -> None:
    elsewhere = benefit(excess(), conditions={"visits": ["ordinary_outpatient"]})
    found = brought_again(elsewhere, **{"made.up": "benefit"})
    assert isinstance(found, Brought)
    (entry,) = found.entries
    assert isinstance(entry, Assessment)
    assert (entry.scheme_id, entry.code) == ("other", Reason.NOT_COVERED_VISIT)
    assert found.aided == 5_00


def test_shares_of_a_package_are_shares_of_its_parts() -> None:
    sums = scheme({"sum": benefit(lump_sum("100.00"))}, "sums", enrolment={"units_max": 9})
    cover = Coverage("package", Days(SINCE), units=2)
    books = Books(rulebook(package(("sums", 3)), sums), [cover])
    assert books.claim(a_claim()).benefit == 600_00


def test_who_is_admitted_by_no_plan_is_refused_and_not_remembered() -> None:
    one = scheme({"benefit": MEDICAL}, admission={"psn_type": ["11"]})
    refusal = Books(rulebook(one), [COVER]).refused(a_claim(psn_type="12"))
    assert refusal == Refusal(RefusalCode.NOT_IN_SERVICE, "psn_type")


def test_who_is_admitted_by_one_plan_is_not_eligible_for_the_others() -> None:
    one = scheme({"benefit": MEDICAL}, admission={"psn_type": ["11"]})
    other = scheme({"other": MEDICAL}, "other", order=2, admission={"psn_type": ["12"]})
    covers = [COVER, Coverage("other", Days(SINCE))]
    done = Books(rulebook(one, other), covers).claim_all(a_claim(psn_type="12"))
    assert [d.code for d in done] == [Reason.NOT_ELIGIBLE, None]


def test_a_plan_that_asks_for_no_kind_of_person_admits_all() -> None:
    assert code(MEDICAL, COVER, psn_type="12") is None


def test_a_cover_by_a_scheme_that_nobody_wrote_is_refused() -> None:
    strange = Coverage("nobody.wrote", Days(SINCE))
    refusal = Books(rulebook(MEDICAL), [strange]).refused(a_claim())
    assert refusal == Refusal(RefusalCode.SCHEME_UNKNOWN, "nobody.wrote")


def test_where_all_plans_lack_a_figure_the_claim_is_refused_with_its_name() -> None:
    books = Books(rulebook(MEDICAL), [covered(date(2012, 5, 1))])
    refusal = books.refused(a_claim(day=date(2019, 12, 31)))
    said = "made.up has no benefit.period on 2019-12-31"
    assert refusal == Refusal(RefusalCode.SCHEME_FIGURE_MISSING, said)


def test_a_day_outside_the_cover_needs_no_figures() -> None:
    books = Books(rulebook(MEDICAL), [COVER])
    done = books.claim(a_claim(day=date(2019, 12, 31)))
    step = Step("coverage", "", Fen(2300_00), Fen(0), ("2019-12-31",))
    assert done == rejected(OUTSIDE, step)


def test_a_claim_that_one_plan_rejects_and_another_cannot_judge_is_rejected() -> None:
    raw = benefit(lump_sum())
    raw["formula"]["per_unit"] = []
    lacks = scheme({"condolence": raw}, "lacks", order=2)
    covers = [covered(date(2025, 1, 1)), Coverage("lacks", Days(SINCE))]
    done = Books(rulebook(MEDICAL, lacks), covers).claim_all(a_claim())
    assert [each.code for each in done] == [OUTSIDE, Reason.SCHEME_FIGURE_MISSING]


def test_a_plan_that_lacks_a_figure_keeps_the_others_from_nothing() -> None:
    raw = benefit(lump_sum())
    raw["formula"]["per_unit"] = []
    lacks = scheme({"condolence": raw}, "lacks", order=2)
    covers = [COVER, Coverage("lacks", Days(SINCE))]
    settled, lacking = Books(rulebook(MEDICAL, lacks), covers).claim_all(a_claim())
    assert settled.verdict is Verdict.SETTLED
    step = Step("cannot_run", "", Fen(2300_00), Fen(0), ("condolence.per_unit",))
    reason = Reason.SCHEME_FIGURE_MISSING
    assert lacking == rejected(reason, step, scheme_id="lacks", benefit="")
