"""Days and the periods they fall into."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.common.period import Days, calendar_year


@given(st.dates())
def test_a_day_lies_in_its_calendar_year(day: date) -> None:
    year = calendar_year(day)
    assert year.holds(day)
    assert (year.starts.year, year.ends) == (day.year, date(day.year, 12, 31))


def test_both_ends_belong_to_a_range() -> None:
    days = Days(date(2024, 2, 29), date(2025, 2, 28))
    assert days.holds(date(2024, 2, 29))
    assert days.holds(date(2025, 2, 28))
    assert not days.holds(date(2024, 2, 28))
    assert not days.holds(date(2025, 3, 1))


def test_a_range_without_a_last_day_goes_on() -> None:
    assert Days(date(2012, 5, 1)).holds(date.max)
