"""Schemes made up for the tests: round figures of all kinds, also such as no scheme has today."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from services.claims.model import Coverage
from services.common.period import Days
from services.common.schemes.load import convert
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook

SINCE = date(2020, 1, 1)
COVER = Coverage("made.up", Days(SINCE))
Raw = dict[str, Any]


def figure(value: object, since: date = SINCE, until: date | None = None) -> list[Raw]:
    return [{"value": value, "valid_from": since, "valid_to": until, "assumed": "made up"}]


def figures(**values: object) -> Raw:
    return {name: figure(value) for name, value in values.items()}


def excess(*, after_other_plans: bool | None = None, **kinds: Mapping[str, object]) -> Raw:
    """Make kinds of care of `{visits, floor, bands}`; alone and without visits one takes all."""
    formula: Raw = {"type": "excess", **figures(base="self_pay_one")}
    if after_other_plans is not None:
        formula |= figures(after_other_plans=after_other_plans)
    said = kinds or {"care": {}}
    formula["kinds"] = {
        name: {"name": _words(name), **figures(**{**_SHARE, **parts})}
        for name, parts in said.items()
    }
    return formula


_SHARE: Mapping[str, object] = {"floor": "1000.00", "bands": [{"rate": "0.80"}]}


def sections(**rates: str) -> Raw:
    """Make sections of rates by base: `sections(co_pay_pooled="0.70")`."""
    parts = {of: {"name": _words(of), "of": of, **figures(rate=r)} for of, r in rates.items()}
    return {"type": "sections", "sections": parts}


def daily(same_day: int = 0, **per_day: str) -> Raw:
    return {"type": "daily", "per_day": figures(**per_day), **figures(same_day=same_day)}


def lump_sum(per_unit: str = "5000.00", **supplement: str) -> Raw:
    more = figures(supplement=supplement) if supplement else {}
    return {"type": "lump_sum", **figures(per_unit=per_unit), **more}


def graded(maximum: str = "10000.00", in_hospital: str | None = None, death: str = "1.00") -> Raw:
    grades = [f"{tenths / 10:.2f}" for tenths in range(10, 0, -1)]
    formula = figures(
        maximum_per_unit=maximum, grades=grades, death=death, one_accident="shares_the_maximum"
    )
    if in_hospital is not None:
        formula |= figures(in_hospital_maximum_per_unit=in_hospital)
    return {"type": "graded", **formula}


def benefit(formula: Raw, **changed: Any) -> Raw:  # noqa: ANN401 (parts of a raw file)
    """Make a benefit of plain values: `conditions` and `limits` by name, others as `period=`."""
    conditions, limits = changed.pop("conditions", {}), dict(changed.pop("limits", {}))
    shared_with = limits.pop("shared_with", ())
    return {
        "name": _words("benefit"),
        "aid": changed.pop("aid", "indemnity"),
        "events": changed.pop("events", ["treatment"]),
        "conditions": figures(**conditions),
        "limits": {"shared_with": shared_with, **figures(**limits)},
        "formula": formula,
        **figures(**{"cover_day": "day", "period": "calendar_year", **changed}),
    }


def scheme(benefits: Raw, scheme_id: str = "made.up", **changed: Any) -> Scheme:  # noqa: ANN401 (parts of a raw file)
    """Make a scheme of benefits and plain values; `joining` holds raw parts of `enrolment`."""
    enrolment = {"waiting_days": 0, "units_max": 3, "figures_of": "event_day"}
    return convert(
        {
            "scheme_id": scheme_id,
            "order": changed.pop("order", 1),
            "name": _words(scheme_id),
            "documents": {},
            "enrolment": figures(**(enrolment | changed.pop("enrolment", {})))
            | changed.pop("joining", {}),
            "admission": figures(**changed.pop("admission", {})),
            "illness_lists": figures(**changed.pop("illness_lists", {})),
            "rounding": figure("half_up"),
            "benefits": benefits,
            **changed,
        }
    )


def rulebook(*schemes: Scheme | Raw) -> Rulebook:
    """Put schemes together; a benefit alone is the scheme `made.up` with that one benefit."""
    return Rulebook(_whole(schemes))


def _whole(schemes: Iterable[Scheme | Raw]) -> Iterable[Scheme]:
    return [s if isinstance(s, Scheme) else scheme({"benefit": s}) for s in schemes]


def _words(name: str) -> Raw:
    return {"zh": name, "en": name}
