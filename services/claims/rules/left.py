"""What is left of a plan for its member: the floor still to reach, the cap, the claims."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from services.claims.model import Coverage, PeriodKey, Totals
from services.claims.rules.begun import Begun
from services.claims.rules.cases import held
from services.common.money import Fen
from services.common.period import Days, term_of
from services.common.schemes.errors import SchemeFigureMissing
from services.common.schemes.rulebook import Rulebook
from services.common.schemes.terms import ExcessTerms, Terms


class FloorLeft(msgspec.Struct, frozen=True):
    """How far a kind of care is from being paid for in the period; amounts in fen."""

    kind: str
    floor: Fen
    burden: Fen
    left: Fen


class Left(msgspec.Struct, frozen=True):
    """One benefit of a member in one period; None where there is no such limit.

    `missing` names the figure that the plan lacks; nothing is paid until it is there.
    """

    scheme_id: str
    benefit: str
    days: Days | None = None
    granted: Fen = Fen(0)
    floors: tuple[FloorLeft, ...] = ()
    cap: Fen | None = None
    cap_left: Fen | None = None
    claims_max: int | None = None
    claims_left: int | None = None
    missing: str = ""


def left(
    member_id: UUID,
    coverages: Sequence[Coverage],
    totals: Mapping[PeriodKey, Totals],
    day: date,
    rulebook: Rulebook,
) -> list[Left]:
    """Tell of each benefit that the member is covered by on the day, in the declared order."""
    covers: dict[str, Days] = {}
    for scheme_id, some in held(coverages, day, rulebook).items():
        for cover in some:
            if cover.days.holds(day):
                # Of several covers at once the first one gives the period, as for a claim.
                first = covers.setdefault(scheme_id, cover.days)
                covers[scheme_id] = min(first, cover.days, key=lambda days: days.starts)
    found: list[Left] = []
    for scheme_id in rulebook.in_order(covers):
        for benefit in rulebook.scheme(scheme_id).benefits:
            placed = _place(scheme_id, benefit, covers[scheme_id], day, rulebook)
            if isinstance(placed, SchemeFigureMissing):
                found.append(Left(scheme_id, benefit, missing=placed.figure))
            else:
                found.append(_of_period(*placed, member_id, totals))
    return found


def _place(
    scheme_id: str, benefit: str, cover: Days, day: date, rulebook: Rulebook
) -> tuple[Terms, Days] | SchemeFigureMissing:
    """Give the terms on the day and the period that holds it."""
    joined = rulebook.joining(scheme_id, benefit, day)
    term = cover if joined.term_years is None else term_of(cover, joined.term_years, day)
    try:
        terms = rulebook.terms(scheme_id, benefit, term.starts if joined.by_term else day)
    except SchemeFigureMissing as missing:
        return missing
    return terms, terms.days or term


def _of_period(
    terms: Terms, days: Days, member_id: UUID, totals: Mapping[PeriodKey, Totals]
) -> Left:
    benefit = terms.benefit
    term = PeriodKey(member_id, terms.scheme_id, days.starts)
    key = Begun(totals).key(term, days.ends, terms)
    mine = totals.get(key, Totals())
    others = (totals.get(key._replace(scheme_id=other)) for other in terms.shared_with)
    elsewhere = sum(sum(other.granted.values()) for other in others if other is not None)
    elsewhere += mine.granted_elsewhere
    granted = Fen(mine.granted.get(benefit, 0))
    most = _claims_max(terms)
    return Left(
        terms.scheme_id,
        benefit,
        days,
        granted,
        _floors(terms, mine),
        None if terms.cap is None else Fen(terms.cap.value),
        None if terms.cap is None else Fen(max(0, terms.cap.value - elsewhere - granted)),
        most,
        None if most is None else max(0, most - mine.paid.get(benefit, 0)),
    )


def _claims_max(terms: Terms) -> int | None:
    if terms.once is not None and terms.once.value == "period":
        return 1
    return None if terms.claims_max is None else terms.claims_max.value


def _floors(terms: Terms, totals: Totals) -> tuple[FloorLeft, ...]:
    if not isinstance(terms.formula, ExcessTerms):
        return ()
    found: list[FloorLeft] = []
    for kind in terms.formula.kinds:
        floor, burden = kind.floor.value, totals.sums.get(kind.kind, Fen(0))
        found.append(FloorLeft(kind.kind, Fen(floor), burden, Fen(max(0, floor - burden))))
    return tuple(found)
