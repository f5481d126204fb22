"""A rule book as dated data: every figure with its days, its clause and where it is written."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Generic, Literal, TypeVar

import msgspec

from services.common.errors import Conflict
from services.common.period import Days, calendar_year

T = TypeVar("T")
_TERMS_KEPT_MAX = 4096


class SchemeCannotRun(Conflict):
    """The scheme cannot be worked out on that day."""

    code = "SCHEME_CANNOT_RUN"


class SchemeUnknown(SchemeCannotRun):
    """There is no such scheme."""

    code = "SCHEME_UNKNOWN"


class SchemeFigureMissing(SchemeCannotRun):
    """A figure of the scheme is missing for that day."""

    code = "SCHEME_FIGURE_MISSING"

    def __init__(self, scheme_id: str, figure: str, day: date) -> None:
        super().__init__(f"{scheme_id} has no {figure} on {day}")
        self.scheme_id = scheme_id
        self.figure = figure
        self.day = day


class Amount(int):
    """Fen in the program, yuan with two decimals in the file."""


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    zh: str
    en: str


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    publisher: str
    published: date


class Figure(msgspec.Struct, Generic[T], frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class Admission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is admitted: by what the settlement says, and by what enrollment vouches for."""

    psn_type: tuple[Figure[tuple[str, ...]], ...] = ()
    insutype: tuple[Figure[tuple[str, ...]], ...] = ()
    standing: tuple[Figure[tuple[str, ...]], ...] = ()


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of care with its own deductible and ratio."""

    name: Words
    med_types: tuple[Figure[tuple[str, ...]], ...] = ()
    deductible: tuple[Figure[Amount], ...] = ()
    ratio: tuple[Figure[Decimal], ...] = ()


class Reimbursement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A share of what the period's burden exceeds the deductible by, under one cap."""

    base: tuple[Figure[Literal["self_pay_one"]], ...] = ()
    period: tuple[Figure[Literal["calendar_year_by_enddate"]], ...] = ()
    kinds: dict[str, Kind]
    rounding: tuple[Figure[Literal["half_up_per_kind"]], ...] = ()
    benefit_cap: tuple[Figure[Amount], ...] = ()


class KindTerms(msgspec.Struct, frozen=True):
    kind: str
    med_types: Figure[tuple[str, ...]]
    deductible: Figure[Amount]
    ratio: Figure[Decimal]


class Terms(msgspec.Struct, frozen=True):
    """What is in force over one period, complete: who holds this can work a benefit out."""

    scheme_id: str
    days: Days
    base: Figure[Literal["self_pay_one"]]
    period: Figure[Literal["calendar_year_by_enddate"]]
    kinds: tuple[KindTerms, ...]
    kind_of: Mapping[str, KindTerms]
    rounding: Figure[Literal["half_up_per_kind"]]
    benefit_cap: Figure[Amount]


class Scheme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    scheme_id: str
    name: Words
    documents: dict[str, Document]
    admission: Admission
    benefit: Reimbursement

    def terms_on(self, day: date) -> Terms:
        """Give the terms of the period that holds the day, or refuse with the missing figure."""
        benefit = self.benefit
        kinds = tuple(self._kind_terms(name, kind, day) for name, kind in benefit.kinds.items())
        return Terms(
            scheme_id=self.scheme_id,
            days=calendar_year(day),
            base=self._needed("base", benefit.base, day),
            period=self._needed("period", benefit.period, day),
            kinds=kinds,
            kind_of={code: kind for kind in kinds for code in kind.med_types.value},
            rounding=self._needed("rounding", benefit.rounding, day),
            benefit_cap=self._needed("benefit_cap", benefit.benefit_cap, day),
        )

    def _kind_terms(self, name: str, kind: Kind, day: date) -> KindTerms:
        return KindTerms(
            kind=name,
            med_types=self._needed(f"kinds.{name}.med_types", kind.med_types, day),
            deductible=self._needed(f"kinds.{name}.deductible", kind.deductible, day),
            ratio=self._needed(f"kinds.{name}.ratio", kind.ratio, day),
        )

    def _needed(self, name: str, figures: tuple[Figure[T], ...], day: date) -> Figure[T]:
        figure = in_force(figures, day)
        if figure is None:
            raise SchemeFigureMissing(self.scheme_id, f"benefit.{name}", day)
        return figure


def in_force(figures: tuple[Figure[T], ...], day: date) -> Figure[T] | None:
    return next((figure for figure in figures if figure.holds(day)), None)


class Rulebook:
    """All schemes by id; the terms in force on a day are put together once and kept."""

    def __init__(self, schemes: Iterable[Scheme]) -> None:
        self._schemes = {scheme.scheme_id: scheme for scheme in schemes}
        self.terms = lru_cache(maxsize=_TERMS_KEPT_MAX)(self._terms)

    def scheme(self, scheme_id: str) -> Scheme:
        found = self._schemes.get(scheme_id)
        if found is None:
            raise SchemeUnknown(scheme_id)
        return found

    def __iter__(self) -> Iterator[Scheme]:
        return iter(self._schemes.values())

    def _terms(self, scheme_id: str, day: date) -> Terms:
        return self.scheme(scheme_id).terms_on(day)
