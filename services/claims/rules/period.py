"""What a period owes: a function of its sums, whatever order they grew in."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from services.claims.model import MadeGood, Reason, Step, Totals
from services.common.money import Fen, round_fen, rounded_share, share
from services.common.schemes.terms import ExcessKind, ExcessTerms, Terms

_NOTHING = Fen(0)


class Due(msgspec.Struct, frozen=True, gc=False):
    """What is to be granted now, and how it follows from the sums."""

    benefit: Fen
    steps: tuple[Step, ...]
    reason: Reason | None


class Others(msgspec.Struct, frozen=True, gc=False):
    """What a member's other plans have done, as far as this one has to look at it.

    `aided` is what they paid for the bill at hand, `elsewhere` what they have used up of a cap that
    is shared with them, `bills` how all indemnities stand, where there are several.
    """

    aided: Fen = _NOTHING
    elsewhere: Fen = _NOTHING
    bills: MadeGood | None = None


def due(terms: Terms, kind: str, after: Totals, others: Others) -> Due:
    """Lead from the sums with a claim in them to what is to be granted now."""
    if isinstance(terms.formula, ExcessTerms):
        return _accumulated(terms, terms.formula, kind, after, others)
    whole = after.sums.get(terms.benefit, _NOTHING)
    return _paid_out(terms, whole, after, others, ())


def _accumulated(
    terms: Terms, formula: ExcessTerms, kind: str, after: Totals, others: Others
) -> Due:
    steps: tuple[Step, ...] = ()
    shares: tuple[Step, ...] = ()
    over, earned, other_kinds = _NOTHING, _NOTHING, 0
    for each in formula.kinds:
        burden = after.sums.get(each.kind, _NOTHING)
        if formula.after_other_plans is not None and formula.after_other_plans.value:
            left = Fen(min(burden, max(0, burden - after.aided)))
            ref = formula.after_other_plans.ref
            steps = (Step("after_other_plans", ref, burden, left, (after.aided,)),)
            burden = left
        floor = each.floor.value
        above = Fen(max(0, burden - floor))
        if each.kind == kind:
            over = above
            steps += (Step("floor", each.floor.ref, burden, above, (floor,)),)
            earned = _earned(each, burden)
            shares = _share_steps(each, burden, earned)
        elif above:
            other_kinds += _earned(each, burden)
    whole = Fen(earned + other_kinds)
    below = Due(_NOTHING, steps, Reason.AT_OR_BELOW_DEDUCTIBLE)
    helped = after.aided or others.bills is not None
    if not (over or helped) and whole == after.granted.get(terms.benefit, _NOTHING):
        return below
    if len(formula.kinds) > 1:
        shares += (Step("all_kinds", terms.period.ref, earned, whole, (other_kinds,)),)
    paid_out = _paid_out(terms, whole, after, others, steps + shares)
    return paid_out if over or paid_out.benefit else below


def _earned(kind: ExcessKind, burden: Fen) -> Fen:
    """Give a kind's share of its burden: summed exactly over the bands, rounded once."""
    bands, over = kind.bands.value, burden - kind.floor.value
    if over <= 0:
        return _NOTHING
    if len(bands) == 1:
        return rounded_share(Fen(over), kind.ratios[0])
    parts = zip(bands, _parts(kind, burden), strict=False)
    return round_fen(sum((share(part, band.rate) for band, part in parts), Decimal(0)))


def _parts(kind: ExcessKind, burden: Fen) -> Iterator[Fen]:
    """Cut a burden into what lies in each of the bands that it reaches."""
    lower = kind.floor.value
    for band in kind.bands.value:
        upper = burden if band.to is None else min(burden, int(band.to))
        yield Fen(upper - lower)
        if upper == burden:
            return
        lower = upper


def _share_steps(kind: ExcessKind, burden: Fen, earned: Fen) -> tuple[Step, ...]:
    """Show each band with the sum so far, so that the last step gives what is earned."""
    ref, lower = kind.bands.ref, kind.floor.value
    if len(kind.shown) == 1 or burden <= lower:
        return (Step("share", ref, Fen(max(0, burden - lower)), earned, kind.shown[:1]),)
    exact, steps = Decimal(0), list[Step]()
    for band, shown, part in zip(kind.bands.value, kind.shown, _parts(kind, burden), strict=False):
        exact += share(part, band.rate)
        said = (shown, lower, lower + part, str(exact / 100))
        steps.append(Step("band", ref, part, round_fen(exact), said))
        lower += part
    return tuple(steps)


def _paid_out(
    terms: Terms, whole: Fen, after: Totals, others: Others, steps: tuple[Step, ...]
) -> Due:
    """Cut what the sums earn to the cap and to the member's own cost; take off what was granted."""
    payable, reason, cap = whole, None, terms.cap
    granted = after.granted.get(terms.benefit, _NOTHING)
    if cap is not None:
        room = Fen(max(0, cap.value - others.elsewhere - after.granted_elsewhere))
        payable = Fen(min(whole, room))
        steps += (Step("cap", cap.ref, whole, payable, (cap.value, room, room - payable)),)
        if payable < whole:
            annual = terms.period.value == "calendar_year"
            reason = Reason.CAP_ANNUAL if annual else Reason.CAP_PERIOD
    helped = after.aided or others.bills is not None
    if helped and terms.indemnity:
        for left, said in _left_of_cost(after, granted, others.bills):
            if left < payable:
                steps += (Step("own_cost", "", payable, left, said),)
                payable, reason = left, Reason.CAP_OWN_COST
    benefit = Fen(payable - granted)
    adds_up = isinstance(terms.formula, ExcessTerms)
    # What a bill earned by itself and no cap has touched is paid as it was earned: no more to say.
    if adds_up or (granted and (cap is not None or benefit <= 0)):
        steps += (Step("granted_before", terms.period.ref, payable, benefit, (granted,)),)
    if not benefit and reason is None:
        reason = Reason.NOTHING_TO_ADD
    return Due(benefit, steps, reason)


def _left_of_cost(
    after: Totals, granted: Fen, bills: MadeGood | None
) -> Iterator[tuple[Fen, tuple[Fen, Fen]]]:
    """Give what others leave to a plan of the cost of its own bills, and of all; with the sums."""
    if after.aided:
        yield Fen(max(0, after.cost - after.aided)), (after.cost, after.aided)
    if bills is not None:
        by_others = Fen(bills.granted - granted)
        yield Fen(max(0, bills.cost - by_others)), (bills.cost, by_others)
