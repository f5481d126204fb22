"""What is in force on a day is found once for many days, and is what the file says for that day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.common.schemes.errors import SchemeFigureMissing
from services.common.schemes.figures import named_figures
from services.common.schemes.load import load_rulebook
from services.common.schemes.terms import Terms, terms_on

RULEBOOK = load_rulebook()
BENEFITS = [(s.scheme_id, benefit) for s in RULEBOOK for benefit in s.benefits]
# Days around every change, and any other.
CHANGES = sorted(
    {
        day
        for scheme in RULEBOOK
        for named in named_figures(scheme)
        for figure in named.figures
        for day in (figure.valid_from, figure.valid_to)
        if day is not None
    }
)
DAYS = st.dates(date(2009, 1, 1), date(2035, 12, 31)) | st.sampled_from(CHANGES)


def asked(scheme_id: str, benefit: str, day: date) -> Terms | str:
    try:
        return terms_on(RULEBOOK.scheme(scheme_id), benefit, day)
    except SchemeFigureMissing as missing:
        return str(missing)


def kept(scheme_id: str, benefit: str, day: date) -> Terms | str:
    try:
        return RULEBOOK.terms(scheme_id, benefit, day)
    except SchemeFigureMissing as missing:
        return str(missing)


@given(st.sampled_from(BENEFITS), DAYS)
def test_terms_that_are_kept_are_those_of_the_day(plan: tuple[str, str], day: date) -> None:
    assert kept(*plan, day) == asked(*plan, day)


def test_days_between_two_changes_share_their_terms() -> None:
    spring, autumn = date(2019, 3, 1), date(2019, 10, 1)
    assert RULEBOOK.terms("bj.mutual", "medical", spring) is RULEBOOK.terms(
        "bj.mutual", "medical", autumn
    )


def test_schemes_stand_in_their_declared_order() -> None:
    orders = [scheme.order for scheme in RULEBOOK]
    assert orders == sorted(orders)
    ids = [scheme.scheme_id for scheme in RULEBOOK]
    assert RULEBOOK.in_order(reversed(ids)) == ids
