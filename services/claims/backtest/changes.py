"""What a draft changes of a scheme in force: which figures on which days, and what has no day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple, cast

import msgspec

from services.claims.rules.trial import Tried
from services.common.schemes.figures import Figure, in_force, named_figures
from services.common.schemes.model import Scheme

_DAY: Final = timedelta(days=1)
_WORDS: Final = frozenset({"name", "documents", "cases", "missing"})


class Changed(NamedTuple):
    """A figure that has another value on these days; None where there is no figure."""

    figure: str
    starts: date
    ends: date | None
    was: object
    becomes: object


class Compared(NamedTuple):
    """A draft beside what is in force: what it changes, and the worked cases that disagree.

    `past` names what keeps it from being published.
    """

    changes: Sequence[Changed]
    disagreeing: Sequence[Tried]
    past: Sequence[str]

    @property
    def first_day(self) -> date | None:
        return min((change.starts for change in self.changes), default=None)


def changed_figures(before: Scheme, after: Scheme) -> list[Changed]:
    """Give what the figures of a draft change, by name and in the order of days."""
    old, new = _by_name(before), _by_name(after)
    return [
        change
        for name in sorted(old.keys() | new.keys())
        for change in _changes(name, old.get(name, ()), new.get(name, ()))
    ]


def past_touched(before: Scheme, after: Scheme, today: date) -> list[str]:
    """Name what is other than it was on a day up to today, and what would change without a day.

    A figure is its value and where it is written: both are what members were told.
    """
    old, new = _by_name(before), _by_name(after)
    names = [
        name
        for name in old.keys() | new.keys()
        if _until(old.get(name, ()), today) != _until(new.get(name, ()), today)
    ]
    return sorted({*names, *_undated_changes(before, after)})


def _by_name(scheme: Scheme) -> dict[str, tuple[Figure[Any], ...]]:
    return {named.name: named.figures for named in named_figures(scheme)}


def _changes(
    name: str, old: tuple[Figure[Any], ...], new: tuple[Figure[Any], ...]
) -> Iterator[Changed]:
    """Compare from each day on which either begins or has ended to the next; join what is alike."""
    days = sorted({day for figure in (*old, *new) for day in _bounds(figure)})
    open_change: Changed | None = None
    for day, following in zip(days, [*days[1:], None], strict=True):
        was, becomes = _value(old, day), _value(new, day)
        ends = None if following is None else following - _DAY
        if open_change is not None and (open_change.was, open_change.becomes) == (was, becomes):
            open_change = open_change._replace(ends=ends)
            continue
        if open_change is not None:
            yield open_change
        open_change = None if was == becomes else Changed(name, day, ends, was, becomes)
    if open_change is not None:
        yield open_change


def _bounds(figure: Figure[Any]) -> Iterator[date]:
    yield figure.valid_from
    if figure.valid_to is not None and figure.valid_to < date.max:
        yield figure.valid_to + _DAY


def _value(figures: tuple[Figure[Any], ...], day: date) -> object:
    found = in_force(figures, day)
    return None if found is None else found.value


def _until(figures: tuple[Figure[Any], ...], today: date) -> list[Figure[Any]]:
    """Give the figures that have begun; how long one goes on from here does not matter."""
    begun = [figure for figure in figures if figure.valid_from <= today]
    return [
        msgspec.structs.replace(figure, valid_to=min(figure.valid_to or today, today))
        for figure in sorted(begun, key=lambda figure: figure.valid_from)
    ]


def _undated_changes(before: Scheme, after: Scheme) -> Iterator[str]:
    """Name what would hold for all days at once: the form of a benefit, its events, the order.

    A whole benefit may be added: on days before its figures it does not run.
    """
    old, new = dict(_undated(before)), dict(_undated(after))
    for path in old.keys() | new.keys():
        benefit = ".".join(path.split(".")[:2])
        is_new = benefit.startswith("benefits.") and not any(
            other == benefit or other.startswith(f"{benefit}.") for other in old
        )
        if old.get(path) != new.get(path) and not is_new:
            yield path


def _undated(part: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Walk to all that is no figure and no wording."""
    if isinstance(part, msgspec.Struct):
        yield path, type(part).__name__
        for field in part.__struct_fields__:
            if field not in _WORDS:
                yield from _undated(getattr(part, field), f"{path}.{field}".lstrip("."))
    elif isinstance(part, Mapping):
        for key, value in cast("Mapping[str, object]", part).items():
            yield from _undated(value, f"{path}.{key}")
    elif isinstance(part, tuple):
        items = cast("tuple[object, ...]", part)
        if items and not isinstance(items[0], Figure):
            yield path, items
    else:
        yield path, part
