"""The one path of every claim: a single one, a feed of millions, a trial run."""

from collections.abc import Iterable, Mapping, MutableMapping
from datetime import timedelta
from typing import Literal

from services.claims.model import (
    Assessment,
    Brought,
    Case,
    Counted,
    Facts,
    MadeGood,
    PeriodKey,
    Reason,
    Reversal,
    Step,
    Totals,
    Verdict,
)
from services.claims.rules.formulas import Earned, earned
from services.claims.rules.period import Others, due
from services.common.money import Fen
from services.common.schemes.terms import ExcessTerms, GradedTerms, Terms

_NOTHING = Fen(0)
_NEW_PERIOD = Totals()
_NO_OTHERS = Others()


def assess(
    claims: Iterable[Brought], totals: MutableMapping[PeriodKey, Totals]
) -> list[tuple[Assessment, ...]]:
    """Work the claims out in their order, each under its plans in theirs.

    `totals` is read and carried forward in place. Gives for each claim one assessment per entry.
    """
    return [assessed(claim, totals) for claim in claims]


def without_effect(burden: Fen) -> Assessment:
    """Reverse what never counted: it was rejected, or its refund was here before it."""
    step = Step("never_counted", "", burden, _NOTHING)
    return Assessment("", "", Verdict.REVERSED, _NOTHING, (step,))


def assessed(claim: Brought, totals: MutableMapping[PeriodKey, Totals]) -> tuple[Assessment, ...]:
    """Work one claim out under its plans, in their order; `totals` is carried forward in place."""
    aided, bills = claim.aided, claim.bills
    found: list[Assessment] = []
    for number, entry in enumerate(claim.entries, 1):
        if isinstance(entry, Assessment):
            found.append(entry)
            continue
        key, terms = entry.key, entry.terms
        before = totals.get(key, _NEW_PERIOD)
        others = _NO_OTHERS
        if aided or bills is not None or terms.shared_with:
            left = bills and _without(bills, claim.entries[number:], totals)
            others = Others(aided, _elsewhere(terms, key, totals), left)
        done = (
            _add(entry, before, others)
            if isinstance(entry, Case)
            else _take_back(entry, before, others)
        )
        if done.totals is not None:
            totals[key] = done.totals
        if terms.indemnity:
            aided = Fen(aided + done.benefit)
            bills = bills and MadeGood(bills.cost, Fen(bills.granted + done.benefit))
        found.append(done)
    return tuple(found)


def _without(
    bills: MadeGood,
    later: Iterable[Case | Reversal | Assessment],
    totals: Mapping[PeriodKey, Totals],
) -> MadeGood:
    """Leave out what plans hold that are asked next: they give way to those before them."""
    held = 0
    for entry in later:
        if not isinstance(entry, Assessment) and entry.terms.indemnity:
            before = totals.get(entry.key, _NEW_PERIOD)
            if _gives_way(entry, before):
                held += before.granted.get(entry.terms.benefit, _NOTHING)
    return MadeGood(bills.cost, Fen(bills.granted - held))


def _gives_way(entry: Case | Reversal, before: Totals) -> bool:
    """Say whether a plan looks again at all that it has granted: one paid by the bill does not."""
    if isinstance(entry, Reversal):
        return True
    return isinstance(entry.terms.formula, ExcessTerms) and _came(entry, before).amount > 0


def _elsewhere(terms: Terms, key: PeriodKey, totals: Mapping[PeriodKey, Totals]) -> Fen:
    """Sum what the plans that share this one's cap have granted in the same period."""
    others = (totals.get(key._replace(scheme_id=other)) for other in terms.shared_with)
    return Fen(sum(sum(other.granted.values()) for other in others if other is not None))


def _add(case: Case, before: Totals, others: Others) -> Assessment:
    terms, facts = case.terms, case.facts
    came = _came(case, before)
    if terms.indemnity and not isinstance(terms.formula, ExcessTerms):
        came = _within_cost(came, facts, others)
    if came.reason is not None and not came.amount:
        return _rejected(case, came)
    after = Totals(
        _with(before.sums, terms, came, came.amount),
        before.granted,
        before.paid,
        before.grants,
        Fen(before.cost + facts.own_cost),
        Fen(before.aided + others.aided),
        before.granted_elsewhere,
    )
    owing = due(terms, came.kind, after, others)
    benefit = owing.benefit
    counts = benefit > 0 and _counting(terms)
    return Assessment(
        terms.scheme_id,
        terms.benefit,
        Verdict.SETTLED if benefit else Verdict.REJECTED,
        benefit,
        came.steps + owing.steps,
        code=owing.reason or came.reason,
        payee=_payee(case) if facts.event == "death" else "member",
        key=case.key,
        counted=Counted(came.kind, came.amount, facts.own_cost, counts, came.event_id),
        grant_no=before.grants + 1 if benefit else None,
        totals=_granted(after, terms, benefit, came.event_id, int(counts)),
    )


def _take_back(reversal: Reversal, before: Totals, others: Others) -> Assessment:
    terms, counted = reversal.terms, reversal.counted
    came = Earned(counted.kind, counted.amount, (), None, counted.event_id)
    sums = _with(before.sums, terms, came, Fen(-counted.amount))
    earlier, total = before.sums.get(counted.kind, _NOTHING), sums[counted.kind]
    assert total >= 0, "a claim leaves the sums once, and only after it entered them"
    after = Totals(
        sums,
        before.granted,
        before.paid,
        before.grants,
        Fen(before.cost - counted.cost),
        # Without a bill nothing is left that others could have paid for.
        Fen(before.aided + others.aided) if any(sums.values()) else _NOTHING,
        before.granted_elsewhere,
    )
    owing = due(terms, counted.kind, after, others)
    opening = Step("taken_back", terms.period.ref, counted.amount, total, (counted.kind, earlier))
    return Assessment(
        terms.scheme_id,
        terms.benefit,
        Verdict.REVERSED,
        owing.benefit,
        (opening, *owing.steps),
        key=reversal.key,
        grant_no=before.grants + 1 if owing.benefit else None,
        totals=_granted(after, terms, owing.benefit, counted.event_id, -int(counted.paid)),
    )


def _rejected(case: Case, came: Earned) -> Assessment:
    terms = case.terms
    return Assessment(
        terms.scheme_id,
        terms.benefit,
        Verdict.REJECTED,
        _NOTHING,
        came.steps,
        code=came.reason,
        payee=_payee(case),
    )


def _came(case: Case, before: Totals) -> Earned:
    terms = case.terms
    if terms.claims_max is not None or terms.once is not None:
        often = _too_often(case, before)
        if often is not None:
            return often
    late = None if terms.window is None else _too_late(case)
    return earned(case, before) if late is None else late


def _within_cost(came: Earned, facts: Facts, others: Others) -> Earned:
    """Cut what one bill earns to what earlier plans have left of its cost, and of all bills'.

    Where burdens add up the whole period's cost is looked at instead.
    """
    left, said = came.amount, (_NOTHING, _NOTHING)
    if others.aided and facts.own_cost - others.aided < left:
        left, said = facts.own_cost - others.aided, (facts.own_cost, others.aided)
    if others.bills is not None and others.bills.cost - others.bills.granted < left:
        left, said = others.bills.cost - others.bills.granted, others.bills
    if left == came.amount:
        return came
    left = Fen(max(0, left))
    step = Step("own_cost", "", came.amount, left, tuple(said))
    return Earned(came.kind, left, (*came.steps, step), Reason.CAP_OWN_COST, came.event_id)


def _too_often(case: Case, before: Totals) -> Earned | None:
    """Look at the claims that were paid before: of the period, or for the same illness."""
    terms = case.terms
    if terms.once is not None and terms.once.value == "illness" and not case.facts.event_id:
        step = Step("once", terms.once.ref, _NOTHING, _NOTHING, ("event_id",))
        return Earned("", _NOTHING, (step,), Reason.FACT_MISSING)
    paid = before.paid.get(_paid_as(terms, case.facts.event_id), 0)
    if terms.once is not None and paid:
        step = Step("once", terms.once.ref, _NOTHING, _NOTHING)
        return Earned("", _NOTHING, (step,), Reason.ALREADY_PAID)
    if terms.claims_max is not None and paid >= terms.claims_max.value:
        said = (str(terms.claims_max.value), str(paid))
        step = Step("claims_max", terms.claims_max.ref, _NOTHING, _NOTHING, said)
        return Earned("", _NOTHING, (step,), Reason.FREQ_LIMIT)
    return None


def _too_late(case: Case) -> Earned | None:
    window, claimed_on = case.terms.window, case.facts.claimed_on
    if window is None or claimed_on is None:
        return None
    counted_from = case.ends if window.value.after == "period_end" else case.facts.day
    if counted_from is None or claimed_on <= counted_from + timedelta(days=window.value.days):
        return None
    last = counted_from + timedelta(days=window.value.days)
    said = (claimed_on.isoformat(), last.isoformat())
    step = Step("window", window.ref, _NOTHING, _NOTHING, said)
    return Earned("", _NOTHING, (step,), Reason.LATE_CLAIM)


def _payee(case: Case) -> Literal["member", "family"]:
    rule = case.terms.death_payee
    dead = case.facts.event == "death" and rule is not None and rule.value == "family"
    return "family" if dead else "member"


def _counting(terms: Terms) -> bool:
    return terms.claims_max is not None or terms.once is not None


def _paid_as(terms: Terms, event_id: str) -> str:
    """Name what is counted: the benefit's claims, or those for one illness of one person."""
    by_illness = terms.once is not None and terms.once.value == "illness"
    return f"{terms.benefit}:{event_id}" if by_illness else terms.benefit


def _with(sums: Mapping[str, Fen], terms: Terms, came: Earned, amount: Fen) -> Mapping[str, Fen]:
    """Put an amount into its sum, and into that of its accident where the maximum is shared."""
    changed = {**sums, came.kind: Fen(sums.get(came.kind, _NOTHING) + amount)}
    if isinstance(terms.formula, GradedTerms):
        accident = f"{came.kind}:{came.event_id}"
        changed[accident] = Fen(sums.get(accident, _NOTHING) + amount)
    return changed


def _granted(after: Totals, terms: Terms, benefit: Fen, event_id: str, claims: int) -> Totals:
    if not benefit and not claims:
        return after
    granted, paid = Fen(after.granted.get(terms.benefit, _NOTHING) + benefit), after.paid
    if claims:
        paid_as = _paid_as(terms, event_id)
        paid = {**paid, paid_as: paid.get(paid_as, 0) + claims}
    return Totals(
        after.sums,
        {**after.granted, terms.benefit: granted},
        paid,
        after.grants + 1 if benefit else after.grants,
        after.cost,
        after.aided,
        after.granted_elsewhere,
    )
