"""What holds where a member has several plans: no bill is made good twice."""

import random
from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.claims.model import Assessment, Brought, Case, Facts, Person
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.common.money import Fen
from services.common.schemes.terms import ExcessTerms
from tests.claims.rules.books import MEMBER, Books, reversal
from tests.claims.rules.plans import PLANS, RULEBOOK, Plan, a_member, books, claims

NAMED: Final = {str(plan): plan for plan in PLANS}
BJ: Final = NAMED["bj.mutual:medical@2018-01-01"]
WH_MEDICAL: Final = NAMED["wh.medical:medical@2023-11-01"]
WH_HARDSHIP: Final = NAMED["wh.hardship:hardship@2023-11-01"]
WH_ALLOWANCE: Final = NAMED["wh.allowance:allowance@2023-11-01"]
WH_GIG: Final = NAMED["wh.gig:hospital@2022-11-01"]
CQ_MEDICAL: Final = NAMED["cq.comprehensive:medical@2015-01-01"]
CQ_ALLOWANCE: Final = NAMED["cq.allowance:daily@2014-05-01"]
CT_MEDICAL: Final = NAMED["ct.medical:medical@2020-01-01"]

# The first of each takes hospital stays alone, and so do the others with the same bills.
ACCUMULATING: Final = [
    (WH_MEDICAL, WH_HARDSHIP),
    (WH_MEDICAL, BJ),
    (WH_HARDSHIP, BJ),
    (WH_MEDICAL, WH_HARDSHIP, BJ),
]
BY_THE_BILL: Final = [(CQ_MEDICAL, BJ), (CQ_MEDICAL, WH_MEDICAL, BJ), (WH_MEDICAL, CT_MEDICAL)]
INDEMNITIES: Final = [*ACCUMULATING, *BY_THE_BILL]
LATE: Final = [*INDEMNITIES, (WH_MEDICAL, CT_MEDICAL, BJ)]
Held = tuple[tuple[Plan, ...], list[Facts]]


def held(together: Sequence[tuple[Plan, ...]]) -> st.SearchStrategy[Held]:
    return st.sampled_from(together).flatmap(
        lambda plans: st.tuples(st.just(plans), st.lists(claims(*plans), max_size=8))
    )


def own_cost(history: Sequence[Facts]) -> int:
    return sum(facts.own_cost for facts in history)


@given(held(INDEMNITIES))
def test_all_plans_together_never_pay_more_than_the_bills_cost(both: Held) -> None:
    plans, history = both
    account = books(*plans)
    for number, facts in enumerate(history, 1):
        account.claim_all(facts)
        assert account.granted() <= own_cost(history[:number])


@given(held(INDEMNITIES))
def test_no_bill_lowers_what_all_plans_grant_together(both: Held) -> None:
    """A plan that pays what others left may give way to them, but not to the member's loss."""
    plans, history = both
    account = books(*plans)
    for facts in history:
        assert sum(done.benefit for done in account.claim_all(facts)) >= 0


@given(held(ACCUMULATING), st.data())
def test_together_too_what_is_granted_is_a_function_of_what_was_not_taken_back(
    both: Held, data: st.DataObject
) -> None:
    plans, history = both
    account, standing = books(*plans), list[int]()
    judged: list[tuple[Brought, tuple[Assessment, ...]]] = []
    for number, facts in enumerate(history):
        judged.append((account.bring(facts), account.claim_all(facts)))
        standing.append(number)
        for back in data.draw(st.lists(st.sampled_from(standing), unique=True, max_size=2)):
            account.take_back(*judged[back])
            standing.remove(back)
            if not standing:
                break
    alone = books(*plans)
    for number in data.draw(st.permutations(standing)):
        alone.claim_all(history[number])
    assert _granted_by_plan(account) == _granted_by_plan(alone)


def _granted_by_plan(account: Books) -> dict[tuple[str, str], int]:
    by_plan: dict[tuple[str, str], int] = {}
    for key, totals in account.totals.items():
        for benefit, amount in totals.granted.items():
            plan = key.scheme_id, benefit
            by_plan[plan] = by_plan.get(plan, 0) + amount
    return {plan: amount for plan, amount in by_plan.items() if amount}


@given(held(INDEMNITIES), st.randoms(use_true_random=False))
def test_with_everything_taken_back_no_plan_has_anything_left(
    both: Held, chance: random.Random
) -> None:
    plans, history = both
    account = books(*plans)
    judged = [(account.bring(facts), account.claim_all(facts)) for facts in history]
    for brought, done in chance.sample(judged, len(judged)):
        account.take_back(brought, done)
    check_nothing_left(account, plans)


def check_nothing_left(account: Books, plans: tuple[Plan, ...]) -> None:
    """Look at what other plans paid only where burdens add up: nobody asks for it elsewhere."""
    adding = {p.scheme_id for p in plans if isinstance(p.terms.formula, ExcessTerms)}
    for key, totals in account.totals.items():
        sums = (*totals.sums.values(), *totals.granted.values(), *totals.paid.values())
        aided = totals.aided if key.scheme_id in adding else 0
        assert {*sums, totals.cost, aided} == {0}


@given(
    st.sampled_from([(CQ_ALLOWANCE, CQ_MEDICAL), (WH_ALLOWANCE, WH_HARDSHIP), (WH_GIG, BJ)]),
    st.data(),
)
def test_allowances_do_not_count_against_what_a_bill_cost(
    plans: tuple[Plan, Plan], data: st.DataObject
) -> None:
    history = data.draw(st.lists(claims(*plans), max_size=8))
    with_it, without = books(*plans), books(plans[1])
    for facts in history:
        (indemnity,) = (d for d in with_it.claim_all(facts) if d.scheme_id == plans[1].scheme_id)
        assert (indemnity,) == without.claim_all(facts)


@given(st.lists(claims(WH_MEDICAL, WH_ALLOWANCE), max_size=8))
def test_plans_with_one_cap_never_exceed_it_together(history: list[Facts]) -> None:
    account = books(WH_MEDICAL, WH_ALLOWANCE)
    cap = WH_MEDICAL.terms.cap
    assert cap is not None
    for facts in history:
        account.claim_all(facts)
        assert account.granted() <= cap.value


class LateCover:
    """A member whose covers become known one after another, as the bills come in."""

    def __init__(self, plans: tuple[Plan, ...]) -> None:
        self.plans = plans
        self.person, self.covers = a_member(*plans)
        self.account = Books(RULEBOOK, self.covers, self.person)
        self.known: list[int] = []
        self.bills: list[Facts] = []
        self.judged: list[list[tuple[Case, Assessment]]] = []

    def learn(self, plan: int) -> None:
        """Hear of a cover; the bills that are there are brought before it in their order."""
        self.known.append(plan)
        for number in range(len(self.bills)):
            self._judge(number)

    def bill(self, facts: Facts) -> None:
        self.bills.append(facts)
        self.judged.append([])
        self._judge(len(self.bills) - 1)

    def _judge(self, number: int) -> None:
        before = self.judged[number]
        aided = sum(done.benefit for case, done in before if case.terms.indemnity)
        covers = [self.covers[plan] for plan in self.known]
        names = {(case.terms.scheme_id, case.terms.benefit) for case, _ in before}
        found = cases(
            MEMBER,
            self.bills[number],
            self.person,
            covers,
            RULEBOOK,
            judged=names,
            aided=Fen(aided),
        )
        if not isinstance(found, Brought):
            return
        self.account.cost = Fen(own_cost(self.bills) - self.bills[number].own_cost)
        (assessed,) = assess(
            [self.account.among_bills(found, self.bills[number].own_cost)], self.account.totals
        )
        pairs = zip(found.entries, assessed, strict=True)
        before += [(entry, done) for entry, done in pairs if isinstance(entry, Case)]

    def take_back(self, number: int) -> None:
        """Take a bill back under its plans, in the order in which they judged it."""
        entries = tuple(case for case, _ in self.judged[number])
        done = [done for _, done in self.judged[number]]
        taken_back = reversal(Brought(entries), done)
        self.account.cost = Fen(own_cost(self.bills))
        cost = Fen(-self.bills[number].own_cost)
        assess([self.account.among_bills(taken_back, cost)], self.account.totals)
        self.bills[number] = Facts(day=self.bills[number].day)
        self.judged[number] = []


@st.composite
def late_covers(draw: st.DrawFn) -> LateCover:
    """Draw bills and, between them, the days on which each cover becomes known."""
    plans, history = draw(held(LATE))
    member = LateCover(plans)
    order = draw(st.permutations(range(len(plans))))
    moments = sorted(draw(st.integers(0, len(history))) for _ in plans)
    for number, facts in enumerate(history):
        for plan, moment in zip(order, moments, strict=True):
            if moment == number:
                member.learn(plan)
        member.bill(facts)
    for plan in order:
        if plan not in member.known:
            member.learn(plan)
    return member


@given(late_covers())
def test_a_cover_that_becomes_known_late_pays_no_more_than_the_bills_cost(
    member: LateCover,
) -> None:
    assert member.account.granted() <= own_cost(member.bills)


@given(late_covers())
def test_no_plan_is_ever_granted_less_than_nothing(member: LateCover) -> None:
    for totals in member.account.totals.values():
        assert all(amount >= 0 for amount in totals.granted.values())


def a_stay(yuan: int, plan: Plan = WH_MEDICAL, **said: Any) -> Facts:  # noqa: ANN401 (facts by name)
    cost = Fen(yuan * 100)
    bill: dict[str, Any] = {"self_pay_one": cost, "co_pay_pooled": cost, "own_cost": cost}
    return Facts(day=plan.since, admission=plan.since, visit="inpatient", **(bill | said))


def test_a_late_plan_pays_what_the_first_one_left_of_the_bill() -> None:
    """Beijing would pay (9000.00 − 1300.00) × 0.80 = 6160.00, but 1000.00 are left."""
    member = LateCover((WH_HARDSHIP, BJ))
    member.learn(0)
    member.bill(a_stay(9_000, own_cost=Fen(10_000_00)))
    member.learn(1)
    assert [done.benefit for _, done in member.judged[0]] == [9_000_00, 1_000_00]


def test_a_plan_that_pays_by_the_bill_leaves_less_to_two_that_add_up() -> None:
    plans = (WH_MEDICAL, CT_MEDICAL, BJ)
    account, history = books(*plans), [a_stay(5_000), a_stay(5_000)]
    for facts in history:
        account.claim_all(facts)
    assert account.granted() <= own_cost(history)


def test_of_two_plans_that_add_up_a_late_one_leaves_less_to_the_other() -> None:
    member = LateCover((WH_MEDICAL, BJ))
    member.learn(0)
    member.bill(a_stay(10_000))
    member.learn(1)
    member.bill(a_stay(10_000))
    assert member.account.granted() <= own_cost(member.bills)


def test_bills_of_late_covers_leave_nothing_when_they_are_taken_back() -> None:
    member = LateCover((WH_MEDICAL, WH_HARDSHIP))
    member.learn(1)
    member.bill(a_stay(6_000))
    member.learn(0)
    member.bill(a_stay(8_000))
    member.take_back(0)
    member.take_back(1)
    check_nothing_left(member.account, member.plans)


@pytest.mark.xfail(strict=True, reason="what a plan grants for bills that another one rejects")
def test_the_order_does_not_matter_where_one_of_two_plans_rejects_a_bill() -> None:
    """A woman in hardship in period 14: her second illness is not on the list."""
    plans = (NAMED["wh.medical:medical@2022-11-01"], NAMED["wh.hardship:hardship@2022-11-01"])
    listed = a_stay(5_000, plans[0], confirmed={"listed_illness": True})
    other = a_stay(8_000, plans[0], confirmed={"listed_illness": False})
    totals: list[int] = []
    for history in ([listed, other], [other, listed]):
        _, covers = a_member(*plans)
        account = Books(RULEBOOK, covers, Person(groups=("hardship:women",)))
        for facts in history:
            account.claim_all(facts)
        totals.append(account.granted())
    assert totals[0] == totals[1]


ALL_THREE: Final = (WH_MEDICAL, WH_HARDSHIP, BJ)


@pytest.mark.parametrize("bills", [(339, 972_431), (955_504, 1)])
def test_a_plan_that_is_asked_later_gives_way_to_the_fen(bills: tuple[int, int]) -> None:
    """What hardship holds of one bill is not held against the plan before it at the other."""
    found: list[dict[tuple[str, str], int]] = []
    for order in (bills, bills[::-1]):
        account = books(*ALL_THREE)
        for fen in order:
            account.claim_all(a_stay(0, self_pay_one=Fen(fen), own_cost=Fen(fen)))
        found.append(_granted_by_plan(account))
    assert found[0] == found[1]


def test_all_plans_that_are_asked_later_give_way() -> None:
    account = books(*ALL_THREE)
    for facts in (a_stay(5_000), a_stay(5_000)):
        account.claim_all(facts)
    brought = account.bring(a_stay(10_000))
    account.take_back(brought, account.claim_all(a_stay(10_000)))
    assert _granted_by_plan(account) == {
        ("bj.mutual", "medical"): 6_960_00,
        ("wh.medical", "medical"): 3_040_00,
    }


def test_a_plan_that_pays_by_the_bill_gives_way_when_a_bill_is_taken_back() -> None:
    account = books(WH_MEDICAL, CT_MEDICAL, BJ)
    for facts in (a_stay(5_000), a_stay(5_000)):
        account.claim_all(facts)
    assert _granted_by_plan(account)["ct.medical", "medical"] == 2_040_00
    dear = a_stay(100, own_cost=Fen(5_000_00))
    brought = account.bring(dear)
    account.take_back(brought, account.claim_all(dear))
    assert _granted_by_plan(account) == {
        ("bj.mutual", "medical"): 6_960_00,
        ("wh.medical", "medical"): 3_040_00,
    }


def test_a_refund_does_not_let_go_what_a_plan_has_paid_for_other_bills() -> None:
    """The third bill has cost outside insurance, which it takes with it when it goes."""
    plans = (WH_MEDICAL, CT_MEDICAL, BJ)
    account, history = books(*plans), [a_stay(5_000), a_stay(5_000)]
    for facts in history:
        account.claim_all(facts)
    dear = a_stay(100, own_cost=Fen(5_000_00))
    brought = account.bring(dear)
    account.take_back(brought, account.claim_all(dear))
    assert account.granted() <= own_cost(history)
