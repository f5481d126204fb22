"""The stories of money on a platform of their own: they leave refusals, returns and a closed month.

The scenes are the demo's; here they are played on the few members of one unit, and without a feed.
"""

import os
from collections.abc import AsyncGenerator
from decimal import Decimal

import pytest

from deploy.demo import accounts, books, plans
from deploy.demo.actors import Cast
from deploy.demo.books import Check
from deploy.demo.failures import FailureScenes
from deploy.demo.large import LargePayout, Payee, tiers
from deploy.demo.month import MonthScenes
from deploy.demo.month_close import MonthClose
from deploy.demo.plans import PlansData
from deploy.demo.plans_scenes import PlansScenes
from deploy.demo.quiet import Quiet
from deploy.local.platform import Platform
from deploy.local.settings import free_port_env
from tests.servers import KAFKA_LIBS_DIR
from tests.system.uploads import enroll

LARGE, FROM_YUAN = "19200.00", 19_000


@pytest.fixture
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    env = {
        **os.environ,
        **free_port_env(),
        "KAFKA_LIBS_DIR": str(KAFKA_LIBS_DIR),
        "KAFKA_HEAP_MB": "256",
        "PROFILE": "development",
    }
    platform = Platform(tmp_path_factory.mktemp("money"), env, extra_env=tiers(FROM_YUAN))
    await platform.start()
    yield platform
    await platform.stop()


async def test_the_stories_of_money_end_with_bank_and_books_alike(stage: Platform) -> None:
    checks: list[Check] = []
    async with Cast(stage.settings.var_dir) as cast:
        await _play(cast, stage, checks)
    assert [check for check in checks if not check.ok] == []


async def _play(cast: Cast, stage: Platform, checks: list[Check]) -> None:
    data, admin, var_dir = PlansData.now(), cast.staff("admin"), stage.settings.var_dir
    quiet = Quiet(admin)
    await enroll(admin, {plans.UNIT.code: data.roster}, plans.COVERED_FROM.isoformat())
    officer = {"name": plans.UNIT.officer, "phone": plans.UNIT.phone}
    await admin.put_unit(plans.UNIT.code, plans.UNIT.name, len(data.who), [officer])
    await PlansScenes(cast, data, checks, var_dir).hospitals_post()

    hardship = data.who.hardship
    payee = Payee(hardship.name, hardship.id_number, hardship.phone, LARGE)
    large = LargePayout(cast, payee, FROM_YUAN, checks)
    await large.two_people_approve()
    await quiet.reached()
    failures = FailureScenes(cast, {}, checks, quiet)
    await failures.transfer_comes_back(data.who.driver, plans.UNIT.code, "960.00")

    [taken_back] = [bill for bill in data.bills if bill.patient is data.who.courier]
    month = MonthScenes(cast, admin, taken_back, checks, var_dir)
    granted = accounts.due_by_fund(data.dues)
    granted["weihai"] -= month.recovered
    close = MonthClose(month, granted)
    await month.member_was_overpaid()
    await month.money_comes_in()
    await month.bank_and_books()
    await close.month_is_closed()
    await close.association_settles()
    await close.papers(data, plans.UNIT.code)

    phones = {person.card: person.phone for person in data.who} | failures.phones | large.phones
    other_side, sides = cast.other_side(), (await month.bank_side()).values()
    here, bank = await admin.books(), await other_side.bank_book()
    came_in = sum((one.net + one.moved("代发") - one.moved("退票") for one in sides), Decimal(0))
    due = books.fen(str(sum(granted.values())))
    checks += books.check_money(
        here,
        bank,
        due,
        came_in_fen=books.fen(str(came_in)),
        repaid_fen=books.fen(str(month.recovered)),
    )
    checks += books.check_texts(bank, await other_side.texts(), phones.__getitem__)
    checks += books.check_quiet(here)
