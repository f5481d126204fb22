"""What is tried: the figures of a draft, in a rulebook of the schemes that they can change."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TypeVar, cast

import msgspec

from services.claims.model import Coverage, InPlan
from services.common.period import Days
from services.common.schemes.figures import Figure, in_force
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook
from services.common.schemes.terms import FOR_EVER

T = TypeVar("T")


class Trial:
    """A draft among the schemes in force.

    With `as_of` every claim is judged by the draft's figures of that day, whatever its own day is.
    """

    def __init__(self, draft: Scheme, in_force: Rulebook, as_of: date | None = None) -> None:
        # A draft of a package changes what is held of the schemes that are in it, or were.
        held = {*draft.includes, *in_force.scheme(draft.scheme_id).includes}
        parts = {part: in_force.scheme(part) for part in sorted(held)}
        self.schemes = frozenset({draft.scheme_id, *parts})
        judged = draft if as_of is None else at_all_times(draft, as_of)
        packages = [
            _package(scheme, self.schemes)
            for scheme in in_force
            if scheme.scheme_id not in self.schemes and self.schemes.intersection(scheme.includes)
        ]
        self.rulebook = Rulebook([judged, *parts.values(), *packages])
        self._known = frozenset(scheme.scheme_id for scheme in self.rulebook)
        sharing = {
            other
            for scheme in self.rulebook
            for benefit in scheme.benefits.values()
            for other in benefit.limits.shared_with
        }
        # Their grants use up a cap that is shared with what is tried.
        self.sharing = frozenset(sharing - self.schemes)
        self._indemnities = {
            (scheme.scheme_id, name)
            for scheme in in_force
            for name, benefit in scheme.benefits.items()
            if benefit.aid == "indemnity"
        }
        self._in_force = in_force
        self._order = {scheme.scheme_id: rank for rank, scheme in enumerate(in_force)}
        self._rank = min(self._order.get(scheme_id, 0) for scheme_id in self.schemes)

    def covers(self, coverages: Sequence[Coverage]) -> list[Coverage]:
        """Choose the covers by which what is tried can be held."""
        return [cover for cover in coverages if cover.scheme_id in self._known]

    def has_several(self, coverages: Sequence[Coverage]) -> bool:
        """Say whether somebody holds several plans that make the same bills good."""
        held = {cover.scheme_id for cover in coverages}
        held |= {part for each in held for part in self._in_force.scheme(each).includes}
        paying = {
            (each, name) for each in held for name in self._in_force.paying_for(each, "treatment")
        }
        return len(paying & self._indemnities) > 1

    def indemnities(self, plans: Iterable[InPlan]) -> list[InPlan]:
        """Choose the plans that make good the bill itself."""
        return [p for p in plans if (p.scheme_id, p.benefit_name) in self._indemnities]

    def is_alone(self, plans: tuple[InPlan, ...]) -> bool:
        """Say whether no other plan has judged a claim, as is mostly so."""
        return len(plans) == 1 and plans[0].scheme_id in self.schemes

    def sets_apart(self, plans: tuple[InPlan, ...]) -> tuple[list[InPlan], list[InPlan]]:
        """Give what plans that are not tried made of a claim: those before it, and those after.

        They stand in the order in which they judged it.
        """
        tried, rank = self.schemes, self._rank
        at = next((at for at, plan in enumerate(plans) if plan.scheme_id in tried), None)
        if at is None:
            others = list(plans)
            before = [plan for plan in others if self._order.get(plan.scheme_id, rank) < rank]
            return before, [plan for plan in others if plan not in before]
        return list(plans[:at]), [plan for plan in plans[at:] if plan.scheme_id not in tried]


def asks_for_diagnoses(scheme: Scheme) -> bool:
    """Say whether a settlement cannot be judged by what is kept of it in the open."""
    return any(
        "treatment" in benefit.events
        and (benefit.conditions.illnesses or scheme.admission.illnesses)
        for benefit in scheme.benefits.values()
    )


def whole_periods(schemes: Iterable[Scheme], starts: date, ends: date) -> Days:
    """Give the days whose claims may share a period with a claim of the days asked about.

    What a claim earns follows from all that entered its period before it.
    """
    first, last = starts, ends
    for scheme in schemes:
        kinds = {figure.value for b in scheme.benefits.values() for figure in b.period}
        if "calendar_year" in kinds:
            first, last = min(first, date(starts.year, 1, 1)), max(last, date(ends.year, 12, 31))
        for named in scheme.periods if "named" in kinds else ():
            if named.holds(starts):
                first = min(first, named.valid_from)
            if named.holds(ends):
                last = max(last, named.valid_to or date.max)
        if "cover_term" in kinds:
            years = _longest_term(scheme)
            first, last = min(first, _moved(starts, -years)), max(last, _moved(ends, years))
        if "for_ever" in kinds:
            first, last = FOR_EVER.starts, date.max
    return Days(first, last)


def at_all_times(scheme: Scheme, day: date) -> Scheme:
    """Give a scheme whose figures of one day hold on every day; named periods stay as they are."""
    frozen = _at_all_times(scheme, day)
    return msgspec.structs.replace(frozen, periods=scheme.periods, cases=())


def _at_all_times(part: T, day: date) -> T:
    frozen: object = part
    if isinstance(part, tuple):
        figures = cast("tuple[object, ...]", part)
        if figures and isinstance(figures[0], Figure):
            found = in_force(cast("tuple[Figure[object], ...]", figures), day)
            ever = () if found is None else (_for_ever(found),)
            frozen = ever
    elif isinstance(part, dict):
        items = cast("dict[str, object]", part).items()
        frozen = {key: _at_all_times(value, day) for key, value in items}
    elif isinstance(part, msgspec.Struct):
        fields = {name: _at_all_times(getattr(part, name), day) for name in part.__struct_fields__}
        frozen = msgspec.structs.replace(part, **fields)
    return cast("T", frozen)


def _for_ever(figure: Figure[object]) -> Figure[object]:
    return msgspec.structs.replace(figure, valid_from=date.min, valid_to=None)


def _package(scheme: Scheme, tried: frozenset[str]) -> Scheme:
    """Leave of a package what is tried of it."""
    includes = {part: shares for part, shares in scheme.includes.items() if part in tried}
    return msgspec.structs.replace(scheme, includes=includes, benefits={})


def _longest_term(scheme: Scheme) -> int:
    """Give a term in years, and one more: a stay may have begun in the term before."""
    longest = max((figure.value for figure in scheme.enrolment.term_years), default=0)
    # Without a term a cover is one, from its first day to its last.
    return longest + 1 if longest else date.max.year


def _moved(day: date, years: int) -> date:
    year = min(max(day.year + years, date.min.year), date.max.year)
    return date(year, day.month, min(day.day, 28))
