"""Which plans apply to a claim, and what keeps it from each of them."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import msgspec

from services.claims.model import (
    Assessment,
    Brought,
    Case,
    Coverage,
    Facts,
    InPlan,
    PeriodKey,
    Person,
    Reason,
    Refusal,
    RefusalCode,
    Reversal,
    Step,
    Verdict,
)
from services.claims.rules.conditions import Asked, Obstacle, first_broken
from services.common.money import Fen
from services.common.period import term_of
from services.common.schemes.errors import SchemeCannotRun, SchemeFigureMissing
from services.common.schemes.figures import in_force
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Applying, Rulebook
from services.common.schemes.terms import FOR_EVER, Terms

_NOTHING = Fen(0)


def cases(
    member_id: UUID,
    facts: Facts,
    person: Person,
    coverages: Sequence[Coverage],
    rulebook: Rulebook,
    *,
    judged: Collection[tuple[str, str]] = (),
    aided: Fen = _NOTHING,
) -> Brought | Refusal:
    """Bring a claim before each plan of its member, in the declared order of the schemes.

    Plans that have `judged` it before (scheme and benefit) are not asked again; `aided` is what
    they made good of the bill.

    What no sum can change is decided here. A claim is refused only where no plan can judge it: all
    of them lack a figure on that day, or none admits the member's kind of insurance.
    """
    try:
        covers = held(coverages, facts.day, rulebook)
        applying = rulebook.applying(tuple(covers), facts.event, facts.day)
    except SchemeCannotRun as unknown:
        return Refusal(RefusalCode(unknown.code), str(unknown))
    entries: list[Case | Assessment | SchemeFigureMissing] = []
    taken = bool(judged)
    for each in applying:
        if not judged or each[:2] not in judged:
            entry = _entry(member_id, facts, person, covers[each.scheme_id], rulebook, benefit=each)
            entries.append(entry)
            taken = taken or isinstance(entry, Case)
    if taken:
        return Brought(tuple([_in_words(entry, facts) for entry in entries]), aided)
    in_order = rulebook.in_order(covers)
    return _nobody_takes(entries, facts, [rulebook.scheme(scheme_id) for scheme_id in in_order])


def _nobody_takes(
    entries: Sequence[Case | Assessment | SchemeFigureMissing],
    facts: Facts,
    schemes: Sequence[Scheme],
) -> Brought | Refusal:
    """Tell a claim that is rejected from one that nobody can judge."""
    if schemes and not any(_admits_service(scheme, facts) for scheme in schemes):
        return Refusal(RefusalCode.NOT_IN_SERVICE, "psn_type")
    missing = [entry for entry in entries if isinstance(entry, SchemeFigureMissing)]
    if missing and len(missing) == len(entries):
        return Refusal(RefusalCode.SCHEME_FIGURE_MISSING, str(missing[0]))
    if not entries:
        return Brought((_rejected("", "", facts, _outside("", facts.day)),))
    return Brought(tuple(_in_words(entry, facts) for entry in entries))


def reversal(
    member_id: UUID, plan: InPlan, incurred_on: date, rulebook: Rulebook
) -> Reversal | None:
    """Take a claim out of one plan's sums again; None where it never entered them."""
    if plan.starts is None or plan.counted is None:
        return None
    by_term = rulebook.joining(plan.scheme_id, plan.benefit_name, incurred_on).by_term
    # A period for ever tells no first day of a term; what it is worked out by seldom changes.
    day = plan.starts if by_term and plan.starts != FOR_EVER.starts else incurred_on
    terms = rulebook.terms(plan.scheme_id, plan.benefit_name, day)
    return Reversal(PeriodKey(member_id, plan.scheme_id, plan.starts), terms, plan.counted)


def held(coverages: Sequence[Coverage], day: date, rulebook: Rulebook) -> dict[str, list[Coverage]]:
    """Give the covers by scheme; a package covers by each scheme that it includes."""
    covers: dict[str, list[Coverage]] = {}
    for cover in coverages:
        covers.setdefault(cover.scheme_id, []).append(cover)
        for part, figures in rulebook.scheme(cover.scheme_id).includes.items():
            share = in_force(figures, day)
            if share is not None:
                units = cover.units * share.value
                included = Coverage(part, cover.days, units, cover.unmet, cover.renewed)
                covers.setdefault(part, []).append(included)
    return covers


def _on(day: date, covers: Sequence[Coverage]) -> Coverage | None:
    """Give the covers of one plan that hold the day as one.

    Their shares add up; the one that began first gives the term.
    """
    if len(covers) == 1:
        return covers[0] if covers[0].days.holds(day) else None
    holding = [cover for cover in covers if cover.days.holds(day)]
    if not holding:
        return None
    first = min(holding, key=lambda cover: cover.days.starts)
    return msgspec.structs.replace(first, units=sum(cover.units for cover in holding))


def _admits_service(scheme: Scheme, facts: Facts) -> bool:
    figure = in_force(scheme.admission.psn_type, facts.day)
    return figure is None or facts.psn_type is None or facts.psn_type in figure.value


def _entry(
    member_id: UUID,
    facts: Facts,
    person: Person,
    covers: Sequence[Coverage],
    rulebook: Rulebook,
    *,
    benefit: Applying,
) -> Case | Assessment | SchemeFigureMissing:
    """Judge in the field's order: who is covered, on that day, no longer waiting, for this."""
    scheme_id, name, (by_admission, _, years), terms = benefit
    day = (facts.admission or facts.day) if by_admission else facts.day
    cover = _on(day, covers)
    term = cover and (cover.days if years is None else term_of(cover.days, years, day))
    if terms is None:
        figures_of = facts.day if term is None else term.starts
        terms = rulebook.terms_or_lack(scheme_id, name, figures_of)
    if isinstance(terms, SchemeFigureMissing):
        if cover is not None:
            return terms
        return _rejected(scheme_id, name, facts, _outside("", day))
    # Who somebody is can be judged by any cover of theirs.
    nearest = cover or covers[0]
    asked = Asked(facts, person, nearest, term or nearest.days, terms)
    obstacle = (
        first_broken(terms.who, asked)
        or (_outside(terms.cover_day.ref, day) if cover is None else _waits(cover, terms, day))
        or (first_broken(terms.what, asked) if terms.what else None)
    )
    if obstacle is not None:
        return _rejected(scheme_id, name, facts, obstacle)
    assert cover is not None, "without a cover there is an obstacle"
    assert term is not None, "and with one there is a term"
    days = terms.days or term
    key = PeriodKey(member_id, scheme_id, days.starts)
    return Case(key, days.ends, terms, facts, cover.units)


def _waits(cover: Coverage, terms: Terms, day: date) -> Obstacle | None:
    """Find whether the day is one of those that a newcomer waits."""
    waiting = terms.waiting_days.value
    if waiting and not cover.renewed and (day - cover.days.starts).days < waiting:
        found = (str(waiting), cover.days.starts.isoformat())
        return Obstacle(Reason.WAITING_PERIOD, "waiting", terms.waiting_days.ref, found)
    return None


def _outside(figure: str, day: date) -> Obstacle:
    return Obstacle(Reason.OUTSIDE_COVERAGE, "coverage", figure, (day.isoformat(),))


def _in_words(entry: Case | Assessment | SchemeFigureMissing, facts: Facts) -> Case | Assessment:
    """Reject what lacks a figure; other plans of the member are not held up by it."""
    if not isinstance(entry, SchemeFigureMissing):
        return entry
    lack = Obstacle(Reason.SCHEME_FIGURE_MISSING, "cannot_run", "", (entry.figure,))
    return _rejected(entry.scheme_id, "", facts, lack)


def _rejected(scheme_id: str, benefit: str, facts: Facts, obstacle: Obstacle) -> Assessment:
    step = Step(obstacle.step, obstacle.figure, facts.self_pay_one, _NOTHING, obstacle.found)
    return Assessment(scheme_id, benefit, Verdict.REJECTED, _NOTHING, (step,), code=obstacle.reason)
