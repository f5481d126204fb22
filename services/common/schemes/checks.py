"""What a scheme file must keep, apart from its shape, before anybody is paid by it."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import combinations, pairwise, product
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from services.common.period import Days
from services.common.schemes.errors import SchemeFigureMissing
from services.common.schemes.figures import Amount, Figure, Named, named_figures, ref
from services.common.schemes.model import (
    Ages,
    Benefit,
    Conditions,
    Excess,
    Graded,
    Kind,
    Scheme,
    Sections,
)
from services.common.schemes.terms import Terms, terms_on

S = TypeVar("S")
T = TypeVar("T")

_GRADES = 10
# `C50`, `K72.0`, and `C00-C43` for all from the first to the last.
_CODE, _FINER = r"[A-Z][0-9]{2}", r"[A-Z][0-9]{2}\.[0-9]"
_ILLNESSES = re.compile(rf"{_CODE}(?:-{_CODE})?|{_FINER}(?:-{_FINER})?")
_DAY = timedelta(days=1)
_ANY: Figure[Any] = Figure(value=None, valid_from=date.min)


class Fault(NamedTuple):
    """What is wrong, and the path of it in the file, like `$.benefits.medical.period[0]`."""

    path: str
    reason: str


def faults(scheme: Scheme) -> Iterator[Fault]:
    """Give what is wrong; a check may rely on it that those before it found nothing."""
    named = list(named_figures(scheme))
    yield from _names(scheme, named)
    for each in named:
        yield from _days(each)
        yield from _sources(each, scheme.documents)
        yield from _values(each)
    yield from _formulas(scheme)
    yield from _illnesses(scheme)
    yield from _lacking(scheme, named)
    yield from _terms_of_cover(scheme)
    yield from _changes_inside_periods(scheme, named)
    yield from _cases(scheme, named)


def faults_between(schemes: Collection[Scheme]) -> Iterator[tuple[str, Fault]]:
    """Give what is wrong between schemes, with the id of the one that is at fault."""
    sharing = {scheme.scheme_id: dict(_sharing(scheme)) for scheme in schemes}
    for scheme in schemes:
        places = {f"$.includes.{other}": other for other in scheme.includes}
        for path, other in {**places, **sharing[scheme.scheme_id]}.items():
            if other not in sharing or other == scheme.scheme_id:
                yield scheme.scheme_id, Fault(path, f"{other} is no other scheme")
    for scheme_id, places in sharing.items():
        for path, other in places.items():
            # Where only one of two plans counts both, the order of claims would decide.
            if scheme_id not in sharing[other].values():
                yield scheme_id, Fault(path, f"{other} does not share its cap with {scheme_id}")


def _sharing(scheme: Scheme) -> Iterator[tuple[str, str]]:
    for name, benefit in scheme.benefits.items():
        for i, other in enumerate(benefit.limits.shared_with):
            yield f"$.benefits.{name}.limits.shared_with[{i}]", other


def _names(scheme: Scheme, named: list[Named]) -> Iterator[Fault]:
    """Look for a name used twice: a period's sums and the steps of a working go by it."""
    seen: set[str] = set()
    for path, name in _parts(scheme):
        if name in seen:
            yield Fault(path, f"{name} is the name of two benefits, kinds or sections")
        seen.add(name)
    count = Counter(each.name for each in named)
    for each in named:
        if count[each.name] > 1:
            yield Fault(each.path, f"{each.name} is the name of two figures")


def _parts(scheme: Scheme) -> Iterator[tuple[str, str]]:
    for name, benefit in scheme.benefits.items():
        place = f"$.benefits.{name}"
        yield place, name
        match benefit.formula:
            case Excess(kinds=kinds):
                yield from ((f"{place}.formula.kinds.{key}", key) for key in kinds)
            case Sections(sections=sections):
                yield from ((f"{place}.formula.sections.{key}", key) for key in sections)
            case _:
                pass


def _days(named: Named) -> Iterator[Fault]:
    """One figure for every day from the first to the last."""
    in_order = sorted(enumerate(named.figures), key=lambda item: item[1].valid_from)
    for i, figure in in_order:
        if figure.valid_to is not None and figure.valid_to < figure.valid_from:
            yield Fault(f"{named.path}[{i}]", f"{named.name} ends before it begins")
    for (_, before), (i, after) in pairwise(in_order):
        ends, starts = before.valid_to, after.valid_from
        if ends is None or starts <= ends:
            yield Fault(f"{named.path}[{i}]", f"{named.name} overlaps on {starts}")
        elif starts - ends > _DAY:
            yield Fault(f"{named.path}[{i}]", f"{named.name} has a gap from {ends} to {starts}")


def _sources(named: Named, documents: Collection[str]) -> Iterator[Fault]:
    for i, figure in enumerate(named.figures):
        place = f"{named.path}[{i}]"
        if figure.document is None:
            if not figure.assumed:
                yield Fault(place, f"{named.name} has neither a document nor an assumption")
            if figure.clause or figure.quote:
                yield Fault(place, f"{named.name} has a clause or a quotation of no document")
        elif figure.document not in documents:
            yield Fault(f"{place}.document", f"{named.name}: {figure.document} is not listed")
        elif not figure.clause or not figure.quote:
            yield Fault(place, f"{named.name}: {figure.document} without clause and quotation")


def _values(named: Named) -> Iterator[Fault]:
    for i, figure in enumerate(named.figures):
        for path, value in _leaves(figure.value, f"{named.path}[{i}].value"):
            match value:
                case Decimal() if not (value.is_finite() and 0 <= value <= 1):
                    yield Fault(path, f"{named.name}: {value} is no share, from 0 to 1")
                case int() if value < 0:
                    what = "an amount" if isinstance(value, Amount) else "a number"
                    yield Fault(path, f"{named.name}: {what} below zero")
                case _:
                    pass
        if isinstance(figure.value, Ages) and figure.value.youngest > figure.value.oldest:
            reason = f"{named.name}: the youngest is older than the oldest"
            yield Fault(f"{named.path}[{i}].value", reason)


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _leaves(getattr(value, field), f"{path}.{field}")
    elif isinstance(value, tuple):
        for i, one in enumerate(cast("tuple[object, ...]", value)):
            yield from _leaves(one, f"{path}[{i}]")
    else:
        yield path, value


def _formulas(scheme: Scheme) -> Iterator[Fault]:
    for name, benefit in scheme.benefits.items():
        place = f"$.benefits.{name}.formula"
        match benefit.formula:
            case Excess(kinds=kinds):
                if not kinds:
                    yield Fault(place, f"{name} has no kind of care")
                yield from _visits(name, place, kinds)
                for key, kind in kinds.items():
                    yield from _bands(f"{name}.{key}", f"{place}.kinds.{key}", kind)
                    yield from _caps_below_floor(name, benefit, kind)
            case Sections(sections=sections) if not sections:
                yield Fault(place, f"{name} has no section")
            case Graded(grades=grades):
                for i, figure in enumerate(grades):
                    shares = figure.value
                    if len(shares) != _GRADES or any(a <= b for a, b in pairwise(shares)):
                        reason = f"{name}.grades are not {_GRADES} falling shares"
                        yield Fault(f"{place}.grades[{i}].value", reason)
            case _:
                pass


def _visits(name: str, place: str, kinds: dict[str, Kind]) -> Iterator[Fault]:
    for (one, kind), (other, second) in combinations(kinds.items(), 2):
        for key in (key for key in (one, other) if not kinds[key].visits):
            reason = f"{name}.{key} takes every visit, also those of other kinds"
            yield Fault(f"{place}.kinds.{key}", reason)
        for a, i, b in _together(kind.visits, second.visits):
            for visit in sorted({*a.value} & {*b.value}):
                reason = f"{name}: {visit} is taken by {one} and {other}"
                yield Fault(f"{place}.kinds.{other}.visits[{i}].value", reason)


def _bands(name: str, place: str, kind: Kind) -> Iterator[Fault]:
    for i, figure in enumerate(kind.bands):
        path, bounds = f"{place}.bands[{i}].value", [band.to for band in figure.value]
        if not bounds:
            yield Fault(path, f"{name}.bands has no band")
        for j, (bound, after) in enumerate(pairwise(bounds)):
            if bound is None:
                yield Fault(f"{path}[{j}]", f"{name}.bands: a band without end is not the last")
            elif after is not None and after <= bound:
                yield Fault(f"{path}[{j + 1}]", f"{name}.bands do not rise")
    for floor, i, bands in _together(kind.floor, kind.bands):
        first = bands.value[0]
        if first.to is not None and first.to <= floor.value:
            reason = f"{name}.bands: the first band ends at or below the floor"
            yield Fault(f"{place}.bands[{i}].value[0]", reason)


def _caps_below_floor(name: str, benefit: Benefit, kind: Kind) -> Iterator[Fault]:
    for limit in ("cap", "per_claim"):
        caps: tuple[Figure[Amount], ...] = getattr(benefit.limits, limit)
        for floor, i, cap in _together(kind.floor, caps):
            if cap.value < floor.value:
                path = f"$.benefits.{name}.limits.{limit}[{i}].value"
                yield Fault(path, f"{name}.{limit} is below a floor of the same days")


def _together(
    these: tuple[Figure[S], ...], those: tuple[Figure[T], ...]
) -> Iterator[tuple[Figure[S], int, Figure[T]]]:
    """Give the figures that are in force on a common day, of `those` with the index."""
    for one, (i, other) in product(these, enumerate(those)):
        ends = (one.valid_to or date.max, other.valid_to or date.max)
        if max(one.valid_from, other.valid_from) <= min(ends):
            yield one, i, other


def _illnesses(scheme: Scheme) -> Iterator[Fault]:
    for name, figures in scheme.illness_lists.items():
        for i, figure in enumerate(figures):
            for j, codes in enumerate(figure.value):
                first, _, last = codes.partition("-")
                if not _ILLNESSES.fullmatch(codes) or (last and last <= first):
                    reason = f"{name}: {codes} is neither an ICD-10 code nor a range of them"
                    yield Fault(f"$.illness_lists.{name}[{i}].value[{j}]", reason)
    places: list[tuple[str, str, Conditions]] = [("admission", "$.admission", scheme.admission)]
    for name, benefit in scheme.benefits.items():
        places.append((name, f"$.benefits.{name}.conditions", benefit.conditions))
    for name, place, conditions in places:
        for i, figure in enumerate(conditions.illnesses):
            if figure.value not in scheme.illness_lists:
                reason = f"{name}.illnesses: there is no list {figure.value}"
                yield Fault(f"{place}.illnesses[{i}].value", reason)


def _lacking(scheme: Scheme, named: list[Named]) -> Iterator[Fault]:
    """Look for what a benefit needs on one of its days and nobody declared missing."""
    there = {each.name: each.path for each in named}
    # An empty mapping is given a nameless key: what is lacking there is the mapping.
    possible = {
        each.name.rstrip("."): each.path.rstrip(".") for each in named_figures(_as_if_there(scheme))
    }
    for name in scheme.missing:
        if any(other == name or other.startswith(f"{name}.") for other in there):
            yield Fault(f"$.missing.{name}", f"{name} is declared missing, but it is there")
        elif name not in possible:
            yield Fault(f"$.missing.{name}", f"{name} is declared missing, but it is no figure")
    whole = _as_if_there(scheme, {possible[name] for name in scheme.missing})
    for benefit in scheme.benefits:
        place = f"$.benefits.{benefit}"
        own = [each for each in named if each.path.startswith(f"{place}.")]
        for day in _days_asked(own or named, named):
            try:
                terms_on(whole, benefit, day)
            except SchemeFigureMissing as lack:
                reason = f"{lack.figure} is needed on {day}, neither there nor declared missing"
                yield Fault(possible.get(lack.figure, place), reason)


def _as_if_there(part: T, paths: Collection[str] | None = None, path: str = "$") -> T:
    """Put a figure wherever there is none, or where there is none at one of the paths."""
    filled: object = part
    if isinstance(part, msgspec.Struct):
        fields = part.__struct_fields__
        inner = {f: _as_if_there(getattr(part, f), paths, f"{path}.{f}") for f in fields}
        filled = msgspec.structs.replace(part, **inner)
    elif isinstance(part, dict) and part:
        items = cast("dict[str, object]", part).items()
        filled = {key: _as_if_there(value, paths, f"{path}.{key}") for key, value in items}
    elif part in ((), {}) and (paths is None or path in paths):
        filled = (_ANY,) if part == () else {"": (_ANY,)}
    return cast("T", filled)


def _days_asked(own: list[Named], named: list[Named]) -> list[date]:
    """Give the first days of all figures, as long as any of the own ones is in force."""
    figures = [figure for each in own for figure in each.figures]
    first = min((figure.valid_from for figure in figures), default=date.max)
    last = max((figure.valid_to or date.max for figure in figures), default=date.min)
    days = {figure.valid_from for each in named for figure in each.figures}
    return sorted(day for day in days if first <= day <= last)


def _terms_of_cover(scheme: Scheme) -> Iterator[Fault]:
    """Look for figures of a term's first day in a period that many terms share."""
    for name, benefit in scheme.benefits.items():
        for figures_of, i, period in _together(scheme.enrolment.figures_of, benefit.period):
            if figures_of.value == "term_start" and period.value not in ("cover_term", "for_ever"):
                reason = f"{name}.period: {period.value} does not go with figures of term_start"
                yield Fault(f"$.benefits.{name}.period[{i}].value", reason)


def _changes_inside_periods(scheme: Scheme, named: list[Named]) -> Iterator[Fault]:
    """Look for changes that would let the sums of one period stand on two sets of terms."""
    for name, benefit in scheme.benefits.items():
        terms = _terms_known(scheme, name)
        for each in _summed(f"$.benefits.{name}", benefit, named):
            for i, day in ((i, day) for i, f in enumerate(each.figures) for day in _changes(f)):
                days = _period_around(terms, day)
                if days is not None:
                    reason = f"{each.name} changes on {day}, inside the period {_said(days)}"
                    yield Fault(f"{each.path}[{i}]", reason)


def _summed(place: str, benefit: Benefit, named: list[Named]) -> Iterator[Named]:
    """Give the figures that what a period adds up is worked out by."""
    excess = isinstance(benefit.formula, Excess)
    for each in named:
        if each.path == f"{place}.limits.cap" or (
            excess and each.path.startswith(f"{place}.formula.")
        ):
            yield each


def _changes(figure: Figure[Any]) -> Iterator[date]:
    """Give the days on which a figure begins to hold and no longer holds."""
    yield figure.valid_from
    if figure.valid_to is not None and figure.valid_to < date.max:
        yield figure.valid_to + _DAY


def _terms_known(scheme: Scheme, benefit: str) -> Callable[[date], Terms | None]:
    @cache
    def known(day: date) -> Terms | None:
        try:
            return terms_on(scheme, benefit, day)
        except SchemeFigureMissing:
            return None

    return known


def _period_around(terms: Callable[[date], Terms | None], day: date) -> Days | None:
    """Give the year or the named period that the day and the one before it both lie in."""
    if day == date.min:
        return None
    now, before = terms(day), terms(day - _DAY)
    if now is None or before is None or now.days != before.days:
        return None
    return now.days if now.period.value in ("calendar_year", "named") else None


def _said(days: Days) -> str:
    return f"from {days.starts}" + (f" to {days.ends}" if days.ends else "")


def _cases(scheme: Scheme, named: list[Named]) -> Iterator[Fault]:
    """Look for a figure without a worked case; one of several goes by name and first day."""
    ids = Counter(case.id for case in scheme.cases)
    figures = {name for each in named for name in _shown_as(each)}
    shown: set[str] = set()
    for i, case in enumerate(scheme.cases):
        if ids[case.id] > 1:
            yield Fault(f"$.cases[{i}].id", f"{case.id} is the id of two cases")
        for j, name in enumerate(case.shows):
            shown.add(name)
            if name not in figures and name not in scheme.missing:
                reason = f"{case.id} shows {name}, which is no figure of the scheme"
                yield Fault(f"$.cases[{i}].shows[{j}]", reason)
    for each in named:
        for i, figure in enumerate(each.figures):
            label = ref(each.name, figure)
            if label not in shown and not (len(each.figures) == 1 and each.name in shown):
                yield Fault(f"{each.path}[{i}]", f"no case shows {label}")


def _shown_as(named: Named) -> Iterable[str]:
    labels = [ref(named.name, figure) for figure in named.figures]
    return [named.name, *labels] if len(labels) == 1 else labels
