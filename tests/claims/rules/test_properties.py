"""What holds for every plan of every scheme, whatever claims come and in whatever order."""

import random
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.claims.model import Assessment, Brought, Facts, Step, Totals, Verdict
from services.claims.rules.assess import assess
from services.common.money import Fen, round_fen, share
from services.common.schemes.terms import ExcessTerms, GradedTerms, SectionsTerms, Terms
from tests.claims.rules.books import Books, paid, reversal
from tests.claims.rules.plans import ACCUMULATING, PLANS, Plan, amounts, books, histories

Told = tuple[Plan, int, list[Facts]]


def told(plans: Sequence[Plan] = PLANS, at_least: int = 0) -> st.SearchStrategy[Told]:
    """Draw a plan, the shares that its member holds, and claims that it takes."""
    return st.sampled_from(plans).flatmap(
        lambda plan: st.tuples(
            st.just(plan), st.integers(1, 12), histories(plan, at_least=at_least)
        )
    )


def counts(terms: Terms) -> bool:
    return terms.claims_max is not None or terms.once is not None


# Where a plan counts the claims that it pays, the order of their arrival decides which.
COUNTING: Final = [plan for plan in PLANS if counts(plan.terms)]
ORDERLESS: Final = [plan for plan in PLANS if plan not in COUNTING]


class Judged:
    """Claims that one plan has judged: the books after them, and what became of each."""

    def __init__(self, plan: Plan, units: int, history: Sequence[Facts]) -> None:
        self.plan = plan
        self.books = books(plan, units=units)
        self.facts = list(history)
        self.brought = [self._alone(self.books.bring(facts)) for facts in history]
        self.done = [one for (one,) in assess(self.brought, self.books.totals)]

    def _alone(self, brought: Brought) -> Brought:
        """Leave out the other benefits of the scheme."""
        entry = next(e for e in brought.entries if _benefit(e) == self.plan.benefit)
        return Brought((entry,), brought.aided)

    @property
    def terms(self) -> Terms:
        return self.plan.terms

    @property
    def granted(self) -> int:
        return sum(done.benefit for done in self.done)

    def take_back(self, place: int) -> Assessment | None:
        back = assess([reversal(self.brought[place], [self.done[place]])], self.books.totals)
        return back[0][0] if back[0] else None


def _benefit(entry: Any) -> str:  # noqa: ANN401 (a case, a reversal or an assessment)
    return entry.benefit_name if isinstance(entry, Assessment) else entry.terms.benefit


def burden(terms: Terms, facts: Facts) -> int:
    """Give what a bill holds of what the plan makes good."""
    match terms.formula:
        case ExcessTerms(base=base):
            return getattr(facts, base.value)
        case SectionsTerms(sections=sections):
            return sum(getattr(facts, section.of) for section in sections)
        case _:
            raise AssertionError(terms.formula)


def raised(facts: Facts, more: Fen) -> Facts:
    """Give the same bill with more of everything that a formula may be about."""
    names = ("self_pay_one", "co_pay_pooled", "co_pay_large_sum", "self_pay_after_insurance")
    higher = {name: Fen(getattr(facts, name) + more) for name in (*names, "in_scope", "own_cost")}
    return replace(facts, **higher)


@given(told(at_least=1))
def test_a_benefit_is_never_below_nothing_nor_an_indemnity_above_its_burden(claims: Told) -> None:
    judged = Judged(*claims)
    for facts, done in zip(judged.facts, judged.done, strict=True):
        assert done.benefit >= 0
        assert (done.verdict is Verdict.SETTLED) == (done.benefit > 0)
        if judged.terms.indemnity:
            assert done.benefit <= burden(judged.terms, facts)


@given(told(at_least=1), amounts)
def test_a_higher_burden_never_lowers_the_benefit(claims: Told, more: Fen) -> None:
    plan, units, history = claims
    higher = [*history[:-1], raised(history[-1], more)]
    assert Judged(plan, units, higher).done[-1].benefit >= Judged(*claims).done[-1].benefit


@given(told(ORDERLESS, at_least=1), st.integers(0, 7), amounts)
def test_a_higher_burden_of_any_bill_never_lowers_what_is_granted_in_all(
    claims: Told, place: int, more: Fen
) -> None:
    plan, units, history = claims
    at = place % len(history)
    higher = [raised(f, more) if i == at else f for i, f in enumerate(history)]
    assert Judged(plan, units, higher).granted >= Judged(*claims).granted


@given(told())
def test_no_limit_is_ever_exceeded(claims: Told) -> None:
    judged = Judged(*claims)
    terms, by_event = judged.terms, defaultdict[str, int](int)
    for facts, done in zip(judged.facts, judged.done, strict=True):
        by_event[facts.event_id or facts.day.isoformat()] += done.benefit
        if terms.per_claim is not None:
            assert done.benefit <= terms.per_claim.value
        if terms.share_of is not None:
            of, rate = terms.share_of.value.of, terms.share_of.value.rate
            assert done.benefit <= round_fen(share(getattr(facts, of), rate))
    if terms.cap is not None:
        assert judged.granted <= terms.cap.value
    if isinstance(terms.formula, GradedTerms):
        units = min(claims[1], terms.units_max.value)
        most = terms.formula.maximum_per_unit.value * units
        assert all(benefit <= most for benefit in by_event.values())
    settled = [done for done in judged.done if done.benefit]
    if terms.claims_max is not None:
        assert len(settled) <= terms.claims_max.value
    if terms.once is not None and terms.once.value == "period":
        assert len(settled) <= 1
    if terms.once is not None and terms.once.value == "illness":
        assert len(settled) <= len({facts.event_id for facts in judged.facts})


@given(told(ORDERLESS), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(claims: Told, chance: random.Random) -> None:
    plan, units, history = claims
    shuffled = Judged(plan, units, chance.sample(history, len(history)))
    assert shuffled.granted == Judged(*claims).granted


@given(told(ORDERLESS), st.data())
def test_what_is_granted_in_the_end_is_a_function_of_what_was_not_taken_back(
    claims: Told, data: st.DataObject
) -> None:
    plan, units, history = claims
    assume(not isinstance(plan.terms.formula, GradedTerms))
    account, kept, standing = books(plan, units=units), list[Facts](), list[int]()
    brought: dict[int, tuple[Brought, tuple[Assessment, ...]]] = {}
    for number, facts in enumerate(history):
        brought[number] = account.bring(facts), account.claim_all(facts)
        standing.append(number)
        for back in data.draw(st.lists(st.sampled_from(standing), unique=True, max_size=2)):
            account.take_back(*brought[back])
            standing.remove(back)
            if not standing:
                break
    kept = [history[number] for number in standing]
    alone = books(plan, units=units)
    for facts in data.draw(st.permutations(kept)):
        alone.claim_all(facts)
    assert account.granted() == alone.granted()


@given(told(), st.integers(1, 5))
def test_other_chunks_change_nothing(claims: Told, rows: int) -> None:
    judged = Judged(*claims)
    totals: dict[Any, Totals] = {}
    in_chunks = [
        done
        for start in range(0, len(judged.brought), rows)
        for (done,) in assess(judged.brought[start : start + rows], totals)
    ]
    assert in_chunks == judged.done
    assert totals == judged.books.totals


@given(told())
def test_a_second_run_is_equal(claims: Told) -> None:
    first, second = Judged(*claims), Judged(*claims)
    assert first.done == second.done
    assert first.books.totals == second.books.totals


@given(told(), st.randoms(use_true_random=False))
def test_with_everything_taken_back_nothing_is_left(claims: Told, chance: random.Random) -> None:
    judged = Judged(*claims)
    places = chance.sample(range(len(judged.done)), len(judged.done))
    taken = [judged.take_back(place) for place in places]
    assert judged.granted + sum(back.benefit for back in taken if back is not None) == 0
    for totals in judged.books.totals.values():
        sums = (*totals.sums.values(), *totals.granted.values(), *totals.paid.values())
        assert {*sums, totals.cost, totals.aided} == {0}


@given(told(), st.data())
def test_what_is_granted_is_never_below_nothing(claims: Told, data: st.DataObject) -> None:
    judged = Judged(*claims)
    for place in data.draw(st.permutations(range(len(judged.done)))):
        judged.take_back(place)
        for totals in judged.books.totals.values():
            assert all(amount >= 0 for amount in (*totals.granted.values(), *totals.sums.values()))


@given(told())
def test_grants_are_numbered_without_a_gap_and_make_up_what_was_granted(claims: Told) -> None:
    judged = Judged(*claims)
    taken = [judged.take_back(place) for place in range(len(judged.done))]
    booked = [done for done in (*judged.done, *taken) if done is not None and done.benefit]
    assert [done.grant_no for done in booked] == list(range(1, len(booked) + 1))
    for totals in judged.books.totals.values():
        assert totals.grants == len(booked)


@given(told(ACCUMULATING, at_least=1), st.integers(0, 7))
def test_taking_one_out_restores_what_was_owed_without_it(claims: Told, place: int) -> None:
    plan, units, history = claims
    at = place % len(history)
    judged = Judged(*claims)
    back = judged.take_back(at)
    assert back is not None
    without = Judged(plan, units, [*history[:at], *history[at + 1 :]])
    assert judged.granted + back.benefit == without.granted


# Steps that begin with an amount of their own: of the bill, of a day, of a share, of a band.
OPENING: Final = frozenset({"section", "daily", "lump_sum", "supplement", "maximum", "band"})
OF_THE_PERIOD: Final = frozenset({"cap", "own_cost", "granted_before"})


def check_chain(done: Assessment, terms: Terms, before: int) -> None:
    """Each step begins where the one before it ended, and the last one gives the benefit.

    A band begins with its part of the burden. Where bills do not accumulate, the sum that the
    period held before is added once, in front of the first step of the period.
    """
    working = done.working
    assert working[-1].amount_out == done.benefit
    bands = [step.amount_in for step in working if step.step == "band"]
    floors = [step.amount_out for step in working if step.step == "floor"]
    assert not bands or sum(bands) == floors[0]
    for one, following in pairwise(working):
        if following.step in OPENING or one.step == "units_max":
            continue
        enters_period = following.step in OF_THE_PERIOD and one.step not in OF_THE_PERIOD
        added = before if enters_period and not isinstance(terms.formula, ExcessTerms) else 0
        assert one.amount_out + added == following.amount_in, (one, following)


@given(told(at_least=1))
def test_a_working_leads_step_by_step_to_the_benefit(claims: Told) -> None:
    judged = Judged(*claims)
    before = 0
    for done in judged.done:
        if done.counted is not None:
            check_chain(done, judged.terms, before)
            before += done.counted.amount
    for place in range(len(judged.done)):
        back = judged.take_back(place)
        if back is not None:
            check_chain(back, judged.terms, 0)


@given(told())
def test_a_working_survives_its_storage(claims: Told) -> None:
    for done in Judged(*claims).done:
        stored = msgspec.json.encode(done.working)
        assert msgspec.json.decode(stored, type=tuple[Step, ...]) == done.working


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_every_plan_pays_somebody(plan: Plan) -> None:
    """Guards the claims that are made up here: that they do not all fail before the amount."""
    seen: set[Verdict] = set()

    @settings(max_examples=20)
    @given(histories(plan, at_least=1))
    def look(history: list[Facts]) -> None:
        seen.update(done.verdict for done in Judged(plan, 1, history).done)

    look()
    assert Verdict.SETTLED in seen


def test_shares_of_a_fen_are_never_lost_twice() -> None:
    """A thousand bills of one fen above the floor earn what one bill of ten yuan does."""
    plan = next(plan for plan in ACCUMULATING if plan.scheme_id == "bj.mutual")
    terms = plan.terms
    assert isinstance(terms.formula, ExcessTerms)
    first = terms.formula.kinds[0]
    account: Books = books(plan)
    day = Facts(day=plan.since, visit="inpatient", self_pay_one=Fen(int(first.floor.value)))
    fen = replace(day, self_pay_one=Fen(1), own_cost=Fen(1))
    earned = paid([account.claim_all(day), *(account.claim_all(fen) for _ in range(1000))])
    assert earned == round_fen(Decimal(1000) * first.bands.value[0].rate)
