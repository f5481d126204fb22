"""A settlement before all the plans of its member, whenever each cover becomes known."""

from collections.abc import Mapping
from datetime import date

import msgspec
import pytest

from services.claims.model import InPlan, Step
from services.claims.rules.trial import try_cases
from services.claims.store.settlements import claim_of
from services.claims.usecases import benefits
from services.common.period import Days
from services.common.schemes.load import load_rulebook
from tests.claims.conftest import ClaimsDesk, member_id_of
from tests.claims.settlements import a_row, a_settlement
from tests.claims.test_intake import ZHANG, refund

SINCE = date(2022, 7, 1)
# 30,000.00 of self-pay one, of it 20,000.00 co-pay in the pooled section; 10.00 out of scope.
STAY = a_row(
    "30000.00",
    "50000.00",
    begndate="2023-12-01",
    enddate="2023-12-11",
    setl_time="2023-12-11T10:00:00+08:00",
    copay_pooled="20000.00",
)
# (30,000 - 6,000) x 0.80; (30,000 - 1,300) x 0.80; 20,000 x 0.70.
WH, BJ, CT = 19_200_00, 22_960_00, 14_000_00


async def plans(claims: ClaimsDesk) -> Mapping[str, InPlan]:
    (row,) = await claims.fetch("select * from settlement where not refund")
    return {f"{plan.scheme_id}.{plan.benefit_name}": plan for plan in claim_of(row).plans}


async def test_each_plan_gives_its_own_grant_in_the_declared_order(claims: ClaimsDesk) -> None:
    schemes = ("ct.medical", "cq.allowance")
    covers = [claims.covered(ZHANG, scheme_id=scheme, starts_on=SINCE) for scheme in schemes]
    await claims.hear(claims.registered(ZHANG), *covers)
    (outcome,) = await claims.take(STAY)
    assert (outcome.status, outcome.benefit) == ("settled", CT + 500_00)
    found = await plans(claims)
    assert {name: plan.benefit for name, plan in found.items()} == {
        "cq.allowance.daily": 500_00,
        "ct.medical.medical": CT,
    }
    assert list(found) == ["cq.allowance.daily", "ct.medical.medical"]
    rows = await claims.fetch("select scheme_id, amount_fen from benefit_grant order by scheme_id")
    assert [tuple(row) for row in rows] == [("cq.allowance", 500_00), ("ct.medical", CT)]


async def test_all_plans_together_pay_no_more_than_the_member_did(claims: ClaimsDesk) -> None:
    schemes = ("bj.mutual", "wh.medical", "ct.medical")
    covers = [claims.covered(ZHANG, scheme_id=scheme, starts_on=SINCE) for scheme in schemes]
    await claims.hear(claims.registered(ZHANG), *covers)
    (outcome,) = await claims.take(STAY)
    assert outcome.benefit == 30_010_00
    found = await plans(claims)
    assert [(plan.benefit, plan.code) for plan in found.values()] == [
        (BJ, None),
        (30_010_00 - BJ, "CAP_OWN_COST"),
        (0, "CAP_OWN_COST"),
    ]


async def test_a_bill_that_is_tried_earns_what_it_earns_when_it_comes(claims: ClaimsDesk) -> None:
    schemes = ("wh.medical", "ct.medical", "bj.mutual")
    covers = [claims.covered(ZHANG, scheme_id=scheme, starts_on=SINCE) for scheme in schemes]
    await claims.hear(claims.registered(ZHANG), *covers)
    first, second = (a_row("5000.00", setl_id=s, copay_pooled="5000.00") for s in ("S1", "S2"))
    await claims.take(first)
    facts = a_settlement("5000.00", setl_id="S2", copay_pooled="5000.00").facts
    tried = await benefits.expected(claims.database, claims.desk, member_id_of(ZHANG), facts)
    (outcome,) = await claims.take(second)
    assert sum(done.benefit for done in tried) == outcome.benefit


async def test_a_plan_without_its_figures_does_not_hold_up_the_others(claims: ClaimsDesk) -> None:
    schemes = ("wh.medical", "wh.allowance")
    covers = [claims.covered(ZHANG, scheme_id=scheme, starts_on=SINCE) for scheme in schemes]
    await claims.hear(claims.registered(ZHANG), *covers)
    (outcome,) = await claims.take(STAY)
    assert (outcome.status, outcome.benefit, outcome.code) == ("settled", WH, None)
    assert [plan.code for plan in (await plans(claims)).values()] == [None, "SCHEME_FIGURE_MISSING"]


@pytest.mark.parametrize("first", ["bj.mutual", "ct.medical"])
async def test_a_cover_that_becomes_known_late_adds_its_own_plan_alone(
    claims: ClaimsDesk, first: str
) -> None:
    late = "ct.medical" if first == "bj.mutual" else "bj.mutual"
    await claims.hear(
        claims.registered(ZHANG), claims.covered(ZHANG, scheme_id=first, starts_on=SINCE)
    )
    (outcome,) = await claims.take(STAY)
    await claims.hear(claims.covered(ZHANG, scheme_id=late, starts_on=SINCE))
    await claims.hear(claims.covered(ZHANG, scheme_id=late, starts_on=SINCE, version=2))
    assert await claims.granted(ZHANG) == 30_010_00
    found = await plans(claims)
    assert next(iter(found.values())).benefit == outcome.benefit
    assert sum(plan.benefit for plan in found.values()) == 30_010_00
    (again,) = await claims.take(refund(STAY))
    assert (again.status, await claims.granted(ZHANG)) == ("reversed", 0)
    sums = await claims.fetch("select totals::jsonb->'sums' as sums from accumulator")
    assert sorted((dict(row["sums"]) for row in sums), key=str) == [
        {"inpatient": 0},
        {"medical": 0},
    ]


async def test_plans_that_add_up_leave_each_other_what_the_bills_cost(claims: ClaimsDesk) -> None:
    """Beijing and Weihai add up, the city pays by the bill; Beijing becomes known last."""
    stay = {**STAY, "psn_part_amt": "30000.00", "medfee_sumamt": "80000.00"}
    nothing_outside = {"fulamt_ownpay_amt": "0", "overlmt_selfpay": "0", "preselfpay_amt": "0"}
    bills = [stay | nothing_outside | {"setl_id": f"S{number}"} for number in range(3)]
    schemes = ("wh.medical", "ct.medical")
    covers = [claims.covered(ZHANG, scheme_id=scheme, starts_on=SINCE) for scheme in schemes]
    await claims.hear(claims.registered(ZHANG), *covers)
    await claims.take(bills[0])
    await claims.hear(claims.covered(ZHANG, starts_on=SINCE))
    assert await claims.granted(ZHANG) == 30_000_00
    await claims.take(*bills[1:])
    assert await claims.granted(ZHANG) == 90_000_00
    for number in (1, 0, 2):
        await claims.take(refund(bills[number]))
        assert 0 <= await claims.granted(ZHANG) <= 60_000_00
    assert await claims.granted(ZHANG) == 0


async def test_a_cover_that_begins_after_the_treatment_changes_nothing(claims: ClaimsDesk) -> None:
    await claims.hear(claims.registered(ZHANG), claims.covered(ZHANG, starts_on=SINCE))
    await claims.take(STAY)
    late = claims.covered(ZHANG, scheme_id="ct.medical", starts_on=date(2024, 1, 1))
    await claims.hear(late)
    assert await claims.granted(ZHANG) == BJ
    assert list(await plans(claims)) == ["bj.mutual.medical"]


async def test_a_cover_that_is_carried_back_counts_the_claims_of_its_term_on(
    claims: ClaimsDesk,
) -> None:
    """Twice in a term: it begins earlier now, and the two that were paid are still in it."""
    stays = [a_row(setl_id=f"S{number}", begndate="2024-03-01") for number in range(4)]
    cover = claims.covered(ZHANG, scheme_id="cq.allowance", starts_on=date(2023, 7, 1))
    await claims.hear(claims.registered(ZHANG), cover)
    await claims.take(*stays[:3])
    assert await claims.granted(ZHANG) == 2 * 400_00
    back = claims.covered(ZHANG, scheme_id="cq.allowance", starts_on=date(2023, 5, 15), version=2)
    await claims.hear(back)
    (outcome,) = await claims.take(stays[3])
    assert (outcome.code, await claims.granted(ZHANG)) == ("FREQ_LIMIT", 2 * 400_00)
    (left, *_) = await benefits.left_of(
        claims.database, claims.desk, member_id_of(ZHANG), date(2024, 3, 9)
    )
    assert (left.days, left.claims_left) == (Days(date(2023, 5, 15), date(2024, 5, 14)), 0)
    await claims.take(*map(refund, stays))
    assert await claims.granted(ZHANG) == 0


async def test_a_package_covers_by_each_of_its_parts(claims: ClaimsDesk) -> None:
    cover = claims.covered(ZHANG, scheme_id="ct.package", starts_on=SINCE)
    await claims.hear(claims.registered(ZHANG), cover)
    (outcome,) = await claims.take(STAY)
    assert outcome.benefit == CT
    rows = await claims.fetch("select scheme_id from benefit_grant")
    assert [row["scheme_id"] for row in rows] == ["ct.medical"]


async def test_of_two_covers_of_one_plan_the_first_gives_the_term(claims: ClaimsDesk) -> None:
    cover = claims.covered(ZHANG, scheme_id="ct.package", starts_on=SINCE)
    await claims.hear(claims.registered(ZHANG), cover)
    bill = a_row("5000.00", copay_pooled="1000.00")
    await claims.take(bill)
    later = claims.covered(ZHANG, scheme_id="ct.medical", starts_on=date(2024, 1, 1))
    await claims.hear(later)
    await claims.take({**bill, "setl_id": "S2"})
    rows = await claims.fetch("select period_starts, grant_no from benefit_grant order by grant_no")
    assert [tuple(row) for row in rows] == [(date(2023, 7, 1), 1), (date(2023, 7, 1), 2)]


async def test_the_registers_a_member_stands_in_open_a_plan(claims: ClaimsDesk) -> None:
    covers = [
        claims.covered(ZHANG, scheme_id=scheme, starts_on=SINCE)
        for scheme in ("wh.medical", "wh.hardship")
    ]
    await claims.hear(claims.registered(ZHANG, groups=("hardship",)), *covers)
    (outcome,) = await claims.take(STAY)
    assert outcome.benefit == WH + 10_000_00  # 10,800.00 are left, the cap is 10,000.00
    rows = await claims.fetch("select born, sex, groups from member")
    assert [tuple(row) for row in rows] == [(date(1990, 3, 7), "M", ["hardship"])]


async def test_grants_are_numbered_by_scheme_and_period(claims: ClaimsDesk) -> None:
    await claims.hear(
        claims.registered(ZHANG), claims.covered(ZHANG, scheme_id="ct.medical", starts_on=SINCE)
    )
    await claims.take(STAY, {**STAY, "setl_id": "S2"})
    rows = await claims.fetch("select member_id, period_starts, grant_no from benefit_grant")
    term = date(2023, 7, 1)
    assert [tuple(row) for row in rows] == [(member_id_of(ZHANG), term, n) for n in (1, 2)]


def test_the_workings_of_all_plans_can_be_kept() -> None:
    rulebook = load_rulebook()
    tried = [one for scheme in rulebook for one in try_cases(scheme, rulebook)]
    workings = [done.working for one in tried for done in one.assessed]
    assert len(workings) > 400
    for working in workings:
        assert msgspec.json.decode(msgspec.json.encode(working), type=tuple[Step, ...]) == working
