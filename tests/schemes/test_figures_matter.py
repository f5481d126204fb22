"""No figure stands in a scheme file in vain: changed a little, it changes a worked case.

Or it is refused on loading.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Final, NamedTuple

import msgspec
import pytest

from services.claims.rules.trial import try_cases
from services.common.schemes.checks import faults
from services.common.schemes.errors import SchemeFigureMissing
from services.common.schemes.figures import Named, named_figures
from services.common.schemes.load import load_rulebook
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook
from tests.schemes.changes import Change, changed, changes

RULEBOOK = load_rulebook()

# Changes that no worked case can show, by `scheme:figure:change`.
UNSEEN: Final[Mapping[str, str]] = {
    # Plans that cannot run: an amount is missing, and that comes before everything else.
    "cq.relief:condolence.*:*": "its amount is missing",
    "wh.allowance:allowance.*:*": "its amount for a day is missing",
    "wh.allowance:admission.standing:*": "its amount for a day is missing",
    "wh.allowance:enrolment.waiting_days:*": "its amount for a day is missing",
    "wh.allowance:periods:*": "its amount for a day is missing",
    "cq.allowance:daily.same_day:*": "a stay of one day is too short for the plan anyway",
    "cq.relief:*.period:*cover_term instead": "a cover without terms is one period, like for ever",
    "wh.gig:hospital.period:*for_ever instead": "each stay is paid for itself, nothing adds up",
    "ct.medical:medical.period:*for_ever instead": "each bill is paid for itself, nothing adds up",
    "wh.*.window:change on 2023-10-31": "the last day of a period and its end are one day",
    "ct.package:enrolment.units_max:*more": "the plans that it includes allow no second share",
    "ct.package:includes.ct.medical:*less": "a plan that pays by the bill asks for no shares",
}


class Shown(NamedTuple):
    """All that was ever in force under one name, in the scheme with the cases that show it."""

    whole: Scheme
    scheme: Scheme
    named: Named

    def said(self, change: Change) -> str:
        return f"{self.scheme.scheme_id}:{self.named.name}:{change.what}"

    def silent(self) -> list[Change]:
        """Give the changes that no case shows."""
        as_written = outcome(self.scheme)
        found = [(c, outcome(changed(self.scheme, self.named, c))) for c in changes(self.named)]
        noticed = {change.any_of for change, came in found if change.any_of and came != as_written}
        return [c for c, came in found if came == as_written and c.any_of not in noticed]

    def is_refused(self, change: Change) -> bool:
        """Say whether the file would not be loaded with the change, whatever its cases show."""
        found = faults(changed(self.whole, self.named, change))
        return any(not f.path.startswith("$.cases") and "no case" not in f.reason for f in found)


def outcome(scheme: Scheme) -> object:
    """Give what the cases come to; a figure without which they cannot run is an outcome too."""
    rulebook = Rulebook([scheme, *map(RULEBOOK.scheme, scheme.includes)])
    try:
        return [tried.came for tried in try_cases(scheme, rulebook)]
    except (SchemeFigureMissing, ZeroDivisionError) as stopped:
        return str(stopped)


def figures() -> Iterator[Shown]:
    for scheme in RULEBOOK:
        for named in named_figures(scheme):
            cases = [c for c in scheme.cases if named.name in _names(c.shows)]
            yield Shown(scheme, msgspec.structs.replace(scheme, cases=tuple(cases)), named)


def _names(shows: tuple[str, ...]) -> list[str]:
    return [name.partition("@")[0] for name in shows]


FIGURES: Final = {f"{shown.scheme.scheme_id}:{shown.named.name}": shown for shown in figures()}


@pytest.mark.parametrize("figure", FIGURES)
def test_a_small_change_of_a_figure_changes_a_case_that_shows_it(figure: str) -> None:
    shown = FIGURES[figure]
    silent = [c for c in shown.silent() if not shown.is_refused(c)]
    unexplained = [
        shown.said(c) for c in silent if not any(fnmatch(shown.said(c), p) for p in UNSEEN)
    ]
    assert unexplained == []


def test_every_exception_is_still_needed() -> None:
    silent = [(shown, change) for shown in FIGURES.values() for change in shown.silent()]
    said = [shown.said(change) for shown, change in silent if not shown.is_refused(change)]
    assert [p for p in UNSEEN if not any(fnmatch(one, p) for one in said)] == []
