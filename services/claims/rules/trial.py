"""Worked cases of a scheme file, run through the engine: what they promise, what it gives."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.claims.model import (
    Assessment,
    Brought,
    Coverage,
    Facts,
    PeriodKey,
    Person,
    Refusal,
    Totals,
)
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.common.identity import Diagnosis
from services.common.money import Fen, parse_yuan, yuan
from services.common.period import Days, term_of
from services.common.schemes import joining
from services.common.schemes.figures import in_force
from services.common.schemes.model import Scheme, WorkedCase
from services.common.schemes.rulebook import Rulebook

_SOMEBODY: Final = UUID(int=1)
_COVERED_SINCE: Final = date(2010, 1, 1)
_ANSWERS: Final = ("total", "member_pays", "code", "admitted", "due", "ends_on")
AMOUNTS: Final = frozenset(
    {
        "in_scope",
        "self_pay_one",
        "pooled_paid",
        "co_pay_pooled",
        "co_pay_large_sum",
        "self_pay_after_insurance",
        "own_cost",
    }
)


class Tried(NamedTuple):
    """One claim of a worked case, or what it says about joining: what should come, what came."""

    case_id: str
    claim: int
    expected: Mapping[str, object]
    came: Mapping[str, object]
    assessed: tuple[Assessment, ...] = ()

    @property
    def agrees(self) -> bool:
        return self.expected == self.came


def try_cases(scheme: Scheme, rulebook: Rulebook) -> Iterator[Tried]:
    """Run the claims of all worked cases of a scheme; `rulebook` holds the scheme itself."""
    for case in scheme.cases:
        yield from _claims(case, scheme, rulebook)
        if case.joining:
            yield _joining(case, scheme, rulebook)


def _claims(case: WorkedCase, scheme: Scheme, rulebook: Rulebook) -> Iterator[Tried]:
    covers = [cover_from(scheme.scheme_id, case.cover)]
    who = case.person
    person = Person(who.get("born"), who.get("sex"), tuple(who.get("groups", ())))
    totals: dict[PeriodKey, Totals] = {}
    for number, claim in enumerate(case.claims, 1):
        said = dict(claim)
        expected = {name: said.pop(name) for name in ("benefit", "code", "payee") if name in said}
        aided = parse_yuan(said.pop("aided", "0.00"))
        found = cases(_SOMEBODY, facts_from(said), person, covers, rulebook)
        if isinstance(found, Refusal):
            yield Tried(case.id, number, expected, {"benefit": "0.00", "code": found.code})
            continue
        (assessed,) = assess([Brought(found.entries, aided)], totals)
        came: dict[str, object] = {"benefit": yuan(Fen(sum(done.benefit for done in assessed)))}
        code = next((done.code for done in assessed if done.code is not None), None)
        came |= {} if code is None else {"code": code}
        if "payee" in expected:
            came["payee"] = assessed[0].payee
        yield Tried(case.id, number, expected, came, assessed)


def _joining(case: WorkedCase, scheme: Scheme, rulebook: Rulebook) -> Tried:
    """Try what a case says about fees, participation, terms or the time to pay."""
    said = case.joining
    day = said.get("day", max(document.published for document in scheme.documents.values()))
    came: dict[str, object] = {}
    if "units" in said:
        try:
            due = joining.fee(
                rulebook,
                {scheme.scheme_id: said["units"]},
                new_member=said.get("new_member", False),
                day=day,
            )
            came |= {"total": yuan(due.total), "member_pays": yuan(due.member_pays)}
        except joining.SharesAboveMaximum as refused:
            came["code"] = refused.code
    if "staff" in said:
        numbers = {"staff": said["staff"], "joining": said["joining"]}
        came["admitted"] = joining.admitted(scheme, **numbers, day=day)
    if "accepted_on" in said:
        came["due"] = joining.pay_by(scheme, said["accepted_on"])
    if "joined_on" in said:
        years = in_force(scheme.enrolment.term_years, said["joined_on"])
        assert years is not None, "a case about a term needs one"
        came["ends_on"] = term_of(Days(said["joined_on"]), years.value, said["joined_on"]).ends
    expected = {name: said[name] for name in _ANSWERS if name in said}
    return Tried(case.id, 0, expected, came)


def facts_from(said: Mapping[str, Any]) -> Facts:
    """Read facts from plain values, amounts as yuan; raises `TypeError` for other names."""
    read: dict[str, Any] = dict(said)
    for name in AMOUNTS.intersection(said):
        read[name] = parse_yuan(said[name])
    if "diagnosis" in said:
        read["diagnosis"] = Diagnosis(said["diagnosis"])
    return Facts(**read)


def cover_from(scheme_id: str, said: Mapping[str, Any]) -> Coverage:
    days = Days(said.get("starts", _COVERED_SINCE), said.get("ends"))
    return Coverage(
        scheme_id,
        days,
        said.get("units", 1),
        frozenset(said.get("unmet", ())),
        renewed=said.get("renewed", True),
    )
