"""A draft judges a member's claims as they came: whole periods, other plans as they were booked."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from services.claims.backtest.replay import Past, Patient, Replayed, TakenBack, replay
from services.claims.backtest.tally import Tally
from services.claims.backtest.trial import Trial, asks_for_diagnoses, whole_periods
from services.claims.model import Brought, Coverage, Facts, InPlan, PeriodKey, Person, Totals
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.common.ids import derived_id
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.load import load_rulebook
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook
from tests.claims.rules.books import MEMBER, NOBODY_ASKS, a_claim
from tests.claims.rules.made_up import (
    COVER,
    SINCE,
    benefit,
    daily,
    excess,
    figure,
    rulebook,
    scheme,
    sections,
)

YEAR_2024 = Days(date(2024, 1, 1), date(2024, 12, 31))


def a_scheme(floor: str = "1000.00", scheme_id: str = "made.up", **limits: Any) -> Scheme:  # noqa: ANN401 (parts of a raw file)
    medical = benefit(excess(care={"floor": floor}), limits=limits)
    return scheme({"medical": medical}, scheme_id)


def booked(in_force: Rulebook, covers: Sequence[Coverage], *claims: Facts) -> list[Past]:
    """Settle claims as the books would, each before all plans."""
    totals: dict[PeriodKey, Totals] = {}
    told: list[Past] = []
    for number, facts in enumerate(claims):
        found = cases(MEMBER, facts, NOBODY_ASKS, covers, in_force)
        assert isinstance(found, Brought), found
        (assessed,) = assess([found], totals)
        plans = tuple(
            InPlan(
                a.scheme_id, a.benefit_name, a.code, a.benefit, a.key and a.key.starts, a.counted
            )
            for a in assessed
        )
        told.append(Past(derived_id("claim", number), facts, plans))
    return told


def tried(
    trial: Trial, events: Sequence[Past | TakenBack], covers: Sequence[Coverage] = (COVER,)
) -> list[Replayed]:
    return list(replay(Patient(MEMBER, "U1", NOBODY_ASKS, covers), events, trial))


def amounts(found: Sequence[Replayed]) -> list[tuple[int, int]]:
    return [(one.booked, one.drafted) for one in found]


def test_the_figures_in_force_change_nothing() -> None:
    in_force = rulebook(a_scheme())
    events = booked(in_force, [COVER], *[a_claim(self_pay_one=Fen(n * 400_00)) for n in range(9)])
    found = tried(Trial(in_force.scheme("made.up"), in_force), events)
    assert [one.drafted for one in found] == [one.booked for one in found]
    assert [one.code_drafted for one in found] == [one.code_booked for one in found]


def test_a_lower_floor_pays_once_in_a_period() -> None:
    in_force = rulebook(a_scheme())
    events = booked(in_force, [COVER], a_claim(), a_claim())
    found = tried(Trial(a_scheme("500.00"), in_force), events)
    assert amounts(found) == [(1040_00, 1440_00), (1840_00, 1840_00)]


def test_claims_before_the_days_asked_about_fill_the_period_and_are_not_counted() -> None:
    in_force = rulebook(a_scheme())
    events = booked(in_force, [COVER], a_claim(day=date(2024, 1, 9)), a_claim(day=date(2024, 7, 9)))
    tally = Tally()
    patient = Patient(MEMBER, "U1", NOBODY_ASKS, [COVER])
    found = replay(patient, events, Trial(a_scheme("500.00"), in_force))
    tally.add(patient, found, Days(date(2024, 7, 1), date(2024, 7, 31)))
    assert (tally.whole.claims, tally.whole.booked, tally.whole.drafted) == (1, 1840_00, 1840_00)


def test_what_was_taken_back_moves_the_sums_and_is_no_claim() -> None:
    in_force = rulebook(a_scheme())
    first, second = booked(in_force, [COVER], a_claim(), a_claim())
    # 2300.00 x 2 less the floor, at 80 %: without the first claim 1040.00 is owed in all.
    back = TakenBack(first.claim_id, {"made.up": Fen(-1840_00)})
    events = [first._replace(stands=False), second, back]
    same = tried(Trial(in_force.scheme("made.up"), in_force), events)
    assert amounts(same) == [(1040_00, 1040_00), (1840_00, 1840_00), (-1840_00, -1840_00)]
    lower = tried(Trial(a_scheme("500.00"), in_force), events)
    assert amounts(lower) == [(1040_00, 1440_00), (1840_00, 1840_00), (-1840_00, -1840_00)]
    tally = Tally()
    tally.add(Patient(MEMBER, "U1", NOBODY_ASKS, [COVER]), lower, YEAR_2024)
    whole = tally.whole
    assert (whole.claims, whole.members, whole.booked, whole.drafted) == (1, 1, 1040_00, 1440_00)


def test_what_an_earlier_plan_made_good_stays_as_it_was_booked() -> None:
    earlier = scheme({"first": benefit(sections(self_pay_one="0.90"))}, "earlier", order=1)
    later = scheme({"second": benefit(sections(self_pay_one="0.05"))}, "later", order=2)
    in_force = rulebook(earlier, later)
    covers = [Coverage("earlier", Days(SINCE)), Coverage("later", Days(SINCE))]
    events = booked(in_force, covers, a_claim(own_cost=Fen(2300_00)))
    dearer = scheme({"second": benefit(sections(self_pay_one="0.80"))}, "later", order=2)
    (found,) = tried(Trial(dearer, in_force), events, covers)
    # Of 2300.00 the first plan has made good 2070.00.
    assert (found.booked, found.drafted) == (115_00, 230_00)
    assert found.code_drafted == "CAP_OWN_COST"


def test_a_cap_shared_with_another_plan_counts_what_that_one_was_granted() -> None:
    mine = a_scheme("0.00", cap="2000.00", shared_with=["other"])
    other = scheme({"stay": benefit(daily(disease="100.00"), aid="allowance")}, "other", order=0)
    in_force = rulebook(mine, other)
    covers = [COVER, Coverage("other", Days(SINCE))]
    events = booked(in_force, covers, a_claim())
    (same,) = tried(Trial(mine, in_force), events, covers)
    # Eight days of the other plan leave 1200.00 of the cap.
    assert (same.booked, same.drafted) == (1200_00, 1200_00)
    (raised,) = tried(
        Trial(a_scheme("0.00", cap="2500.00", shared_with=["other"]), in_force), events, covers
    )
    assert raised.drafted == 1700_00


def test_claims_that_are_no_matter_of_the_scheme_are_not_counted() -> None:
    in_force = rulebook(a_scheme(), a_scheme(scheme_id="other"))
    covers = [Coverage("other", Days(SINCE))]
    events = booked(in_force, covers, a_claim())
    assert tried(Trial(in_force.scheme("made.up"), in_force), events, covers) == []


def test_a_scheme_is_tried_on_who_holds_it_in_a_package_too() -> None:
    package = scheme({}, "package", includes={"made.up": figure(1)})
    in_force = rulebook(a_scheme(), package)
    covers = [Coverage("package", Days(SINCE))]
    events = booked(in_force, covers, a_claim())
    assert amounts(tried(Trial(a_scheme("500.00"), in_force), events, covers)) == [
        (1040_00, 1440_00)
    ]


def test_a_draft_of_a_package_changes_what_is_held_of_its_schemes() -> None:
    stay = scheme({"stay": benefit(daily(disease="100.00"), aid="allowance")})
    package = scheme({}, "package", includes={"made.up": figure(1)})
    in_force = rulebook(stay, package)
    covers = [Coverage("package", Days(SINCE))]
    events = booked(in_force, covers, a_claim())
    assert amounts(tried(Trial(package, in_force), events, covers)) == [(800_00, 800_00)]
    without = scheme({}, "package", includes={})
    assert amounts(tried(Trial(without, in_force), events, covers)) == [(800_00, 0)]


def test_figures_of_one_day_hold_for_every_claim_and_its_period_stays_its_own() -> None:
    in_force = load_rulebook()
    weihai = in_force.scheme("wh.medical")
    covers = [Coverage("wh.medical", Days(SINCE))]
    days = (date(2023, 3, 8), date(2023, 10, 31), date(2023, 11, 1))
    claims = [a_claim(day=day, admission=day, self_pay_one=Fen(9000_00)) for day in days]
    claims = [msgspec.structs.replace(claim, own_cost=Fen(9000_00)) for claim in claims]
    events = booked(in_force, covers, *claims)
    assert amounts(tried(Trial(weihai, in_force), events, covers)) == [
        (800_00, 800_00),
        (7200_00, 7200_00),
        (2400_00, 2400_00),
    ]
    # The floor of period 15 is 6000.00; the first two stays share period 14, the third does not.
    of_period_15 = Trial(weihai, in_force, as_of=date(2023, 11, 1))
    assert amounts(tried(of_period_15, events, covers)) == [
        (800_00, 2400_00),
        (7200_00, 7200_00),
        (2400_00, 2400_00),
    ]


def test_whole_periods_are_read() -> None:
    in_force = load_rulebook()
    starts, ends = date(2023, 3, 1), date(2023, 5, 31)

    def read_for(scheme_id: str) -> Days:
        return whole_periods([in_force.scheme(scheme_id)], starts, ends)

    assert read_for("bj.mutual") == Days(date(2023, 1, 1), date(2023, 12, 31))
    assert read_for("wh.medical") == Days(date(2022, 11, 1), date(2023, 10, 31))
    # A term of a year, and the stay that began in the one before.
    assert read_for("ct.medical") == Days(date(2021, 3, 1), date(2025, 5, 28))
    assert read_for("cq.relief") == Days(date(1900, 1, 1), date.max)


def test_a_draft_that_asks_settlements_for_diagnoses_is_known() -> None:
    ill = benefit(excess(), conditions={"illnesses": "listed"})
    asking = scheme({"medical": ill}, illness_lists={"listed": ["C50"]})
    assert asks_for_diagnoses(asking)
    assert not any(asks_for_diagnoses(each) for each in load_rulebook())


def test_tallies_of_parts_add_up_to_the_tally_of_the_whole() -> None:
    in_force = rulebook(a_scheme())
    trial = Trial(a_scheme("500.00", cap="1500.00"), in_force)
    whole, parts = Tally(), Tally()
    for number in range(30):
        person = NOBODY_ASKS if number % 3 else Person(date(1950 + number, 5, 5))
        patient = Patient(MEMBER, f"U{number % 4}", person, [COVER])
        claim = a_claim(self_pay_one=Fen(number * 150_00), hospital_level=number % 4 or None)
        (event,) = booked(in_force, [COVER], claim)
        event = event._replace(claim_id=derived_id("claim", number))
        one = Tally()
        for tally in (whole, one):
            tally.add(patient, replay(patient, [event], trial), YEAR_2024)
        parts.merge(one)
    assert msgspec.to_builtins(parts, order="sorted") == msgspec.to_builtins(whole, order="sorted")
    assert whole.whole.winners
    assert whole.whole.losers
    for groups in whole.groups.values():
        assert sum(group.claims for group in groups.values()) == 30
        assert sum(group.difference for group in groups.values()) == whole.whole.difference
    assert [abs(c.drafted - c.booked) for c in whole.largest] == sorted(
        (abs(c.drafted - c.booked) for c in whole.largest), reverse=True
    )
