"""The engine gives to the fen what every worked case of the scheme files was worked out to."""

from typing import Final

import pytest
from msgspec.structs import replace

from services.claims.rules.trial import try_cases
from services.common.schemes.load import load_rulebook
from services.common.schemes.model import Scheme, WorkedCase

RULEBOOK: Final = load_rulebook()
CASES: Final = {
    f"{scheme.scheme_id}:{case.id}": (scheme, case) for scheme in RULEBOOK for case in scheme.cases
}


def alone(scheme: Scheme, case: WorkedCase) -> Scheme:
    return replace(scheme, cases=(case,))


@pytest.mark.parametrize("case", CASES)
def test_the_engine_gives_what_was_worked_out_by_hand(case: str) -> None:
    tried = list(try_cases(alone(*CASES[case]), RULEBOOK))
    assert [one.came for one in tried] == [one.expected for one in tried]


@pytest.mark.parametrize("scheme", [*RULEBOOK], ids=lambda scheme: scheme.scheme_id)
def test_every_claim_of_every_case_is_tried(scheme: Scheme) -> None:
    tried = [(one.case_id, one.claim) for one in try_cases(scheme, RULEBOOK)]
    claims = [(case.id, n) for case in scheme.cases for n in range(1, len(case.claims) + 1)]
    joining = [(case.id, 0) for case in scheme.cases if case.joining]
    assert sorted(tried) == sorted(claims + joining)
