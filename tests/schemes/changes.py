"""Small changes of a figure's value or days: what a wrong figure would look like."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, NamedTuple, cast, get_args

import msgspec

from services.common.schemes.figures import Amount, Figure, Named
from services.common.schemes.model import Base, Cause, CoverDay, PeriodKind, Scheme, Visit

_CENT: Final = Decimal("0.01")
_DAY: Final = timedelta(days=1)
# The words to choose from, by the last part of a figure's name or by a field of its value.
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "base": get_args(Base),
    "of": get_args(Base),
    "cover_day": get_args(CoverDay),
    "period": get_args(PeriodKind),
    "visits": get_args(Visit),
    "causes": get_args(Cause),
    "sex": ("F", "M"),
    "figures_of": ("event_day", "term_start"),
    "once": ("period", "illness"),
    "after": ("discharge", "period_end"),
    "death_payee": ("member", "family"),
    "otherwise": ("NOT_ELIGIBLE", "OCCUPATION_NOT_COVERED", "NOT_COVERED_DISEASE"),
    "relations": ("spouse", "child", "parent", "sibling"),
    "psn_type": ("11", "12", "13"),
    "insutype": ("310", "390"),
}


class Change(NamedTuple):
    """A change that a worked case should notice; of `any_of` the same name one is enough."""

    what: str
    figures: tuple[Figure[Any], ...]
    any_of: str = ""


def changes(named: Named) -> Iterator[Change]:
    """Give the small changes of all that was ever in force under one name."""
    field = named.name.rpartition(".")[2]
    found = False
    for i, figure in enumerate(named.figures):
        for what, value in _values(figure.value, field):
            found = True
            said = f"{figure.value} on {figure.valid_from}: {what}"
            one_is_enough = what.startswith("add ")
            others = _with(named.figures, i, msgspec.structs.replace(figure, value=value))
            yield Change(said, others, f"add to {i}" if one_is_enough else "")
    for i, (before, after) in enumerate(pairwise(named.figures)):
        found = True
        assert before.valid_to is not None, named.name
        for days in (-_DAY, _DAY):
            earlier = msgspec.structs.replace(before, valid_to=before.valid_to + days)
            later = msgspec.structs.replace(after, valid_from=after.valid_from + days)
            figures = _with(_with(named.figures, i, earlier), i + 1, later)
            yield Change(f"change on {later.valid_from}", figures)
    if not found:
        yield Change("leave it out", ())


def changed(scheme: Scheme, named: Named, change: Change) -> Scheme:
    """Give the scheme with other figures under that name."""
    return cast("Scheme", _swapped(scheme, named.figures, change.figures))


def _swapped(part: object, old: object, new: object) -> object:
    if part is old:
        return new
    if isinstance(part, Mapping):
        fields = cast("Mapping[str, object]", part)
        return {key: _swapped(value, old, new) for key, value in fields.items()}
    if isinstance(part, msgspec.Struct):
        names = [name for name in part.__struct_fields__ if name != "cases"]
        parts = {name: _swapped(getattr(part, name), old, new) for name in names}
        return msgspec.structs.replace(part, **parts)
    return part


def _with(parts: tuple[Any, ...], i: int, part: object) -> tuple[Any, ...]:
    return (*parts[:i], part, *parts[i + 1 :])


def _values(value: object, field: str) -> Iterator[tuple[str, object]]:
    """Give other values near this one, with what was done to it."""
    match value:
        case bool():
            yield f"not {value}", not value
        case Amount():
            yield from _numbers(value, Amount(1), 10**12)
        case int():
            yield from _numbers(value, 1, 10**6)
        case Decimal():
            yield from _numbers(value, _CENT, 1)
        case str():
            choices = _CHOICES.get(field, ())
            yield from ((f"{other} instead", other) for other in choices if other != value)
        case tuple():
            yield from _lists(cast("tuple[object, ...]", value), field)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                for what, other in _values(getattr(value, name), name):
                    yield f"{name}: {what}", msgspec.structs.replace(value, **{name: other})
        case _:
            pass


def _numbers(value: Any, step: Any, most: int) -> Iterator[tuple[str, object]]:  # noqa: ANN401 (an amount, a count or a rate)
    for what, other in (("less", value - step), ("more", value + step)):
        if 0 <= other <= most:
            yield what, type(value)(other)


def _lists(values: tuple[object, ...], field: str) -> Iterator[tuple[str, object]]:
    for i, value in enumerate(values):
        if not isinstance(value, Decimal) and field != "bands":
            yield f"without {value}", (*values[:i], *values[i + 1 :])
        for what, other in _values(value, field) if not isinstance(value, str) else ():
            yield f"{i}: {what}", _with(values, i, other)
    for other in _CHOICES.get(field, ()):
        if other not in values:
            yield f"add {other}", (*values, other)
