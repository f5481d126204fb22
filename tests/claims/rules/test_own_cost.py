"""Whatever plans somebody holds, a bill is made good once, to what it cost."""

from datetime import date
from typing import Any

import pytest

from services.claims.model import (
    Assessment,
    Brought,
    Case,
    Facts,
    MadeGood,
    PeriodKey,
    Reason,
    Totals,
    Verdict,
)
from services.claims.rules.assess import assess
from services.common.money import Fen
from tests.claims.rules.books import MEMBER, Books, a_claim, reversal, told
from tests.claims.rules.made_up import COVER, benefit, daily, excess, rulebook, sections

KEY = PeriodKey(MEMBER, "made.up", date(2024, 1, 1))
ADDS_UP = benefit(excess())
BY_THE_BILL = benefit(sections(co_pay_pooled="0.70"))


def books(plan: dict[str, Any]) -> Books:
    return Books(rulebook(plan), [COVER])


def among(account: Books, facts: Facts, cost: int, granted: int, aided: int = 0) -> Assessment:
    """Bring a claim of somebody whose indemnities have granted so much of what all bills cost."""
    (entry,) = account.bring(facts).entries
    brought = Brought((entry,), Fen(aided), MadeGood(Fen(cost), Fen(granted)))
    ((done,),) = assess([brought], account.totals)
    return done


def test_what_earlier_plans_paid_for_a_bill_limits_a_plan_that_adds_up() -> None:
    done = books(ADDS_UP).claim(a_claim(), aided=2000_00)
    assert (done.benefit, done.code) == (310_00, Reason.CAP_OWN_COST)
    assert told(done)[-3:] == [
        ("share", "benefit.care.bands", "1300.00", "1040.00", "0.80"),
        ("own_cost", "", "1040.00", "310.00", 2310_00, 2000_00),
        ("granted_before", "benefit.period", "310.00", "310.00", 0),
    ]


@pytest.mark.parametrize(("aided", "earns"), [(1270_00, 1040_00), (1270_01, 1039_99)])
def test_what_is_left_of_the_cost_is_paid_to_the_fen(aided: int, earns: int) -> None:
    done = books(ADDS_UP).claim(a_claim(), aided=aided)
    assert done.benefit == earns
    limited = earns < 1040_00
    assert (done.code is Reason.CAP_OWN_COST) == limited
    assert ("own_cost" in [step[0] for step in told(done)]) == limited


@pytest.mark.parametrize("aided", [2310_00, 2311_00])
def test_a_bill_that_is_made_good_in_full_earns_nothing_more(aided: int) -> None:
    done = books(ADDS_UP).claim(a_claim(), aided=aided)
    assert (done.verdict, done.benefit, done.code) == (
        Verdict.REJECTED,
        0,
        Reason.CAP_OWN_COST,
    )


def test_where_burdens_add_up_the_cost_of_the_whole_period_counts() -> None:
    """The second bill has 2310.00 of cost, of which 2000.00 are paid: 620.00 are left of both."""
    account = books(ADDS_UP)
    account.claim(a_claim(), aided=2000_00)
    done = account.claim(a_claim(), aided=2000_00)
    assert (done.benefit, done.code) == (310_00, Reason.CAP_OWN_COST)
    assert told(done)[-2:] == [
        ("own_cost", "", "2880.00", "620.00", 4620_00, 4000_00),
        ("granted_before", "benefit.period", "620.00", "310.00", 310_00),
    ]


def test_all_bills_of_a_member_limit_a_plan_that_adds_up() -> None:
    account = books(ADDS_UP)
    account.claim(a_claim())
    done = among(account, a_claim(), cost=5000_00, granted=4900_00)
    assert (done.benefit, done.code) == (100_00, Reason.CAP_OWN_COST)
    assert told(done)[-2:] == [
        ("own_cost", "", "2880.00", "1140.00", 5000_00, 3860_00),
        ("granted_before", "benefit.period", "1140.00", "100.00", 1040_00),
    ]


def test_of_both_limits_the_lower_one_counts() -> None:
    done = among(books(ADDS_UP), a_claim(), cost=5000_00, granted=4900_00, aided=2000_00)
    assert (done.benefit, done.code) == (100_00, Reason.CAP_OWN_COST)
    done = among(books(ADDS_UP), a_claim(), cost=5000_00, granted=2000_00, aided=2300_00)
    assert (done.benefit, done.code) == (10_00, Reason.CAP_OWN_COST)


def test_of_bills_that_are_made_good_more_than_in_full_nothing_is_left() -> None:
    done = among(books(ADDS_UP), a_claim(), cost=1000_00, granted=1000_01)
    assert (done.benefit, done.code) == (0, Reason.CAP_OWN_COST)


@pytest.mark.parametrize("bills", [None, MadeGood(Fen(2310_00), Fen(2810_00))])
def test_a_refund_below_the_floor_looks_at_the_cost_of_what_is_left(
    bills: MadeGood | None,
) -> None:
    """1270.00 and 500.00 were paid by others: of 2310.00 they leave 540.00 of the 1040.00."""
    kinds = excess(
        inpatient={"visits": ["inpatient"]}, outpatient={"visits": ["ordinary_outpatient"]}
    )
    account = books(benefit(kinds))
    account.claim(a_claim(), aided=1270_00)
    small = a_claim(visit="ordinary_outpatient", self_pay_one=Fen(500_00), own_cost=Fen(500_00))
    brought = account.bring(small, aided=500_00)
    (done,) = assess([brought], account.totals)
    assert done[0].code is Reason.AT_OR_BELOW_DEDUCTIBLE
    ((back,),) = assess([reversal(brought, done)._replace(bills=bills)], account.totals)
    assert back.benefit == -500_00


def test_with_enough_of_the_cost_left_nothing_is_said_of_it() -> None:
    done = among(books(ADDS_UP), a_claim(), cost=1040_00, granted=0)
    assert (done.benefit, done.code) == (1040_00, None)
    assert "own_cost" not in [step[0] for step in told(done)]


def a_bill(**said: Any) -> Facts:  # noqa: ANN401 (facts by name)
    return a_claim(co_pay_pooled=Fen(100_00), **({"own_cost": Fen(100_00)} | said))


def test_a_plan_that_pays_by_the_bill_looks_at_the_bill() -> None:
    done = books(BY_THE_BILL).claim(a_bill(), aided=60_00)
    assert (done.benefit, done.code) == (40_00, Reason.CAP_OWN_COST)
    section = ("co_pay_pooled", "0.70", "70.00")
    assert told(done) == [
        ("section", "benefit.co_pay_pooled.rate", "100.00", "70.00", *section),
        ("own_cost", "", "70.00", "40.00", 100_00, 60_00),
    ]
    assert done.counted is not None
    assert (done.counted.amount, done.counted.cost) == (40_00, 100_00)


@pytest.mark.parametrize(("aided", "earns"), [(30_00, 70_00), (30_01, 69_99)])
def test_a_bill_is_paid_to_the_fen_of_what_is_left_of_it(aided: int, earns: int) -> None:
    done = books(BY_THE_BILL).claim(a_bill(), aided=aided)
    assert done.benefit == earns
    assert (done.code is Reason.CAP_OWN_COST) == (earns < 70_00)


@pytest.mark.parametrize("aided", [100_00, 100_01])
def test_a_bill_of_which_nothing_is_left_does_not_enter_the_sums(aided: int) -> None:
    done = books(BY_THE_BILL).claim(a_bill(), aided=aided)
    assert (done.benefit, done.code, done.counted) == (0, Reason.CAP_OWN_COST, None)
    assert told(done)[-1] == ("own_cost", "", "70.00", "0.00", 100_00, aided)


def test_all_bills_of_a_member_limit_a_plan_that_pays_by_the_bill() -> None:
    done = among(books(BY_THE_BILL), a_bill(), cost=500_00, granted=480_00)
    assert (done.benefit, done.code) == (20_00, Reason.CAP_OWN_COST)
    assert done.counted is not None
    assert done.counted.amount == 20_00
    assert told(done)[-1] == ("own_cost", "", "70.00", "20.00", 500_00, 480_00)
    lower = among(books(BY_THE_BILL), a_bill(), cost=500_00, granted=480_00, aided=90_00)
    assert lower.benefit == 10_00
    free = among(books(BY_THE_BILL), a_bill(), cost=500_00, granted=430_00)
    assert (free.benefit, free.code) == (70_00, None)


def test_an_allowance_is_paid_whatever_the_bill_cost() -> None:
    plan = benefit(daily(disease="400.00"), aid="allowance")
    done = among(books(plan), a_claim(), cost=0, granted=0, aided=9999_00)
    assert (done.benefit, done.code) == (3200_00, None)


def test_a_refund_gives_back_what_the_bills_that_are_left_did_not_cost() -> None:
    """Two bills of 2310.00 earned 2880.00; another plan has granted 1500.00 of the second one."""
    account = books(ADDS_UP)
    brought, first = account.bring(a_claim()), account.claim_all(a_claim())
    account.claim(a_claim())
    taken_back = reversal(brought, first)._replace(bills=MadeGood(Fen(2310_00), Fen(4380_00)))
    ((back,),) = assess([taken_back], account.totals)
    assert account.totals[KEY].granted == {"benefit": 810_00}
    assert told(back)[-2:] == [
        ("own_cost", "", "1040.00", "810.00", 2310_00, 1500_00),
        ("granted_before", "benefit.period", "810.00", "-2070.00", 2880_00),
    ]


def test_with_the_last_bill_goes_all_that_others_have_paid() -> None:
    account = books(ADDS_UP)
    account.totals[KEY] = Totals(aided=Fen(5_00))
    brought, done = account.bring(a_claim()), account.claim_all(a_claim())
    account.take_back(brought, done)
    assert account.totals[KEY].aided == 0


def test_while_a_bill_is_left_what_others_have_paid_for_it_counts() -> None:
    account = books(ADDS_UP)
    account.claim(a_claim(), aided=5_00)
    brought = account.bring(a_claim(), aided=7_00)
    (done,) = assess([brought], account.totals)
    (entry,) = reversal(brought, done).entries
    assert not isinstance(entry, Case)
    assess([Brought((entry,), Fen(-7_00))], account.totals)
    assert account.totals[KEY].aided == 5_00
