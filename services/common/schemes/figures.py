"""A figure of a rule book: its value, the days it holds, and where it is written."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# Parts of a scheme that a figure's name is clear without: `medical.inpatient.floor`.
_UNNAMED = frozenset(
    {"benefits", "formula", "kinds", "sections", "conditions", "limits", "illness_lists"}
)


class Amount(int):
    """Fen in the program, yuan with two decimals in the file."""


class Figure(msgspec.Struct, Generic[T], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value from one day to another, both included, with its clause and its words.

    `assumed` says why the value stands here although no document gives it.
    """

    value: T
    valid_from: date
    valid_to: date | None = None
    clause: str = ""
    document: str | None = None
    quote: str | None = None
    assumed: str | None = None

    def holds(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    @property
    def source(self) -> str:
        """Name the document in short, and whether the value is written there."""
        if self.assumed is None:
            return self.document or ""
        return "assumed" if self.document is None else f"{self.document}, assumed"


class Rule(msgspec.Struct, Generic[T_co], frozen=True):
    """A figure in force: its value, and the name and first day that it is found again by."""

    value: T_co
    ref: str


class Named(NamedTuple):
    """All that was ever in force under one name; `path` leads to it in the file."""

    name: str
    path: str
    figures: tuple[Figure[Any], ...]


def in_force(figures: tuple[Figure[T], ...], day: date) -> Figure[T] | None:
    return next((figure for figure in figures if figure.holds(day)), None)


def ref(name: str, figure: Figure[Any]) -> str:
    return f"{name}@{figure.valid_from}"


def named_figures(part: object, name: str = "", path: str = "$") -> Iterator[Named]:
    """Walk to every list of figures of a scheme or of a part of one."""
    if isinstance(part, tuple):
        figures = cast("tuple[object, ...]", part)
        if figures and isinstance(figures[0], Figure):
            yield Named(name, path, cast("tuple[Figure[Any], ...]", figures))
    elif isinstance(part, Mapping):
        for key, value in cast("Mapping[str, object]", part).items():
            yield from named_figures(value, f"{name}.{key}".lstrip("."), f"{path}.{key}")
    elif isinstance(part, msgspec.Struct):
        for field in part.__struct_fields__:
            inner = name if field in _UNNAMED else f"{name}.{field}".lstrip(".")
            yield from named_figures(getattr(part, field), inner, f"{path}.{field}")
