"""What a settlement earns follows from dated figures and the sums of its period, to the fen."""

import random
from datetime import date
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.claims.model import (
    Assessment,
    Case,
    Coverage,
    PeriodKey,
    Reason,
    Refusal,
    Reversal,
    Step,
    Totals,
    Verdict,
)
from services.claims.rules import assess, cases, owed, without_effect
from services.claims.texts import why
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.load import load_rulebook
from services.common.schemes.model import KindTerms
from tests.claims.settlements import a_settlement

RULEBOOK = load_rulebook()
SCHEME = RULEBOOK.scheme("bj.mutual")
TERMS = RULEBOOK.terms("bj.mutual", date(2024, 1, 1))
MEMBER = UUID(int=7)
KEY = PeriodKey(MEMBER, "bj.mutual", date(2024, 1, 1))
COVER = Coverage("bj.mutual", Days(date(2020, 5, 1)))
CAP = TERMS.benefit_cap.value


def a_case(kind: KindTerms, burden: int, key: PeriodKey = KEY) -> Case:
    return Case(key, TERMS, kind, in_scope=Fen(burden), burden=Fen(burden))


# Most bills are small, some reach the cap alone.
burdens = st.one_of(st.integers(0, 5_000_00), st.integers(0, 300_000_00))
arrivals = st.lists(
    st.builds(a_case, st.sampled_from(TERMS.kinds), burdens),
    max_size=12,
)


def decided(*coverages: Coverage, **changed: str) -> Assessment | Refusal:
    opened = cases(MEMBER, a_settlement("2300.00", **changed), coverages, RULEBOOK)
    return opened if isinstance(opened, Refusal) else assess(opened, {})[0]


def granted(done: list[Assessment]) -> int:
    return sum(assessment.benefit for assessment in done)


def test_a_covered_stay_earns_its_share_above_the_deductible() -> None:
    done = decided(COVER)
    assert isinstance(done, Assessment)
    assert (done.verdict, done.code, done.benefit) == (Verdict.SETTLED, None, 800_00)
    assert (done.key, done.grant_no) == (KEY, 1)
    assert done.totals == Totals({"inpatient": Fen(2300_00)}, Fen(800_00), 1)


@pytest.mark.parametrize(
    ("coverages", "changed", "code"),
    [
        ([], {}, Reason.OUTSIDE_COVERAGE),
        ([Coverage("bj.mutual", Days(date(2024, 3, 10)))], {}, Reason.OUTSIDE_COVERAGE),
        (
            [Coverage("bj.mutual", Days(date(2020, 1, 1), date(2024, 3, 8)))],
            {},
            Reason.OUTSIDE_COVERAGE,
        ),
        ([COVER], {"insutype": "390"}, Reason.NOT_ELIGIBLE),
        (
            [msgspec.structs.replace(COVER, unmet=frozenset({"employer_pays_dues"}))],
            {},
            Reason.NOT_ELIGIBLE,
        ),
        ([COVER], {"med_type": "41"}, Reason.NOT_COVERED_VISIT),
    ],
)
def test_what_no_sum_can_change_is_rejected_and_not_counted(
    coverages: list[Coverage], changed: dict[str, str], code: Reason
) -> None:
    done = decided(*coverages, **changed)
    assert isinstance(done, Assessment)
    assert (done.verdict, done.code, done.benefit) == (Verdict.REJECTED, code, 0)
    assert done.key is done.counted is done.totals is None
    assert done.working[-1].amount_out == 0


def test_the_last_day_of_treatment_decides_about_the_cover() -> None:
    ends = Coverage("bj.mutual", Days(date(2020, 1, 1), date(2024, 3, 9)))
    begins = Coverage("bj.mutual", Days(date(2024, 3, 9)))
    for cover in (ends, begins):
        done = decided(cover)
        assert isinstance(done, Assessment)
        assert done.verdict is Verdict.SETTLED


def test_a_settlement_in_a_gap_between_two_covers_is_outside() -> None:
    before = Coverage("bj.mutual", Days(date(2020, 1, 1), date(2024, 3, 1)))
    after = Coverage("bj.mutual", Days(date(2024, 4, 1)))
    done = decided(before, after)
    assert isinstance(done, Assessment)
    assert done.code is Reason.OUTSIDE_COVERAGE


def test_who_is_admitted_by_no_plan_is_refused() -> None:
    done = decided(COVER, psn_type="12")
    assert isinstance(done, Refusal)
    assert done.code == "NOT_IN_SERVICE"


def test_a_day_without_figures_is_refused_with_their_name() -> None:
    cover = Coverage("bj.mutual", Days(date(2012, 5, 1)))
    done = decided(cover, begndate="2016-03-01", enddate="2016-03-09")
    assert isinstance(done, Refusal)
    assert done.code == "SCHEME_FIGURE_MISSING"
    assert "benefit.kinds.inpatient.med_types" in done.at


def test_a_day_before_the_cover_needs_no_figures() -> None:
    done = decided(COVER, begndate="2011-03-01", enddate="2011-03-09")
    assert isinstance(done, Assessment)
    assert done.code is Reason.OUTSIDE_COVERAGE


def test_a_cover_by_a_scheme_that_nobody_wrote_is_refused() -> None:
    done = decided(Coverage("cq.nothing", Days(date(2020, 1, 1))))
    assert isinstance(done, Refusal)
    assert done.code == "SCHEME_UNKNOWN"


def test_aid_in_other_books_uses_up_the_same_cap() -> None:
    outpatient = TERMS.kind_of["11"]
    case = a_case(outpatient, 3800_00)
    for elsewhere, benefit in ((199_500_00, 500_00), (200_000_00, 0), (300_000_00, 0)):
        totals = {KEY: Totals(granted_elsewhere=Fen(elsewhere))}
        (done,) = assess([case], totals)
        assert (done.benefit, done.code) == (benefit, Reason.CAP_ANNUAL)


def test_funds_that_paid_more_than_the_scope_leave_no_burden() -> None:
    assert a_settlement("-10.00", funds="500.00").self_pay_one == 0


def test_what_never_counted_is_reversed_without_effect() -> None:
    done = without_effect("bj.mutual", Fen(100))
    assert (done.verdict, done.benefit, done.totals) == (Verdict.REVERSED, 0, None)


@given(arrivals)
def test_a_benefit_is_never_above_the_burden_nor_below_nothing(entries: list[Case]) -> None:
    for case, done in zip(entries, assess(entries, {}), strict=True):
        assert 0 <= done.benefit <= case.burden


@given(arrivals)
def test_a_year_is_never_granted_more_than_its_cap(entries: list[Case]) -> None:
    totals: dict[PeriodKey, Totals] = {}
    done = assess(entries, totals)
    assert granted(done) == totals.get(KEY, Totals()).granted <= CAP


@given(arrivals, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(entries: list[Case], chance: random.Random) -> None:
    shuffled = chance.sample(entries, len(entries))
    assert granted(assess(shuffled, {})) == granted(assess(entries, {}))


@given(arrivals, st.integers(1, 5))
def test_other_chunks_change_nothing(entries: list[Case], rows: int) -> None:
    totals: dict[PeriodKey, Totals] = {}
    in_chunks = [
        done
        for start in range(0, len(entries), rows)
        for done in assess(entries[start : start + rows], totals)
    ]
    assert in_chunks == assess(entries, {})


@given(arrivals.filter(bool), st.integers(0, 11))
def test_taking_one_out_again_restores_what_was_owed(entries: list[Case], at: int) -> None:
    place = at % len(entries)
    without_it = entries[:place] + entries[place + 1 :]
    with_it: dict[PeriodKey, Totals] = {}
    done = assess(entries, with_it)
    counted = done[place].counted
    assert counted is not None
    (back,) = assess([Reversal(KEY, TERMS, counted)], with_it)
    assert back.verdict is Verdict.REVERSED
    assert granted(done) + back.benefit == granted(assess(without_it, {}))


@given(arrivals, st.integers(0, 11), st.integers(1, 100_000_00))
def test_a_higher_burden_never_lowers_the_benefit(
    entries: list[Case], place: int, more: int
) -> None:
    raised = [
        msgspec.structs.replace(case, burden=Fen(case.burden + more)) if at == place else case
        for at, case in enumerate(entries)
    ]
    assert granted(assess(raised, {})) >= granted(assess(entries, {}))


@given(arrivals)
def test_what_is_granted_is_what_the_sums_owe(entries: list[Case]) -> None:
    totals: dict[PeriodKey, Totals] = {}
    assess(entries, totals)
    for period in totals.values():
        assert period.granted == owed(TERMS, period)


@given(arrivals)
def test_grants_are_numbered_without_a_gap(entries: list[Case]) -> None:
    done = assess(entries, {})
    numbers = [assessment.grant_no for assessment in done if assessment.benefit]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(a.grant_no is None for a in done if not a.benefit)


@given(arrivals)
def test_the_working_leads_step_by_step_to_the_benefit(entries: list[Case]) -> None:
    totals: dict[PeriodKey, Totals] = {}
    done = assess(entries, totals)
    counted = [assessment.counted for assessment in done if assessment.counted]
    done += assess([Reversal(KEY, TERMS, one) for one in reversed(counted)], totals)
    for assessment in done:
        steps = assessment.working
        assert all(a.amount_out == b.amount_in for a, b in pairwise(steps))
        assert steps[-1].amount_out == assessment.benefit
    assert granted(done) == 0


@given(arrivals)
def test_the_working_survives_its_storage_and_is_told_in_words(entries: list[Case]) -> None:
    for assessment in assess(entries, {}):
        stored = msgspec.json.encode(assessment.working)
        working = msgspec.json.decode(stored, type=tuple[Step, ...])
        assert working == assessment.working
        assert all(line.text and line.source for line in why(working, SCHEME))


def test_another_member_and_another_year_have_sums_of_their_own() -> None:
    others = [
        PeriodKey(UUID(int=8), "bj.mutual", KEY.starts),
        PeriodKey(MEMBER, "bj.mutual", date(2025, 1, 1)),
    ]
    kind = TERMS.kinds[0]
    entries = [a_case(kind, 2300_00, key) for key in (KEY, *others)]
    assert [done.benefit for done in assess(entries, {})] == [800_00] * 3
