"""What is in force on a day, put together for the engine: complete, or refused by name."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec

from services.common.period import Days, calendar_year
from services.common.schemes.errors import SchemeFigureMissing
from services.common.schemes.figures import Amount, Figure, Rule, in_force, ref
from services.common.schemes.model import (
    Band,
    Base,
    Benefit,
    Conditions,
    Daily,
    Excess,
    Graded,
    LumpSum,
    Scheme,
    Sections,
    ShareCap,
    Supplement,
    Window,
)

T = TypeVar("T")

# In the order in which they are judged: who is covered, then (after the days of cover) for what.
WHO: Final = ("psn_type", "insutype", "standing", "groups", "ages", "sex", "relations")
WHAT: Final = ("causes", "visits", "illnesses", "confirmed", "hospital_level_min", "stay_days_min")
FOR_EVER: Final = Days(date(1900, 1, 1))


class Condition(NamedTuple):
    name: str
    rule: Rule[Any]


class ExcessKind(msgspec.Struct, frozen=True):
    kind: str
    visits: Rule[tuple[str, ...]] | None
    floor: Rule[int]
    bands: Rule[tuple[Band, ...]]
    # The rates of the bands as a working shows them, and as whole numbers to reckon with.
    shown: tuple[str, ...]
    ratios: tuple[tuple[int, int], ...]


class ExcessTerms(msgspec.Struct, frozen=True):
    base: Rule[Base]
    after_other_plans: Rule[bool] | None
    kinds: tuple[ExcessKind, ...]
    # None takes every visit.
    kind_of: Mapping[str, ExcessKind] | None


class SectionTerms(msgspec.Struct, frozen=True):
    section: str
    of: Base
    rate: Rule[Decimal]


class SectionsTerms(msgspec.Struct, frozen=True):
    sections: tuple[SectionTerms, ...]


class DailyTerms(msgspec.Struct, frozen=True):
    per_day: Mapping[str, Rule[int]]
    same_day: Rule[int]


class LumpSumTerms(msgspec.Struct, frozen=True):
    per_unit: Rule[int]
    supplement: Rule[Supplement] | None


class GradedTerms(msgspec.Struct, frozen=True):
    maximum_per_unit: Rule[int]
    in_hospital_maximum_per_unit: Rule[int] | None
    grades: Rule[tuple[Decimal, ...]]
    death: Rule[Decimal]
    one_accident: Rule[str]


FormulaTerms = ExcessTerms | SectionsTerms | DailyTerms | LumpSumTerms | GradedTerms


class Terms(msgspec.Struct, frozen=True):
    """One benefit as it stands on a day: who holds this can work it out."""

    scheme_id: str
    benefit: str
    indemnity: bool
    who: tuple[Condition, ...]
    what: tuple[Condition, ...]
    # The codes that the condition `illnesses` stands for.
    illness_prefixes: tuple[str, ...]
    cover_day: Rule[str]
    waiting_days: Rule[int]
    units_max: Rule[int]
    period: Rule[str]
    # None where the period is the member's own term of cover.
    days: Days | None
    rounding: Rule[str]
    formula: FormulaTerms
    cap: Rule[int] | None
    shared_with: tuple[str, ...]
    per_claim: Rule[int] | None
    share_of: Rule[ShareCap] | None
    claims_max: Rule[int] | None
    once: Rule[str] | None
    window: Rule[Window] | None
    death_payee: Rule[str] | None


def terms_on(scheme: Scheme, name: str, day: date) -> Terms:
    """Give a benefit's terms, or raise `SchemeFigureMissing` with the name of the figure."""
    benefit, of = scheme.benefits[name], _Figures(scheme, day)
    limits = benefit.limits
    period, days = _period(scheme, benefit, of, name)
    what = _conditions(WHAT, scheme.admission, benefit.conditions, of, name)
    return Terms(
        scheme_id=scheme.scheme_id,
        benefit=name,
        indemnity=benefit.aid == "indemnity",
        who=_conditions(WHO, scheme.admission, benefit.conditions, of, name),
        what=what,
        illness_prefixes=_illnesses(scheme, what, of),
        cover_day=of.needed(f"{name}.cover_day", benefit.cover_day),
        waiting_days=of.needed("enrolment.waiting_days", scheme.enrolment.waiting_days),
        units_max=of.needed("enrolment.units_max", scheme.enrolment.units_max),
        period=period,
        days=days,
        rounding=of.needed("rounding", scheme.rounding),
        formula=_formula(benefit, of, name),
        cap=of.rule(f"{name}.cap", limits.cap),
        shared_with=limits.shared_with,
        per_claim=of.rule(f"{name}.per_claim", limits.per_claim),
        share_of=of.rule(f"{name}.share_of", limits.share_of),
        claims_max=of.rule(f"{name}.claims_max", limits.claims_max),
        once=of.rule(f"{name}.once", limits.once),
        window=of.rule(f"{name}.window", limits.window),
        death_payee=of.rule(f"{name}.death_payee", benefit.death_payee),
    )


class _Figures:
    """Finds figures of a scheme that are in force on the day."""

    def __init__(self, scheme: Scheme, day: date) -> None:
        self._scheme = scheme
        self.day = day

    def rule(self, name: str, figures: tuple[Figure[T], ...]) -> Rule[T] | None:
        figure = in_force(figures, self.day)
        return None if figure is None else Rule(_plain(figure.value), ref(name, figure))

    def needed(self, name: str, figures: tuple[Figure[T], ...]) -> Rule[T]:
        rule = self.rule(name, figures)
        if rule is None:
            raise SchemeFigureMissing(self._scheme.scheme_id, name, self.day)
        return rule


def _plain(value: T) -> T:
    """Give an amount as the int it is: arithmetic on a kind of int costs twice as much."""
    return cast("T", int(value)) if isinstance(value, Amount) else value


def _period(
    scheme: Scheme, benefit: Benefit, of: _Figures, name: str
) -> tuple[Rule[str], Days | None]:
    kind = of.needed(f"{name}.period", benefit.period)
    match kind.value:
        case "calendar_year":
            return kind, calendar_year(of.day)
        case "for_ever":
            return kind, FOR_EVER
        case "named":
            of.needed("periods", scheme.periods)
            figure = next(f for f in scheme.periods if f.holds(of.day))
            return kind, Days(figure.valid_from, figure.valid_to)
        case _:
            return kind, None


def _conditions(
    names: tuple[str, ...], shared: Conditions, own: Conditions, of: _Figures, benefit: str
) -> tuple[Condition, ...]:
    found = [
        (name, of.rule(f"{place}.{name}", getattr(part, name)))
        for name in names
        for place, part in (("admission", shared), (benefit, own))
    ]
    return tuple(Condition(name, rule) for name, rule in found if rule is not None)


def _illnesses(scheme: Scheme, what: tuple[Condition, ...], of: _Figures) -> tuple[str, ...]:
    lists = [condition.rule.value for condition in what if condition.name == "illnesses"]
    prefixes = (of.needed(name, scheme.illness_lists[name]).value for name in lists)
    # With and without its dot a code is the same code.
    return tuple(prefix.replace(".", "") for some in prefixes for prefix in some)


def _formula(benefit: Benefit, of: _Figures, name: str) -> FormulaTerms:
    match benefit.formula:
        case Excess() as formula:
            return _excess(formula, of, name)
        case Sections(sections=sections):
            return SectionsTerms(
                tuple(
                    SectionTerms(key, s.of, of.needed(f"{name}.{key}.rate", s.rate))
                    for key, s in sections.items()
                )
            )
        case Daily(per_day=per_day, same_day=same_day):
            if not per_day:
                of.needed(f"{name}.per_day", ())
            amounts = {c: of.needed(f"{name}.per_day.{c}", fs) for c, fs in per_day.items()}
            return DailyTerms(amounts, of.needed(f"{name}.same_day", same_day))
        case LumpSum(per_unit=per_unit, supplement=supplement):
            return LumpSumTerms(
                of.needed(f"{name}.per_unit", per_unit),
                of.rule(f"{name}.supplement", supplement),
            )
        case Graded() as formula:
            in_hospital = formula.in_hospital_maximum_per_unit
            return GradedTerms(
                of.needed(f"{name}.maximum_per_unit", formula.maximum_per_unit),
                of.rule(f"{name}.in_hospital_maximum_per_unit", in_hospital),
                of.needed(f"{name}.grades", formula.grades),
                of.needed(f"{name}.death", formula.death),
                of.needed(f"{name}.one_accident", formula.one_accident),
            )


def _excess(formula: Excess, of: _Figures, name: str) -> ExcessTerms:
    kinds = tuple(
        ExcessKind(
            kind=key,
            visits=of.rule(f"{name}.{key}.visits", kind.visits),
            floor=of.needed(f"{name}.{key}.floor", kind.floor),
            bands=(bands := of.needed(f"{name}.{key}.bands", kind.bands)),
            shown=tuple(str(band.rate) for band in bands.value),
            ratios=tuple(band.rate.as_integer_ratio() for band in bands.value),
        )
        for key, kind in formula.kinds.items()
    )
    by_visit = {visit: kind for kind in kinds if kind.visits for visit in kind.visits.value}
    return ExcessTerms(
        base=of.needed(f"{name}.base", formula.base),
        after_other_plans=of.rule(f"{name}.after_other_plans", formula.after_other_plans),
        kinds=kinds,
        kind_of=by_visit or None,
    )
