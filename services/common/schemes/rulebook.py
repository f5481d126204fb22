"""All schemes together: which plans there are, in which order, and what is in force on a day."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from services.common.schemes.errors import SchemeFigureMissing, SchemeUnknown
from services.common.schemes.figures import Figure, in_force, named_figures, ref
from services.common.schemes.model import Event, Scheme
from services.common.schemes.terms import Terms, terms_on

_TERMS_KEPT_MAX = 16_384


class Joining(NamedTuple):
    """How a claim finds the cover it falls under, and the cover its figures."""

    by_admission: bool
    by_term: bool
    term_years: int | None


class Applying(NamedTuple):
    """A benefit that may be paid for an event on a day.

    `terms` are those of the day, or say what they lack; None where the cover's term decides.
    """

    scheme_id: str
    benefit: str
    joining: Joining
    terms: Terms | SchemeFigureMissing | None


class Rulebook:
    """All schemes by id; the terms in force on a day are put together once and kept."""

    def __init__(self, schemes: Iterable[Scheme]) -> None:
        ordered = sorted(schemes, key=lambda scheme: (scheme.order, scheme.scheme_id))
        self._schemes = {scheme.scheme_id: scheme for scheme in ordered}
        self._rank = {scheme_id: rank for rank, scheme_id in enumerate(self._schemes)}
        self._figures = {scheme.scheme_id: _by_ref(scheme) for scheme in ordered}
        self._changes = {scheme.scheme_id: _changes(scheme) for scheme in ordered}
        self._since = lru_cache(maxsize=None)(self._terms_since)
        self.terms = lru_cache(maxsize=_TERMS_KEPT_MAX)(self._terms)
        self.joining = lru_cache(maxsize=_TERMS_KEPT_MAX)(self._joining)
        self.paying_for = lru_cache(maxsize=None)(self._paying_for)
        self.applying = lru_cache(maxsize=_TERMS_KEPT_MAX)(self._applying)

    def __iter__(self) -> Iterator[Scheme]:
        """Give the schemes in their declared order."""
        return iter(self._schemes.values())

    def scheme(self, scheme_id: str) -> Scheme:
        found = self._schemes.get(scheme_id)
        if found is None:
            raise SchemeUnknown(scheme_id)
        return found

    def in_order(self, scheme_ids: Iterable[str]) -> list[str]:
        """Put schemes into their declared order; raises `SchemeUnknown`."""
        ids = list(scheme_ids)
        if len(ids) > 1:
            ids.sort(key=lambda scheme_id: self._rank.get(scheme_id, -1))
        for scheme_id in ids:
            self.scheme(scheme_id)
        return ids

    def indemnifies(self, scheme_id: str, benefit: str) -> bool:
        return self.scheme(scheme_id).benefits[benefit].aid == "indemnity"

    def figure(self, scheme_id: str, named: str) -> Figure[Any] | None:
        """Find the figure that a step of a working names."""
        return self._figures.get(scheme_id, {}).get(named)

    def _paying_for(self, scheme_id: str, event: Event) -> tuple[str, ...]:
        benefits = self.scheme(scheme_id).benefits
        return tuple(name for name, benefit in benefits.items() if event in benefit.events)

    def _applying(
        self, scheme_ids: tuple[str, ...], event: Event, day: date
    ) -> tuple[Applying, ...]:
        """Give all that these schemes may pay, in the declared order; raises `SchemeUnknown`."""
        found: list[Applying] = []
        for scheme_id in self.in_order(scheme_ids):
            for benefit in self.paying_for(scheme_id, event):
                joining = self.joining(scheme_id, benefit, day)
                terms = None if joining.by_term else self.terms_or_lack(scheme_id, benefit, day)
                found.append(Applying(scheme_id, benefit, joining, terms))
        return tuple(found)

    def terms_or_lack(self, scheme_id: str, benefit: str, day: date) -> Terms | SchemeFigureMissing:
        try:
            return self.terms(scheme_id, benefit, day)
        except SchemeFigureMissing as lack:
            return lack.with_traceback(None)

    def _joining(self, scheme_id: str, benefit: str, day: date) -> Joining:
        scheme = self.scheme(scheme_id)
        enrolment, figures = scheme.enrolment, scheme.benefits[benefit].cover_day
        cover_day, years = in_force(figures, day), in_force(enrolment.term_years, day)
        of = in_force(enrolment.figures_of, day)
        return Joining(
            by_admission=cover_day is not None and cover_day.value == "admission",
            by_term=of is not None and of.value == "term_start",
            term_years=None if years is None else years.value,
        )

    def _terms(self, scheme_id: str, benefit: str, day: date) -> Terms:
        """Put terms together once for all days between two changes of the scheme's figures."""
        try:
            return self._since(scheme_id, benefit, self._last_change(scheme_id, day))
        except SchemeFigureMissing:
            return terms_on(self.scheme(scheme_id), benefit, day)  # to name the day that was asked

    def _terms_since(self, scheme_id: str, benefit: str, day: date) -> Terms:
        return terms_on(self.scheme(scheme_id), benefit, day)

    def _last_change(self, scheme_id: str, day: date) -> date:
        """Give the day since which the same holds; a calendar year is a change as well."""
        changes = self._changes.get(scheme_id, ())
        passed = bisect_right(changes, day)
        new_year = day.replace(month=1, day=1)
        return max(changes[passed - 1], new_year) if passed else min(day, new_year)


def _changes(scheme: Scheme) -> list[date]:
    """Give the days on which a figure begins, or is over."""
    figures = [figure for named in named_figures(scheme) for figure in named.figures]
    ends = {f.valid_to + timedelta(days=1) for f in figures if f.valid_to is not None}
    return sorted({figure.valid_from for figure in figures} | ends)


def _by_ref(scheme: Scheme) -> Mapping[str, Figure[Any]]:
    return {
        ref(named.name, figure): figure
        for named in named_figures(scheme)
        for figure in named.figures
    }
