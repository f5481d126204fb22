"""A term that had begun keeps its books when its cover is carried back to an earlier day."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from uuid import UUID

import msgspec

from services.claims.model import Brought, Case, PeriodKey, Totals
from services.common.schemes.terms import ExcessTerms, Terms


class Begun:
    """The periods that have books, found by their member and scheme."""

    def __init__(self, totals: Mapping[PeriodKey, Totals]) -> None:
        self._totals = totals
        self._known = tuple(totals)

    @cached_property
    def _of(self) -> dict[tuple[UUID, str], list[PeriodKey]]:
        """Put the periods to their members and schemes, once somebody asks for a term's."""
        found: dict[tuple[UUID, str], list[PeriodKey]] = {}
        for key in self._known:
            found.setdefault((key.member_id, key.scheme_id), []).append(key)
        return found

    def place(self, brought: Brought) -> Brought:
        """Put a claim's cases into the books of their terms.

        With its cover a term would begin anew, and count its claims from the first one again.
        """
        for entry in brought.entries:
            if isinstance(entry, Case) and entry.terms.days is None:
                placed = [self._placed(e) if isinstance(e, Case) else e for e in brought.entries]
                return brought._replace(entries=tuple(placed))
        return brought

    def key(self, key: PeriodKey, ends: date | None, terms: Terms) -> PeriodKey:
        """Give the period whose books are kept for a term of cover from its first day to `ends`."""
        if terms.days is not None or key in self._totals:
            return key
        names = _sums(terms)
        inside = [
            known
            for known in self._of.get((key.member_id, key.scheme_id), ())
            if key.starts < known.starts
            and (ends is None or known.starts <= ends)
            and not names.isdisjoint(self._totals[known].sums)
        ]
        return min(inside, default=key)

    def _placed(self, case: Case) -> Case:
        key = self.key(case.key, case.ends, case.terms)
        return case if key is case.key else msgspec.structs.replace(case, key=key)


def _sums(terms: Terms) -> set[str]:
    """Name the sums that a benefit's claims go into: years and terms may begin side by side."""
    if isinstance(terms.formula, ExcessTerms):
        return {kind.kind for kind in terms.formula.kinds}
    return {terms.benefit}
