"""What a period owes: a function of its sums, whatever order they grew in."""

from decimal import Decimal
from typing import NamedTuple

from services.claims.model import Reason, Step, Totals
from services.common.money import Fen, round_fen, share
from services.common.schemes.terms import ExcessKind, ExcessTerms, Terms

_NOTHING = Fen(0)


class Due(NamedTuple):
    """What is to be granted now, and how it follows from the sums."""

    benefit: Fen
    steps: tuple[Step, ...]
    reason: Reason | None


def due(terms: Terms, kind: str, after: Totals, elsewhere: Fen) -> Due:
    """Lead from the sums with a claim in them to what is to be granted now.

    `elsewhere` is what other plans have used up of a cap that is shared with them.
    """
    if isinstance(terms.formula, ExcessTerms):
        return _accumulated(terms, terms.formula, kind, after, elsewhere)
    whole = after.sums.get(terms.benefit, _NOTHING)
    return _paid_out(terms, whole, after, elsewhere, ())


def owed(terms: Terms, totals: Totals, elsewhere: Fen = _NOTHING) -> Fen:
    """Give what the period owes in all."""
    kind = terms.formula.kinds[0].kind if isinstance(terms.formula, ExcessTerms) else ""
    granted = totals.granted.get(terms.benefit, _NOTHING)
    return Fen(granted + due(terms, kind, totals, elsewhere).benefit)


def _accumulated(
    terms: Terms, formula: ExcessTerms, kind: str, after: Totals, elsewhere: Fen
) -> Due:
    steps: tuple[Step, ...] = ()
    shares: tuple[Step, ...] = ()
    over, earned, others = _NOTHING, _NOTHING, 0
    for each in formula.kinds:
        burden = after.sums.get(each.kind, _NOTHING)
        if formula.after_other_plans is not None and formula.after_other_plans.value:
            left = Fen(max(0, burden - after.aided))
            ref = formula.after_other_plans.ref
            steps = (Step("after_other_plans", ref, burden, left, (after.aided,)),)
            burden = left
        floor = each.floor.value
        above = Fen(max(0, burden - floor))
        if each.kind == kind:
            over = above
            steps += (Step("floor", each.floor.ref, burden, above, (int(floor),)),)
            earned, shares = _shared_out(each, burden)
        elif above:
            others += _shared_out(each, burden)[0]
    whole = Fen(earned + others)
    if not over and whole == after.granted.get(terms.benefit, _NOTHING):
        return Due(_NOTHING, steps, Reason.AT_OR_BELOW_DEDUCTIBLE)
    if len(formula.kinds) > 1:
        shares += (Step("all_kinds", terms.period.ref, earned, whole, (others,)),)
    return _paid_out(terms, whole, after, elsewhere, steps + shares)


def _shared_out(kind: ExcessKind, burden: Fen) -> tuple[Fen, tuple[Step, ...]]:
    """Give a kind's share of its burden in the period: summed exactly over the bands, rounded once.

    The step of each band shows the sum so far.
    """
    rule, lower = kind.bands, kind.floor.value
    if len(rule.value) == 1 or burden <= lower:
        band, over = rule.value[0], Fen(max(0, burden - lower))
        earned = round_fen(share(over, band.rate)) if over else _NOTHING
        return earned, (Step("share", rule.ref, over, earned, (str(band.rate),)),)
    exact, earned = Decimal(0), _NOTHING
    steps: list[Step] = []
    for band in rule.value:
        upper = burden if band.to is None else min(burden, band.to)
        part = Fen(upper - lower)
        exact += share(part, band.rate)
        earned = round_fen(exact)
        said = (str(band.rate), int(lower), int(upper), str(exact / 100))
        steps.append(Step("band", rule.ref, part, earned, said))
        if upper == burden:
            break
        lower = upper
    return earned, tuple(steps)


def _paid_out(
    terms: Terms, whole: Fen, after: Totals, elsewhere: Fen, steps: tuple[Step, ...]
) -> Due:
    """Cut what the sums earn to the cap and to the member's own cost; take off what was granted."""
    payable, reason, cap = whole, None, terms.cap
    granted = after.granted.get(terms.benefit, _NOTHING)
    if cap is not None:
        room = Fen(max(0, cap.value - elsewhere - after.granted_elsewhere))
        payable = Fen(min(whole, room))
        steps += (Step("cap", cap.ref, whole, payable, (int(cap.value), room, room - payable)),)
        if payable < whole:
            annual = terms.period.value == "calendar_year"
            reason = Reason.CAP_ANNUAL if annual else Reason.CAP_PERIOD
    if after.aided and terms.indemnity and isinstance(terms.formula, ExcessTerms):
        left = Fen(max(0, after.cost - after.aided))
        if left < payable:
            said = (after.cost, after.aided)
            steps += (Step("own_cost", "", payable, left, said),)
            payable, reason = left, Reason.CAP_OWN_COST
    benefit = Fen(payable - granted)
    if granted or isinstance(terms.formula, ExcessTerms):
        steps += (Step("granted_before", terms.period.ref, payable, benefit, (granted,)),)
    if not benefit and reason is None:
        reason = Reason.NOTHING_TO_ADD
    return Due(benefit, steps, reason)
