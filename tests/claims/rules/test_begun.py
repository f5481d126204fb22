"""A term that had begun keeps its books when its cover is carried back to an earlier day."""

from datetime import date
from typing import Any
from uuid import UUID

from services.claims.model import Assessment, Brought, Case, Coverage, PeriodKey, Totals
from services.claims.rules.begun import Begun
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook
from tests.claims.rules.books import MEMBER, Books, a_claim
from tests.claims.rules.made_up import benefit, excess, lump_sum, rulebook, scheme

CARRIED_BACK = date(2024, 1, 1)
BEGUN = date(2024, 2, 1)
IN_USE = Totals(sums={"care": Fen(1000_00)})


def of_term(plan: dict[str, Any] | None = None, years: int = 1) -> Scheme:
    plans = {"benefit": plan or benefit(excess(), period="cover_term")}
    return scheme(plans, enrolment={"term_years": years})


def key(starts: date, member_id: UUID = MEMBER, scheme_id: str = "made.up") -> PeriodKey:
    return PeriodKey(member_id, scheme_id, starts)


def brought(rules: Rulebook, starts: date = CARRIED_BACK) -> Brought:
    return Books(rules, [Coverage("made.up", Days(starts))]).bring(a_claim())


def placed(totals: dict[PeriodKey, Totals], plan: Scheme | None = None) -> date:
    """Give the first day of the period that the claim enters, of a cover since New Year."""
    found = Begun(totals).place(brought(rulebook(plan or of_term())))
    (entry,) = found.entries
    assert isinstance(entry, Case)
    return entry.key.starts


def test_a_claim_enters_the_books_that_its_term_has_already() -> None:
    assert placed({key(BEGUN): IN_USE}) == BEGUN


def test_without_books_a_term_begins_with_its_cover() -> None:
    assert placed({}) == CARRIED_BACK


def test_a_term_with_books_of_its_own_keeps_to_them() -> None:
    assert placed({key(CARRIED_BACK): Totals(), key(BEGUN): IN_USE}) == CARRIED_BACK


def test_of_several_books_inside_the_term_the_first_ones_are_taken() -> None:
    later = date(2024, 3, 1)
    assert placed({key(later): IN_USE, key(BEGUN): IN_USE}) == BEGUN


def test_books_of_others_and_of_other_schemes_are_not_entered() -> None:
    others = {key(BEGUN, UUID(int=8)): IN_USE, key(BEGUN, scheme_id="other"): IN_USE}
    assert placed(others) == CARRIED_BACK


def test_books_before_or_behind_the_term_are_not_entered() -> None:
    assert placed({key(date(2023, 12, 31)): IN_USE}) == CARRIED_BACK
    assert placed({key(date(2025, 1, 1)): IN_USE}) == CARRIED_BACK
    assert placed({key(date(2024, 12, 31)): IN_USE}) == date(2024, 12, 31)


def test_a_cover_without_end_has_books_at_any_later_day() -> None:
    endless = scheme({"benefit": benefit(excess(), period="cover_term")})
    assert placed({key(date(2030, 1, 1)): IN_USE}, endless) == date(2030, 1, 1)


def test_books_that_hold_sums_of_other_benefits_are_not_entered() -> None:
    """Of a scheme whose one benefit counts by years and the other by terms."""
    assert placed({key(BEGUN): Totals(sums={"another": Fen(1)})}) == CARRIED_BACK
    sums = of_term(benefit(lump_sum(), period="cover_term"))
    assert placed({key(BEGUN): IN_USE}, sums) == CARRIED_BACK
    assert placed({key(BEGUN): Totals(sums={"benefit": Fen(1)})}, sums) == BEGUN


def test_books_of_one_kind_of_care_are_those_of_the_others_too() -> None:
    kinds = excess(
        inpatient={"visits": ["inpatient"]}, outpatient={"visits": ["ordinary_outpatient"]}
    )
    plan = of_term(benefit(kinds, period="cover_term"))
    assert placed({key(BEGUN): Totals(sums={"outpatient": Fen(1)})}, plan) == BEGUN


def test_a_calendar_year_begins_with_itself() -> None:
    years = scheme({"benefit": benefit(excess())})
    rules = rulebook(years)
    claim = brought(rules, date(2023, 5, 5))
    assert Begun({key(BEGUN): IN_USE}).place(claim) is claim


def test_only_the_cases_of_terms_are_placed_anew() -> None:
    terms = {
        "year": benefit(excess()),
        "term": benefit(lump_sum(), period="cover_term"),
        "women": benefit(lump_sum(), period="cover_term", conditions={"sex": "F"}),
    }
    claim = brought(rulebook(scheme(terms, enrolment={"term_years": 1})), date(2023, 12, 1))
    books = {key(BEGUN): Totals(sums={"term": Fen(1), "care": Fen(1), "women": Fen(1)})}
    found = Begun(books).place(claim._replace(aided=Fen(7)))
    year, term, women = found.entries
    assert isinstance(year, Case)
    assert isinstance(term, Case)
    assert isinstance(women, Assessment)
    assert (year.key.starts, term.key.starts) == (date(2024, 1, 1), BEGUN)
    assert found.aided == 7
    assert (year, women) == (claim.entries[0], claim.entries[2])
