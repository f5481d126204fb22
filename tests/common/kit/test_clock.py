"""What time it is, and saying so."""

from datetime import UTC, date, datetime, timedelta

from services.common.kit import clock


def test_the_business_day_is_the_day_in_china() -> None:
    with clock.set_to(datetime(2026, 3, 31, 16, 0, tzinfo=UTC)):
        assert clock.today() == date(2026, 4, 1)


def test_a_set_clock_stands_still_until_it_is_moved_on_and_then_gives_way() -> None:
    with clock.set_to(datetime(2020, 1, 1, tzinfo=UTC)) as hands:
        assert clock.now() == clock.now()
        before = clock.monotonic()
        hands.advance(timedelta(seconds=90))
        assert clock.now() == datetime(2020, 1, 1, 0, 1, 30, tzinfo=UTC)
        assert clock.monotonic() - before == 90
    assert clock.now().year > 2020
    assert clock.now().tzinfo is UTC
