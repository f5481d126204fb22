"""What one claim earns by its formula, before anything that its period remembers."""

from decimal import Decimal
from typing import NamedTuple

import msgspec

from services.claims.model import Case, Facts, Reason, Step, Totals
from services.common.money import Fen, round_fen, share
from services.common.schemes.figures import Rule
from services.common.schemes.model import ShareCap
from services.common.schemes.terms import (
    DailyTerms,
    ExcessKind,
    ExcessTerms,
    GradedTerms,
    LumpSumTerms,
    SectionsTerms,
    Terms,
)

_NOTHING = Fen(0)


class Earned(msgspec.Struct, frozen=True, gc=False):
    """What a claim puts into its period's sums: under `kind`, with the steps that led to it.

    For a formula that accumulates it is the burden, for the others what is earned. A reason with
    an amount says what cut it, a reason without one why nothing is earned.
    """

    kind: str
    amount: Fen
    steps: tuple[Step, ...]
    reason: Reason | None = None
    event_id: str = ""


def earned(case: Case, before: Totals) -> Earned:
    """Work out one claim; `before` tells what the same accident has used up."""
    terms, formula = case.terms, case.terms.formula
    match formula:
        case ExcessTerms():
            return _burden(case, formula, before)
        case SectionsTerms():
            return _limited(terms, case.facts, _sections(formula, case.facts))
        case DailyTerms():
            return _limited(terms, case.facts, _daily(formula, case.facts))
        case LumpSumTerms():
            return _limited(terms, case.facts, _lump_sum(formula, case))
        case GradedTerms():
            return _graded(formula, case, before)


def _burden(case: Case, formula: ExcessTerms, before: Totals) -> Earned:
    facts = case.facts
    kind = formula.kinds[0] if formula.kind_of is None else formula.kind_of.get(facts.visit)
    if kind is None:
        return _not_covered_visit(formula.kinds[0], facts)
    burden = Fen(getattr(facts, formula.base.value))
    earlier = before.sums.get(kind.kind, _NOTHING)
    outside = Fen(facts.in_scope - burden)
    opening = (
        Step(formula.base.value, formula.base.ref, facts.in_scope, burden, (outside,))
        if facts.in_scope
        else Step("burden", formula.base.ref, burden, burden)
    )
    total = Step(
        "period_total", case.terms.period.ref, burden, Fen(earlier + burden), (kind.kind, earlier)
    )
    return Earned(kind.kind, burden, (opening, total))


def _not_covered_visit(kind: ExcessKind, facts: Facts) -> Earned:
    ref = kind.visits.ref if kind.visits else ""
    step = Step("visits", ref, facts.self_pay_one, _NOTHING, (facts.visit,))
    return Earned("", _NOTHING, (step,), Reason.NOT_COVERED_VISIT)


class _Exact(NamedTuple):
    """An amount with its fraction, and how it came about."""

    amount: Decimal
    steps: tuple[Step, ...]
    reason: Reason | None = None


def _sections(formula: SectionsTerms, facts: Facts) -> _Exact:
    """Sum exactly; each step shows the sum so far, so that the last one is the amount."""
    exact, base = Decimal(0), 0
    steps: list[Step] = []
    for part in formula.sections:
        amount = Fen(getattr(facts, part.of))
        base += amount
        exact += share(amount, part.rate.value)
        said = (part.section, str(part.rate.value), str(exact / 100))
        steps.append(Step("section", part.rate.ref, amount, round_fen(exact), said))
    return _Exact(exact, tuple(steps), None if base else Reason.AT_OR_BELOW_DEDUCTIBLE)


def _daily(formula: DailyTerms, facts: Facts) -> _Exact:
    rate = formula.per_day.get(facts.cause)
    if rate is None:
        step = Step("causes", "", _NOTHING, _NOTHING, (facts.cause,))
        return _Exact(Decimal(0), (step,), Reason.NOT_COVERED_CAUSE)
    if facts.admission is None:
        step = Step("stay_days_min", rate.ref, _NOTHING, _NOTHING, ("admission",))
        return _Exact(Decimal(0), (step,), Reason.FACT_MISSING)
    days = (facts.day - facts.admission).days
    counted = days or formula.same_day.value
    ref = rate.ref if days else formula.same_day.ref
    amount = Fen(rate.value * counted)
    step = Step("daily", ref, Fen(rate.value), amount, (str(counted), facts.cause))
    return _Exact(Decimal(amount), (step,), None if amount else Reason.STAY_TOO_SHORT)


def _lump_sum(formula: LumpSumTerms, case: Case) -> _Exact:
    units, clamped, steps = _units(case)
    each = formula.per_unit
    amount = Fen(each.value * units)
    steps += (Step("lump_sum", each.ref, Fen(each.value), amount, (str(units),)),)
    supplement = formula.supplement
    if supplement is not None:
        more = supplement.value
        shown = Fen(getattr(case.facts, more.of))
        added = int(more.amount) if shown > more.above else 0
        said = (int(more.above), added)
        steps += (Step("supplement", supplement.ref, shown, Fen(amount + added), said),)
        amount = Fen(amount + added)
    return _Exact(Decimal(amount), steps, clamped)


def _units(case: Case) -> tuple[int, Reason | None, tuple[Step, ...]]:
    """Give the shares that count: those above the maximum do not."""
    most = case.terms.units_max
    if case.units <= most.value:
        return case.units, None, ()
    said = (str(case.units), str(most.value))
    step = Step("units_max", most.ref, _NOTHING, _NOTHING, said)
    return most.value, Reason.SHARES_CLAMPED, (step,)


def _graded(formula: GradedTerms, case: Case, before: Totals) -> Earned:
    """Give a part of the maximum, and no more than the accident has left of it."""
    facts, terms = case.facts, case.terms
    units, clamped, steps = _units(case)
    in_hospital = formula.in_hospital_maximum_per_unit
    each = in_hospital if facts.in_hospital and in_hospital else formula.maximum_per_unit
    maximum = Fen(each.value * units)
    rate = _part(formula, facts)
    if rate is None:
        step = Step("grade", formula.grades.ref, maximum, _NOTHING, ("grade",))
        return Earned(terms.benefit, _NOTHING, (step,), Reason.FACT_MISSING)
    exact = share(maximum, rate.value)
    amount = round_fen(exact)
    said = (str(facts.grade or ""), str(rate.value))
    steps += (
        Step("maximum", each.ref, Fen(each.value), maximum, (str(units),)),
        Step(facts.event, rate.ref, maximum, amount, said),
    )
    event_id = facts.event_id or facts.day.isoformat()
    used = before.sums.get(f"{terms.benefit}:{event_id}", _NOTHING)
    left = Fen(max(0, maximum - used))
    if used:
        one = formula.one_accident.ref
        steps += (Step("one_accident", one, amount, Fen(min(amount, left)), (used, left)),)
    if amount > left:
        return Earned(terms.benefit, left, steps, Reason.CAP_PER_EVENT, event_id)
    done = _limited(terms, facts, _Exact(Decimal(amount), steps, clamped))
    return msgspec.structs.replace(done, event_id=event_id)


def _part(formula: GradedTerms, facts: Facts) -> Rule[Decimal] | None:
    if facts.event == "death":
        return formula.death
    if facts.grade is None or not 1 <= facts.grade <= len(formula.grades.value):
        return None
    return Rule(formula.grades.value[facts.grade - 1], formula.grades.ref)


def _limited(terms: Terms, facts: Facts, exact: _Exact) -> Earned:
    """Cut to what one claim may get at most, then round once."""
    amount, steps, reason = exact
    if amount and terms.share_of is not None:
        amount, step, cut = _share_of(terms.share_of, facts, amount)
        steps, reason = (*steps, step), Reason.CAP_POOLED_20PCT if cut else reason
    fen = round_fen(amount)
    if terms.per_claim is not None and fen:
        most = Fen(terms.per_claim.value)
        cut = fen > most
        step = Step("per_claim", terms.per_claim.ref, fen, Fen(min(fen, most)), (most,))
        fen, steps, reason = (
            step.amount_out,
            (*steps, step),
            Reason.CAP_PER_CLAIM if cut else reason,
        )
    return Earned(terms.benefit, fen, steps, reason, facts.event_id)


def _share_of(rule: Rule[ShareCap], facts: Facts, amount: Decimal) -> tuple[Decimal, Step, bool]:
    cap = rule.value
    base = Fen(getattr(facts, cap.of))
    most = share(base, cap.rate)
    least = min(amount, most)
    said = (base, str(cap.rate))
    step = Step("share_of", rule.ref, round_fen(amount), round_fen(least), said)
    return least, step, round_fen(least) < round_fen(amount)
