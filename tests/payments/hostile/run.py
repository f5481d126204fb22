"""Runs a seed: a story of steps, then everything heals, then the books are held together."""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple

from services.common.kit import clock
from services.common.kit.clock import BUSINESS_ZONE
from services.common.money import Fen, yuan
from services.payments.usecases.cut import lanes_due
from tests.payments.hostile import finance, steps, verdict
from tests.payments.hostile.bank import OPENING_FEN
from tests.payments.hostile.steps import Step
from tests.payments.hostile.wire import Killed
from tests.payments.hostile.world import Tools, World, opened

ROUNDS_MAX: Final = 40
ONE_DAY: Final = timedelta(days=1)
GRACE_DAYS: Final = 5
Tell = Callable[[str], None]


class Ran(NamedTuple):
    """What came of a seed; `wrong` is empty where all held."""

    seed: int
    channels: str
    steps: int
    struck: Counter[str]
    kills: int
    seconds: float
    trace: tuple[str, ...]
    wrong: str


def quiet(_line: str) -> None:
    """Say nothing."""


async def run(tools: Tools, seed: int, tell: Tell = quiet) -> Ran:
    """Run a seed to its end; whatever does not hold is told in `wrong`, with the step."""
    began = time.perf_counter()
    wrong = ""
    async with opened(tools, seed) as world:
        try:
            await _story(world, tell)
            await heal(world, tell)
            await verdict.check_end(world)
        except Exception as failure:  # noqa: BLE001 - whatever it is, this seed has failed
            place = f"step {len(world.trace)}"
            wrong = f"{place}: {type(failure).__name__}: {failure}"
    shutil.rmtree(world.bank.folder, ignore_errors=True)
    return Ran(
        seed,
        world.channels,
        len(world.trace),
        world.struck,
        world.kills,
        time.perf_counter() - began,
        tuple(world.trace),
        wrong,
    )


async def _story(world: World, tell: Tell) -> None:
    for _ in range(world.random.randint(2, 4)):
        person = world.join()
        if world.random.random() < 0.8:
            await world.tell(person.member.registered())
            await world.new_card(person)
            await world.grant(person, world.random.randint(1, 90_00))
    chances = steps.STEPS_ISO if world.speaks_iso else steps.STEPS
    count = world.random.randint(25, 60)
    for step in world.random.choices(list(chances), list(chances.values()), k=count):
        world.pass_time(timedelta(seconds=world.random.randint(1, 120)))
        await take(world, step, tell)


async def take(world: World, step: Step, tell: Tell) -> None:
    """Take one step, and look at everything; where our process dies of it, begin anew."""
    try:
        said = await step(world)
    except Killed:
        said = "our process died"
        world.kills += 1
        await world.begin_anew()
    line = f"{clock.now().astimezone(BUSINESS_ZONE):%d %H:%M:%S} {step.__name__:<14} {said}"
    world.trace.append(line)
    tell(f"{len(world.trace):>3} {line}")
    state = await verdict.check_step(world)
    world.trace[-1] = f"{line:<60} {state}"
    tell(f"    {state}")


async def heal(world: World, tell: Tell) -> None:
    """Let all faults end and everybody do their work, until nothing moves any more."""
    world.wire.mishaps.clear()
    world.share.mishaps.clear()
    world.tools.database.deadly = ""
    await world.bank.faults.clear()
    await take(world, steps.release, tell)
    await take(world, steps.hour_passes, tell)
    for person in world.people:
        await world.tell(person.member.registered())
        await world.new_card(person)
    for fund in world.funds.funds:
        await world.bank.pay_in(fund.account, yuan(Fen(OPENING_FEN)))
    if world.bank_life:
        await _statements_tell(world, tell)
    await _until_at_rest(world, tell)
    # The days' statements come, and may tell of something still.
    world.pass_time(2 * ONE_DAY)
    await _until_at_rest(world, tell)


async def _statements_tell(world: World, tell: Tell) -> None:
    """Let the days pass in which a statement may still bring what an earlier one lacked."""
    for _ in range(GRACE_DAYS):
        await take(world, work, tell)
        world.pass_time(ONE_DAY)
    await take(world, work, tell)
    await verdict.check_listed(world)


async def _until_at_rest(world: World, tell: Tell) -> None:
    before = ""
    for _ in range(ROUNDS_MAX):
        await take(world, work, tell)
        busy = await finance_works(world)
        state = f"{await _versions(world)} {await verdict.check_step(world)}"
        if state == before and not busy:
            return
        before = state
    raise verdict.Wrong("it does not come to rest")


async def work(world: World) -> str:
    """Let everybody do their work once, as soon as the next batch is due, in an hour at least."""
    due = [until for _, until, _ in await lanes_due(world.desk)]
    world.pass_time(max([steps.HOUR, *due]))
    said = await steps.cut(world)
    await finance.approve(world, refuse=False)
    for step in (steps.send, steps.serve, steps.send, steps.jobs):
        await step(world)
    return said


async def finance_works(world: World) -> int:
    """Let finance resolve what is listed; give how much there was."""
    done = await finance.answer_doubts(world)
    done += await finance.compare_statements(world)
    done += await finance.retry(world, others=True)
    return done + await finance.settle(world)


async def _versions(world: World) -> str:
    rows = await world.rows("select coalesce(sum(version), 0) as n from payout")
    return str(rows[0]["n"])
