"""What keeps a claim from a plan: each condition of a scheme file, judged by its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from services.claims.model import Coverage, Facts, Person, Reason
from services.common.period import Days, completed_years
from services.common.schemes.model import Ages, Confirmation, Groups
from services.common.schemes.terms import Condition, Terms


class Obstacle(NamedTuple):
    """What is in the way: the reason, the step and figure that say so, and what was found."""

    reason: Reason
    step: str
    figure: str
    found: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True, gc=False):
    """Whom and what the conditions are asked of; the term is of the cover."""

    facts: Facts
    person: Person
    cover: Coverage
    term: Days
    terms: Terms


Finding = tuple[Reason, tuple[str, ...]] | None


def first_broken(conditions: Sequence[Condition], asked: Asked) -> Obstacle | None:
    for name, rule in conditions:
        finding = _JUDGES[name](rule.value, asked)
        if finding is not None:
            reason, found = finding
            return Obstacle(reason, name, rule.ref, found)
    return None


def _missing(what: str) -> Finding:
    return Reason.FACT_MISSING, (what,)


def _psn_type(value: tuple[str, ...], asked: Asked) -> Finding:
    code = asked.facts.psn_type
    return None if code is None or code in value else (Reason.NOT_ELIGIBLE, (code,))


def _insutype(value: tuple[str, ...], asked: Asked) -> Finding:
    code = asked.facts.insutype
    return None if code is None or code in value else (Reason.NOT_ELIGIBLE, (code,))


def _standing(value: tuple[str, ...], asked: Asked) -> Finding:
    if not asked.cover.unmet:
        return None
    broken = sorted(asked.cover.unmet.intersection(value))
    return (Reason.NOT_ELIGIBLE, (" ".join(broken),)) if broken else None


def _groups(value: Groups, asked: Asked) -> Finding:
    if any(group in value.any_of for group in asked.person.groups):
        return None
    return Reason(value.otherwise), (" ".join(asked.person.groups),)


def _ages(value: Ages, asked: Asked) -> Finding:
    if asked.person.born is None:
        return _missing("born")
    age = completed_years(asked.person.born, asked.term.starts)
    return None if value.youngest <= age <= value.oldest else (Reason.AGE_LIMIT, (str(age),))


def _sex(value: str, asked: Asked) -> Finding:
    if asked.person.sex is None:
        return _missing("sex")
    return None if asked.person.sex == value else (Reason.SEX_NOT_COVERED, (asked.person.sex,))


def _relations(value: tuple[str, ...], asked: Asked) -> Finding:
    relation = asked.facts.relation
    return None if relation in value else (Reason.RELATION_NOT_COVERED, (relation,))


def _causes(value: tuple[str, ...], asked: Asked) -> Finding:
    cause = asked.facts.cause
    if cause in value:
        return None
    # An accident of which nobody said what kind it was.
    untold = not cause or (cause == "accident" and any(c.endswith("accident") for c in value))
    return _missing("cause") if untold else (Reason.NOT_COVERED_CAUSE, (cause,))


def _visits(value: tuple[str, ...], asked: Asked) -> Finding:
    visit = asked.facts.visit
    return None if visit in value else (Reason.NOT_COVERED_VISIT, (visit,))


def _illnesses(_: str, asked: Asked) -> Finding:
    if asked.facts.diagnosis is None:
        return _missing("diagnosis")
    code = asked.facts.diagnosis.open().upper().replace(".", "")
    if any(_covers(prefix, code) for prefix in asked.terms.illness_prefixes):
        return None
    return Reason.NOT_COVERED_DISEASE, ()


def _covers(prefix: str, code: str) -> bool:
    """`C50` covers C509; `C00-C43` covers all from C00 to C439."""
    first, _, last = prefix.partition("-")
    return code.startswith(first) if not last else first <= code[: len(last)] <= last


def _confirmed(value: tuple[Confirmation, ...], asked: Asked) -> Finding:
    for confirmation in value:
        concerned = set(confirmation.groups).intersection(asked.person.groups)
        if confirmation.groups and not concerned:
            continue
        answer = asked.facts.confirmed.get(confirmation.what)
        if answer is None:
            return _missing(confirmation.what)
        if not answer:
            return Reason(confirmation.otherwise), (confirmation.what,)
    return None


def _hospital_level(value: int, asked: Asked) -> Finding:
    level = asked.facts.hospital_level
    if level is None:
        return _missing("hospital_level")
    return None if level >= value else (Reason.HOSPITAL_LEVEL, (str(level),))


def _stay_days(value: int, asked: Asked) -> Finding:
    if asked.facts.admission is None:
        return _missing("admission")
    days = (asked.facts.day - asked.facts.admission).days
    return None if days >= value else (Reason.STAY_TOO_SHORT, (str(days),))


_JUDGES: Final[Mapping[str, Callable[[Any, Asked], Finding]]] = {
    "psn_type": _psn_type,
    "insutype": _insutype,
    "standing": _standing,
    "groups": _groups,
    "ages": _ages,
    "sex": _sex,
    "relations": _relations,
    "causes": _causes,
    "visits": _visits,
    "illnesses": _illnesses,
    "confirmed": _confirmed,
    "hospital_level_min": _hospital_level,
    "stay_days_min": _stay_days,
}
