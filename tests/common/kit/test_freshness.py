"""How long others need for what lies before them is told by their own pace."""

import pytest

from services.common.kit.freshness import FIRST_PER_S, SLOWEST_PER_S, Pace


def worked(pace: Pace, per_s: float, seconds: float, left: int = 1_000) -> float:
    """Work at that rate, looked at ten times a second; give the last answer."""
    done, found = 0.0, 0.0
    for tick in range(int(seconds * 10) + 1):
        found = pace.wait_s(tick / 10, int(done), left)
        done += per_s / 10
    return found


def test_the_pace_of_who_is_busy_is_what_was_seen() -> None:
    assert worked(Pace(), 5_000, 8) == pytest.approx(0.2, rel=0.05)
    assert worked(Pace(), 500, 8) == pytest.approx(2.0, rel=0.05)


def test_sets_that_come_at_once_do_not_look_like_speed() -> None:
    pace = Pace()
    waits = [pace.wait_s(tick / 10, tick // 10 * 1_000, 1_000) for tick in range(200)]
    assert all(0.5 < wait < 1.8 for wait in waits[50:])


def test_who_had_nothing_to_do_is_not_taken_for_slow() -> None:
    pace = Pace()
    worked(pace, 25, 60, left=0)
    assert pace.per_s == FIRST_PER_S


def test_who_stands_still_is_soon_waited_for_and_never_for_ever() -> None:
    pace = Pace()
    assert worked(pace, 0, 10) == 1_000 / SLOWEST_PER_S
