"""How a benefit is worked out. Pure: same input, same fen, for ever."""

from collections.abc import Iterable, MutableMapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from services.claims.model import (
    Assessment,
    Case,
    Counted,
    Coverage,
    PeriodKey,
    Reason,
    Refusal,
    RefusalCode,
    Reversal,
    Settlement,
    Step,
    Totals,
    Verdict,
)
from services.common.money import Fen, round_fen, share
from services.common.schemes.model import (
    Figure,
    KindTerms,
    Rulebook,
    Scheme,
    SchemeCannotRun,
    Terms,
    in_force,
)

_NOTHING = Fen(0)
_NEW_PERIOD = Totals()


def cases(
    member_id: UUID, settlement: Settlement, coverages: Sequence[Coverage], rulebook: Rulebook
) -> tuple[Case | Assessment, ...] | Refusal:
    """Bring a settlement before each plan of its member; what no sum can change is decided here."""
    try:
        schemes = [rulebook.scheme(scheme_id) for scheme_id in {c.scheme_id: c for c in coverages}]
        if not schemes:
            return (_rejected(settlement, Reason.OUTSIDE_COVERAGE, "coverage"),)
        if not any(_admits_service(scheme, settlement) for scheme in schemes):
            return Refusal(RefusalCode.NOT_IN_SERVICE, "psn_type")
        return tuple(
            _obstacle(settlement, scheme, coverages)
            or _case(member_id, settlement, scheme, rulebook)
            for scheme in schemes
        )
    except SchemeCannotRun as missing:
        return Refusal(RefusalCode(missing.code), str(missing))


def assess(
    entries: Iterable[Case | Reversal | Assessment], totals: MutableMapping[PeriodKey, Totals]
) -> list[Assessment]:
    """Work out the entries in their order; `totals` is read and carried forward in place."""
    assessed: list[Assessment] = []
    for entry in entries:
        if isinstance(entry, Assessment):
            assessed.append(entry)
            continue
        before = totals.get(entry.key, _NEW_PERIOD)
        done = _add(entry, before) if isinstance(entry, Case) else _take_back(entry, before)
        totals[entry.key] = done.totals or before
        assessed.append(done)
    return assessed


def without_effect(scheme_id: str, burden: Fen) -> Assessment:
    """Reverse what never counted: it was rejected, or its refund was here before it."""
    step = Step("never_counted", "", "", burden, _NOTHING)
    return Assessment(scheme_id, Verdict.REVERSED, _NOTHING, (step,))


def owed(terms: Terms, totals: Totals) -> Fen:
    """Give what the period owes: it follows from the sums, whatever order they grew in."""
    return Fen(min(_room(terms, totals), sum(_share(kind, totals) for kind in terms.kinds)))


def _room(terms: Terms, totals: Totals) -> Fen:
    return Fen(max(0, terms.benefit_cap.value - totals.granted_elsewhere))


def _share(kind: KindTerms, totals: Totals) -> Fen:
    """Round once, for all that the kind's burden in the period comes to."""
    over = _over(kind, totals)
    return round_fen(share(over, kind.ratio.value)) if over else _NOTHING


def _over(kind: KindTerms, totals: Totals) -> Fen:
    return Fen(max(0, totals.burdens.get(kind.kind, 0) - kind.deductible.value))


def _admits_service(scheme: Scheme, settlement: Settlement) -> bool:
    figure = in_force(scheme.admission.psn_type, settlement.enddate)
    return figure is None or settlement.psn_type in figure.value


def _obstacle(
    settlement: Settlement, scheme: Scheme, coverages: Sequence[Coverage]
) -> Assessment | None:
    """Find what keeps the settlement from the plan: eligibility first, then the days of cover."""
    day, admission = settlement.enddate, scheme.admission
    rejected = partial(_rejected, settlement, scheme=scheme)
    for name, figures, shown in (
        ("psn_type", admission.psn_type, settlement.psn_type),
        ("insutype", admission.insutype, settlement.insutype),
    ):
        figure = in_force(figures, day)
        if figure is not None and shown not in figure.value:
            return rejected(Reason.NOT_ELIGIBLE, "admission", figure=figure, facts=(name, shown))
    standing = in_force(admission.standing, day)
    held = (c for c in coverages if c.scheme_id == scheme.scheme_id and c.days.holds(day))
    cover = next(held, None)
    if cover is None:
        return rejected(Reason.OUTSIDE_COVERAGE, "coverage", figure=standing)
    broken = standing is not None and sorted(cover.unmet.intersection(standing.value))
    if broken:
        facts = ("standing", " ".join(broken))
        return rejected(Reason.NOT_ELIGIBLE, "admission", figure=standing, facts=facts)
    return None


def _case(
    member_id: UUID, settlement: Settlement, scheme: Scheme, rulebook: Rulebook
) -> Case | Assessment:
    terms = rulebook.terms(scheme.scheme_id, settlement.enddate)
    kind = terms.kind_of.get(settlement.med_type)
    if kind is None:
        visits, facts = terms.kinds[0].med_types, (settlement.med_type,)
        return _rejected(
            settlement, Reason.NOT_COVERED_VISIT, "visit", scheme=scheme, figure=visits, facts=facts
        )
    key = PeriodKey(member_id, scheme.scheme_id, terms.days.starts)
    return Case(key, terms, kind, settlement.inscp_scp_amt, settlement.self_pay_one)


def _rejected(
    settlement: Settlement,
    reason: Reason,
    step: str,
    *,
    scheme: Scheme | None = None,
    figure: Figure[tuple[str, ...]] | None = None,
    facts: tuple[str, ...] = (),
) -> Assessment:
    clause, source = ("", "") if figure is None else (figure.clause, figure.source)
    shown = facts or (settlement.enddate.isoformat(),)
    line = Step(step, clause, source, settlement.self_pay_one, _NOTHING, shown)
    scheme_id = "" if scheme is None else scheme.scheme_id
    return Assessment(scheme_id, Verdict.REJECTED, _NOTHING, (line,), code=reason)


def _add(case: Case, before: Totals) -> Assessment:
    terms, kind, burden = case.terms, case.kind.kind, case.burden
    earlier = before.burdens.get(kind, _NOTHING)
    total = Fen(earlier + burden)
    opening = (
        _step("self_pay_one", terms.base, case.in_scope, burden, Fen(case.in_scope - burden)),
        _step("period_total", terms.period, burden, total, kind, earlier),
    )
    after = _with_burden(before, kind, total)
    due = _due(terms, case.kind, after)
    benefit, reason = due.benefit, _reason(due)
    steps = due.steps[:1] if reason is Reason.AT_OR_BELOW_DEDUCTIBLE else due.steps
    return Assessment(
        terms.scheme_id,
        Verdict.SETTLED if benefit else Verdict.REJECTED,
        benefit,
        (*opening, *steps),
        code=reason,
        key=case.key,
        counted=Counted(kind, burden),
        grant_no=before.grants + 1 if benefit else None,
        totals=_with_grant(after, benefit),
    )


def _take_back(reversal: Reversal, before: Totals) -> Assessment:
    terms, counted = reversal.terms, reversal.counted
    earlier = before.burdens.get(counted.kind, _NOTHING)
    total = Fen(earlier - counted.burden)
    assert total >= 0, "a settlement leaves the sums once, and only after it entered them"
    kind = next(kind for kind in terms.kinds if kind.kind == counted.kind)
    after = _with_burden(before, counted.kind, total)
    due = _due(terms, kind, after)
    opening = _step("taken_back", terms.period, counted.burden, total, counted.kind, earlier)
    return Assessment(
        terms.scheme_id,
        Verdict.REVERSED,
        due.benefit,
        (opening, *due.steps),
        key=reversal.key,
        grant_no=before.grants + 1 if due.benefit else None,
        totals=_with_grant(after, due.benefit),
    )


class _Due(NamedTuple):
    steps: tuple[Step, ...]
    over: Fen
    limited: bool
    benefit: Fen


def _due(terms: Terms, kind: KindTerms, after: Totals) -> _Due:
    """Lead from the kind's burden in the period to what is to be granted now, step by step."""
    over, earned, room = _over(kind, after), _share(kind, after), _room(terms, after)
    other_kinds = sum(_share(other, after) for other in terms.kinds if other is not kind)
    whole = Fen(earned + other_kinds)
    payable = Fen(min(whole, room))
    benefit = Fen(payable - after.granted)
    deductible, ratio, cap = kind.deductible, kind.ratio, terms.benefit_cap
    steps = (
        _step("deductible", deductible, after.burdens[kind.kind], over, int(deductible.value)),
        _step("share", ratio, over, earned, str(ratio.value)),
        _step("all_kinds", cap, earned, whole, other_kinds),
        _step("cap", cap, whole, payable, int(cap.value), room, room - payable),
        _step("granted_before", terms.period, payable, benefit, after.granted),
    )
    return _Due(steps, over, whole > room, benefit)


def _reason(due: _Due) -> Reason | None:
    if due.benefit == 0 and due.over == 0:
        return Reason.AT_OR_BELOW_DEDUCTIBLE
    if due.limited:
        return Reason.CAP_ANNUAL
    return None if due.benefit else Reason.NOTHING_TO_ADD


def _step(
    step: str, figure: Figure[Any], amount_in: Fen, amount_out: Fen, *facts: int | str
) -> Step:
    return Step(step, figure.clause, figure.source, amount_in, amount_out, facts)


def _with_burden(totals: Totals, kind: str, total: Fen) -> Totals:
    burdens = {**totals.burdens, kind: total}
    return Totals(burdens, totals.granted, totals.grants, totals.granted_elsewhere)


def _with_grant(totals: Totals, benefit: Fen) -> Totals:
    if not benefit:
        return totals
    granted = Fen(totals.granted + benefit)
    return Totals(totals.burdens, granted, totals.grants + 1, totals.granted_elsewhere)
