"""Several plans of one member, whatever comes in whatever order: the books hold what they must.

The real judge on books in memory, so that hundreds of histories take seconds.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from services.claims.main import new_desk
from services.claims.model import PeriodKey, Totals
from services.claims.settings import Settings
from services.claims.store import settlements as store
from services.claims.usecases.desk import Desk, Shelf
from services.claims.usecases.verdicts import standing
from services.common.kit import keys
from services.common.money import Fen, yuan
from services.common.schemes.load import load_rulebook
from services.common.schemes.rulebook import Rulebook
from tests.claims.conftest import ClaimsDesk
from tests.claims.in_memory import MEMBER, SINCE, Account, Row
from tests.claims.rules.made_up import benefit, daily, excess, scheme, sections
from tests.claims.settlements import a_row
from tests.claims.test_intake import ZHANG, refund

SEEDS: Final = range(60)
SHIPPED: Final = load_rulebook()
# Low caps, so that they bind: two that add up, one of what is left, one by the bill, an allowance.
TIGHT: Final = Rulebook(
    [
        scheme({"m1": benefit(excess(k1={}), limits={"cap": "2000.00"})}, "a.first", order=1),
        scheme(
            {
                "m2": benefit(
                    excess(k2={"floor": "2000.00", "bands": [{"rate": "0.90"}]}),
                    limits={"cap": "4000.00", "shared_with": ("e.daily",)},
                )
            },
            "b.second",
            order=2,
        ),
        scheme(
            {
                "m3": benefit(
                    excess(
                        after_other_plans=True, k3={"floor": "0.00", "bands": [{"rate": "1.00"}]}
                    ),
                    limits={"cap": "1500.00"},
                )
            },
            "c.rest",
            order=3,
        ),
        scheme(
            {
                "m4": benefit(
                    sections(co_pay_pooled="0.70"),
                    period="cover_term",
                    cover_day="admission",
                    limits={"claims_max": 2},
                )
            },
            "d.sections",
            order=4,
            enrolment={"term_years": 1, "figures_of": "term_start"},
        ),
        scheme(
            {
                "m5": benefit(
                    daily(disease="300.00"),
                    aid="allowance",
                    limits={"cap": "4000.00", "shared_with": ("b.second",)},
                )
            },
            "e.daily",
            order=5,
        ),
    ]
)
PLANS: Final = {
    SHIPPED: ("bj.mutual", "wh.medical", "wh.hardship", "ct.medical", "cq.comprehensive"),
    TIGHT: ("a.first", "b.second", "c.rest", "d.sections", "e.daily"),
}
RULEBOOKS: Final = [pytest.param(SHIPPED, id="shipped"), pytest.param(TIGHT, id="tight")]


MakeAccount = Callable[[Rulebook], Account]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> MakeAccount:
    var_dir: Path = tmp_path_factory.mktemp("claims")
    keys.ensure_keys(var_dir / "keys")
    desk = new_desk(Settings(database_url="postgresql+asyncpg://nowhere/none", var_dir=var_dir))

    def make(rulebook: Rulebook) -> Account:
        return Account(Desk(Shelf(rulebook, {}), desk.sealer, desk.opener, desk.identity))

    return make


def a_bill(setl_id: str, self_pay: int, co_pay: int, **said: str) -> Row:
    return a_row(
        yuan(Fen(self_pay)),
        setl_id=setl_id,
        copay_pooled=yuan(Fen(co_pay)),
        **{"begndate": "2024-04-01", "enddate": "2024-04-06", **said},
    )


def dice_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a scene, not a secret


class Told(NamedTuple):
    """A cover that becomes known."""

    scheme_id: str
    starts: date


def bills(dice: random.Random, count: int) -> list[Row]:
    """Make bills of half a year; some are small, some reach a cap alone."""
    made: list[Row] = []
    for number in range(count):
        self_pay = dice.randint(1, dice.choice((800_00, 3_000_00, 15_000_00)))
        day = date(2024, 1, 10) + timedelta(days=dice.randint(0, 180))
        made.append(
            a_bill(
                f"S{number}",
                self_pay,
                dice.randint(0, self_pay),
                begndate=str(day - timedelta(days=dice.randint(0, 9))),
                enddate=str(day),
                setl_time=f"{day}T10:00:00+08:00",
                med_type=dice.choice(("21", "21", "21", "11")),
            )
        )
    return made


def a_history(
    dice: random.Random, schemes: Sequence[str], *, late: bool = False, apart: bool = False
) -> list[Row | Told]:
    """Make covers, bills and refunds; `apart`, the covers begin on days of their own."""
    covers = [
        Told(scheme_id, SINCE + timedelta(days=dice.randint(0, 150) if apart else 0))
        for scheme_id in dice.sample(schemes, len(schemes))
    ]
    history: list[Row | Told] = [] if late else [covers.pop() for _ in schemes]
    stands: list[Row] = []
    for row in bills(dice, 6):
        if covers and dice.random() < 0.4:
            history.append(covers.pop())
        history.append(row)
        stands.append(row)
        if dice.random() < 0.3:
            history.append(refund(stands.pop(dice.randrange(len(stands)))))
    history += covers
    return history


def standing_rows(account: Account, history: Iterable[Row | Told]) -> list[Row]:
    stand = {claim.key.setl_id for claim in account.standing}
    rows = (what for what in history if isinstance(what, dict))
    return [row for row in rows if row["setl_id"] in stand]


def some_plans(dice: random.Random, rulebook: Rulebook) -> list[str]:
    return dice.sample(PLANS[rulebook], dice.randint(2, len(PLANS[rulebook])))


def play(account: Account, history: Iterable[Row | Told]) -> Iterator[Account]:
    for what in history:
        account.cover(*what) if isinstance(what, Told) else account.take(what)
        yield account


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_plans_of_the_same_days_never_make_more_good_than_the_bills_cost(
    account: MakeAccount, rulebook: Rulebook, *, late: bool
) -> None:
    for seed in SEEDS:
        dice = dice_of(seed)
        history = a_history(dice, some_plans(dice, rulebook), late=late)
        for mine in play(account(rulebook), history):
            assert mine.made_good() <= mine.cost(), seed


@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_two_plans_of_other_days_never_make_more_good_than_the_bills_cost(
    account: MakeAccount, rulebook: Rulebook
) -> None:
    for seed in SEEDS:
        dice = dice_of(seed)
        two = dice.sample(PLANS[rulebook], 2)
        for mine in play(account(rulebook), a_history(dice, two, late=True, apart=True)):
            assert mine.made_good() <= mine.cost(), seed


@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_nothing_is_left_of_bills_that_are_all_taken_back(
    account: MakeAccount, rulebook: Rulebook
) -> None:
    for seed in SEEDS:
        dice, mine = dice_of(seed), account(rulebook)
        history = a_history(dice, some_plans(dice, rulebook), late=True, apart=True)
        for _ in play(mine, history):
            pass
        rows = standing_rows(mine, history)
        mine.take(*map(refund, dice.sample(rows, len(rows))))
        assert not mine.standing
        assert not mine.granted(), seed
        for totals in mine.totals.values():
            assert not any((*totals.sums.values(), *totals.paid.values(), totals.cost)), seed


@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_grants_sums_and_claims_say_the_same(account: MakeAccount, rulebook: Rulebook) -> None:
    for seed in SEEDS:
        dice = dice_of(seed)
        history = a_history(dice, some_plans(dice, rulebook), late=True, apart=True)
        for mine in play(account(rulebook), history):
            for key, totals in mine.totals.items():
                check_period(mine, key, totals)
            for claim in mine.standing:
                mine_alone = [g.amount for g in mine.grants if g.claim_id == claim.claim_id]
                assert claim.benefit == sum(mine_alone), seed


def check_period(account: Account, key: PeriodKey, totals: Totals) -> None:
    """Compare what a period remembers with its grants and with the claims that it counts."""
    grants = [grant for grant in account.grants if grant.key == key]
    assert [grant.grant_no for grant in grants] == list(range(1, totals.grants + 1))
    assert sum(grant.amount for grant in grants) == sum(totals.granted.values())
    assert all(amount >= 0 for amount in (*totals.granted.values(), *totals.sums.values()))
    counted = [
        plan.counted
        for claim in account.standing
        for plan in standing(claim)
        if (plan.scheme_id, plan.starts) == (key.scheme_id, key.starts) and plan.counted
    ]
    assert sum(each.amount for each in counted) == sum(totals.sums.values())
    assert sum(each.cost for each in counted) == totals.cost
    assert sum(each.paid for each in counted) == sum(totals.paid.values())


@pytest.mark.parametrize(
    "schemes",
    [
        ("wh.medical", "wh.hardship"),
        ("bj.mutual", "wh.hardship"),
        ("bj.mutual", "wh.medical", "wh.hardship"),
    ],
)
def test_where_burdens_add_up_what_is_granted_follows_from_the_bills_that_stand(
    account: MakeAccount, schemes: Sequence[str]
) -> None:
    for seed in SEEDS:
        dice, mine, fresh = dice_of(seed), account(SHIPPED), account(SHIPPED)
        history = [
            {**what, "med_type": "21"} if isinstance(what, dict) else what
            for what in a_history(dice, schemes)
        ]
        for _ in play(mine, history):
            pass
        for scheme_id in schemes:
            fresh.cover(scheme_id)
        rows = standing_rows(mine, history)
        fresh.take(*dice.sample(rows, len(rows)))
        assert mine.granted() == fresh.granted(), seed


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_database_keeps_what_memory_keeps(
    account: MakeAccount, claims: ClaimsDesk, seed: int
) -> None:
    dice, mine = dice_of(seed), account(SHIPPED)
    history = a_history(dice, PLANS[SHIPPED], late=True, apart=True)
    await claims.hear(claims.registered(ZHANG, groups=("hardship",)))
    for what, _ in zip(history, play(mine, history), strict=True):
        if isinstance(what, Told):
            cover = claims.covered(ZHANG, scheme_id=what.scheme_id, starts_on=what.starts)
            await claims.hear(cover)
        else:
            await claims.take(what)
    async with claims.database.begin() as unit:
        assert await store.totals(unit, [MEMBER]) == mine.totals
    rows = await claims.fetch(
        "select scheme_id, period_starts, grant_no, amount_fen, cause from benefit_grant"
    )
    booked = [(g.key.scheme_id, g.key.starts, g.grant_no, g.amount, g.cause) for g in mine.grants]
    assert sorted(map(tuple, rows)) == sorted(booked)
    told = Counter(await claims.published())
    assert told == Counter(
        {
            "claims.benefit_granted.v1": len(mine.grants),
            "claims.claim_rejected.v1": len(mine.rejected),
        }
    )


def test_a_refund_that_makes_room_below_a_cap_pays_no_bill_twice(account: MakeAccount) -> None:
    """Hardship aid has paid its 10,000.00 for the first bill, the other plan 3,500.00 for both."""
    mine = account(SHIPPED)
    first, second = a_bill("S1", 15_000_00, 15_000_00), a_bill("S2", 5_000_00, 5_000_00)
    mine.cover("wh.hardship")
    mine.cover("ct.medical")
    mine.take(first, second)
    assert mine.granted() == {"wh.hardship": 10_000_00, "ct.medical": 5_010_00 + 3_500_00}
    mine.take(refund(first))
    assert mine.granted() == {"wh.hardship": 5_000_00, "ct.medical": 10_00}


def test_what_an_earlier_plan_takes_back_is_no_burden_for_a_later_one(
    account: MakeAccount,
) -> None:
    """The deductible of a bill that only one plan counts moves to those that both count."""
    mine = account(SHIPPED)
    mine.cover("bj.mutual")
    mine.cover("wh.hardship", date(2024, 3, 1))
    first, small = a_bill("S1", 5_000_00, 0), a_bill("S2", 100_00, 0)
    before = a_bill("S3", 5_000_00, 0, begndate="2024-02-01", enddate="2024-02-06")
    mine.take(first, before, small, refund(first))
    assert mine.granted()["wh.hardship"] <= 100_00
