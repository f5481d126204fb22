"""How a benefit is worked out, in words."""

from typing import Final

from deploy.docs.schemes import names
from deploy.docs.schemes.values import alone, rule
from deploy.docs.schemes.words import DICTIONARY, joined, percent, put, sentences
from services.common.schemes.model import (
    Benefit,
    Daily,
    Excess,
    Graded,
    LumpSum,
    Sections,
    Words,
)

_FORMULAS: Final = DICTIONARY.formulas
_OR: Final = DICTIONARY.values["or"]
_GRADED: Final = (
    "maximum_per_unit",
    "in_hospital_maximum_per_unit",
    "grades",
    "death",
    "one_accident",
)


def formula(benefit: Benefit) -> Words:
    """Tell the formula of a benefit that lacks no figure."""
    match benefit.formula:
        case Excess() as excess:
            return _excess(excess)
        case Sections() as sections:
            return _sections(sections)
        case Daily() as daily:
            return sentences([_daily(daily), rule("same_day", daily.same_day)])
        case LumpSum() as lump_sum:
            parts = ("per_unit", "supplement")
            return sentences(rule(part, getattr(lump_sum, part)) for part in parts)
        case Graded() as graded:
            return sentences(rule(part, getattr(graded, part)) for part in _GRADED)


def in_short(benefit: Benefit) -> Words:
    """Tell the formula without what is seldom asked for."""
    match benefit.formula:
        case Daily() as daily:
            return _daily(daily)
        case Graded() as graded:
            return _graded_in_short(graded)
        case _:
            return formula(benefit)


def _excess(excess: Excess) -> Words:
    kinds = (
        put(
            _FORMULAS["kind"],
            name=kind.name,
            floor=rule("floor", kind.floor),
            bands=rule("bands", kind.bands),
        )
        for kind in excess.kinds.values()
    )
    parts = sentences([rule("after_other_plans", excess.after_other_plans), *kinds])
    return put(_FORMULAS["excess"], base=rule("base", excess.base), kinds=parts)


def _sections(sections: Sections) -> Words:
    parts = (
        put(_FORMULAS["section"], name=each.name, rate=alone("rate", each.rate))
        for each in sections.sections.values()
    )
    return put(_FORMULAS["sections"], parts=joined(parts, _FORMULAS["plus"]))


def _daily(daily: Daily) -> Words:
    """Tell the amounts for a day, those that are alike together."""
    alike: dict[Words, list[Words]] = {}
    for cause, figures in daily.per_day.items():
        alike.setdefault(alone("per_day", figures), []).append(names.called(cause, "causes"))
    each = (
        put(DICTIONARY.sentences["per_day"], value=value, causes=joined(causes, _OR))
        for value, causes in alike.items()
    )
    return sentences(each)


def _graded_in_short(graded: Graded) -> Words:
    rates = max(graded.grades, key=lambda figure: figure.valid_from).value
    return put(
        _FORMULAS["graded"],
        maximum=alone("maximum_per_unit", graded.maximum_per_unit),
        most=percent(rates[0]),
        least=percent(rates[-1]),
        death=alone("death", graded.death),
    )
