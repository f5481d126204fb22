"""The engine gives to the fen what every worked case of the scheme files was worked out to."""

from collections.abc import Iterator

import pytest

from services.claims.rules.trial import Tried, try_cases
from services.common.schemes.load import load_rulebook

RULEBOOK = load_rulebook()


def tried() -> Iterator[tuple[str, Tried]]:
    for scheme in RULEBOOK:
        for one in try_cases(scheme, RULEBOOK):
            yield f"{scheme.scheme_id}:{one.case_id}:{one.claim}", one


CLAIMS = dict(tried())


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_engine_gives_what_was_worked_out_by_hand(claim: str) -> None:
    assert CLAIMS[claim].came == CLAIMS[claim].expected


def test_every_worked_case_was_tried() -> None:
    cases = {f"{scheme.scheme_id}:{case.id}" for scheme in RULEBOOK for case in scheme.cases}
    assert {claim.rpartition(":")[0] for claim in CLAIMS} == cases
