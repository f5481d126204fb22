"""Every scheme gives the fen that its worked cases were worked out to by hand."""

from datetime import date
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec
import pytest
import yaml

from services.claims.model import Assessment, Coverage, PeriodKey, Totals
from services.claims.rules import assess, cases
from services.common.money import parse_yuan
from services.common.period import Days
from services.common.schemes.load import load_rulebook
from tests.claims.settlements import a_settlement

RULEBOOK = load_rulebook()
MEMBER = UUID(int=1)


class Arrival(msgspec.Struct, forbid_unknown_fields=True):
    enddate: date
    med_type: str
    self_pay_one: str
    benefit: str
    code: str | None = None
    insutype: str = "310"


class WorkedCase(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    clause: str
    why: str
    settlements: list[Arrival]


class Worked(NamedTuple):
    scheme_id: str
    case: WorkedCase


def worked_cases() -> list[Worked]:
    found: list[Worked] = []
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        raw = yaml.safe_load(path.read_text("utf-8"))["cases"]
        read = msgspec.convert(raw, list[WorkedCase], builtin_types=(date,))
        found += [Worked(path.stem, case) for case in read]
    return found


@pytest.mark.parametrize("worked", worked_cases(), ids=lambda worked: worked.case.id)
def test_the_engine_gives_what_was_worked_out_by_hand(worked: Worked) -> None:
    coverages = [Coverage(worked.scheme_id, Days(date(2012, 5, 1)))]
    totals: dict[PeriodKey, Totals] = {}
    for arrival in worked.case.settlements:
        day = arrival.enddate.isoformat()
        settlement = a_settlement(
            arrival.self_pay_one,
            begndate=day,
            enddate=day,
            med_type=arrival.med_type,
            insutype=arrival.insutype,
        )
        opened = cases(MEMBER, settlement, coverages, RULEBOOK)
        assert isinstance(opened, tuple)
        (assessment,) = assess(opened, totals)
        assert isinstance(assessment, Assessment)
        assert assessment.benefit == parse_yuan(arrival.benefit), assessment.working
        assert assessment.code == arrival.code


def test_every_scheme_has_worked_cases() -> None:
    assert {scheme.scheme_id for scheme in RULEBOOK} == {w.scheme_id for w in worked_cases()}
