"""The rules of a scheme and of its benefits in words: row by row, Chinese and English."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from deploy.docs.schemes import names
from deploy.docs.schemes.formulas import formula
from deploy.docs.schemes.values import rule
from deploy.docs.schemes.words import DICTIONARY, NOTHING, joined, listed, put, same, sentences
from services.common.schemes.figures import Figure
from services.common.schemes.model import Benefit, Conditions, Fee, Scheme, Words


class Row(NamedTuple):
    """What a rule is about, and what it says."""

    head: Words
    text: Words


def of_scheme(scheme: Scheme, plans: Mapping[str, Words]) -> Iterator[Row]:
    """Give the rules that hold for all benefits; `plans` are the names of all schemes by id."""
    enrolment = scheme.enrolment
    by_parts = DICTIONARY.formulas["by_parts"] if scheme.includes else NOTHING
    yield from _row("admitted", _conditions("admission", scheme.admission), by_parts)
    yield from _row("includes", _included(scheme, plans))
    yield from _row("fee", fee(enrolment.fee))
    yield from _row("shares", rule("units_max", enrolment.units_max))
    no_term = DICTIONARY.sentences["no_term"]
    yield from _row("term", rule("term_years", enrolment.term_years), no_term)
    yield from _row("waiting", rule("waiting_days", enrolment.waiting_days))
    if enrolment.participation is not None:
        rate = rule("rate", enrolment.participation.rate)
        everybody = rule("all_below", enrolment.participation.all_below)
        yield from _row("participation", sentences([rate, everybody]))
    yield from _row("periods", rule("periods", scheme.periods))
    yield from _row("edition", rule("figures_of", enrolment.figures_of))
    yield from _row("processing", rule("processing_months", scheme.processing_months))
    yield from _row("rounding", rule("rounding", scheme.rounding))


def of_benefit(name: str, scheme: Scheme, plans: Mapping[str, Words]) -> Iterator[Row]:
    """Give the rules of one benefit."""
    benefit = scheme.benefits[name]
    events = listed(DICTIONARY.events[event] for event in benefit.events)
    aid = put(DICTIONARY.formulas["edition"], value=events, days=DICTIONARY.aids[benefit.aid])
    yield from _row("pays_for", aid)
    yield from _row("conditions", _conditions(name, benefit.conditions))
    if lacking := lacks(name, scheme):
        yield from _row("missing", lacking)
    else:
        yield from _row("formula", formula(benefit))
    day = listed(DICTIONARY.days[event] for event in benefit.events)
    yield from _row("cover_day", rule("cover_day", benefit.cover_day, day=day))
    yield from _row("period", rule("period", benefit.period))
    yield from _row("limits", limits(benefit, plans), DICTIONARY.formulas["no_limit"])
    no_window = DICTIONARY.formulas["no_window"]
    yield from _row("window", rule("window", benefit.limits.window), no_window)
    yield from _row(
        "payee", rule("death_payee", benefit.death_payee), DICTIONARY.formulas["member"]
    )


def lacks(benefit: str, scheme: Scheme) -> Words | None:
    """Name the figures that a benefit cannot be worked out without and nobody has given."""
    missing = [name for name in scheme.missing if name.startswith(f"{benefit}.")]
    if not missing:
        return None
    figures = listed(names.figure_called(name) for name in missing)
    return put(DICTIONARY.formulas["lacking"], figure=figures)


def limits(benefit: Benefit, plans: Mapping[str, Words]) -> Words:
    """Say what a benefit never exceeds; nothing where there is no limit."""
    most = benefit.limits
    shared = listed(plans[other] for other in most.shared_with)
    together = put(DICTIONARY.formulas["shared"], plan=shared) if most.shared_with else NOTHING
    counted = max(benefit.period, key=lambda figure: figure.valid_from).value
    period = names.called(counted, "period")
    parts = ("per_claim", "share_of", "claims_max", "once")
    each = (rule(part, getattr(most, part), period=period) for part in parts)
    cap = rule("cap", most.cap, period=period)
    return sentences([*each, joined([cap, together], NOTHING)])


def _row(head: str, text: Words, otherwise: Words = NOTHING) -> Iterator[Row]:
    said = otherwise if text == NOTHING else text
    if said != NOTHING:
        yield Row(DICTIONARY.rows[head], said)


def _conditions(place: str, conditions: Conditions) -> Words:
    each: list[tuple[str, tuple[Figure[Any], ...]]] = [
        (name, getattr(conditions, name)) for name in conditions.__struct_fields__
    ]
    return sentences(rule(f"{place}.{name}", figures) for name, figures in each)


def _included(scheme: Scheme, plans: Mapping[str, Words]) -> Words:
    return listed(
        rule(f"includes.{other}", figures, plan=plans[other])
        for other, figures in scheme.includes.items()
    )


def fee(due: Fee) -> Words:
    """Say what a share costs and who pays it."""
    parts = [rule("member", due.member), rule("union", due.union)]
    if due.membership is not None:
        entered = same(due.membership.association)
        parts.append(rule("amount", due.membership.amount, association=entered))
    return sentences(parts)
