"""Finance at work, by what the bank's book says: approvals, retries, letters, asking again."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.common.kit import clock
from services.payments.errors import ActImpossible, ApprovedAlready
from services.payments.model.acts import ActContent, AskAgain, Letter, Retry, SettleException
from services.payments.model.payouts import instruction_id
from services.payments.usecases import acts, approvals, doubts, reading
from tests.payments.hostile.bank import Fact
from tests.payments.hostile.world import FINANCE, World

NOTHING = Fact("", 0)


class Tried(NamedTuple):
    """An attempt as we have it, beside its batch."""

    payout_id: UUID
    attempt_no: int
    batch_id: UUID
    state: str
    amount_fen: int
    batch_state: str

    @property
    def id(self) -> str:
        return instruction_id(self.payout_id, self.attempt_no)


async def attempts(world: World) -> list[Tried]:
    rows = await world.rows(
        "select a.payout_id, a.attempt_no, a.batch_id, a.state, a.amount_fen, b.state"
        " from attempt a join batch b using (batch_id) order by a.payout_id, a.attempt_no"
    )
    return [Tried(*row) for row in rows]


async def act(world: World, content: ActContent) -> bool:
    """Propose and confirm, by two people; tell whether it could be done."""
    proposer, confirmer = world.random.sample(FINANCE, 2)
    act_id = await acts.propose(world.desk, proposer, content, "looked into")
    try:
        await acts.confirm(world.desk, act_id, confirmer)
    except ActImpossible:
        await acts.refuse(world.desk, act_id, confirmer)
        return False
    return True


async def approve(world: World, *, refuse: bool) -> int:
    """Look at every batch that awaits approval: two people, or one who refuses it."""
    waiting = [
        batch["batch_id"]
        for batch in reversed(await reading.batches(world.desk, None))
        if batch["state"] == "awaiting_approval"
    ]
    for batch_id in waiting:
        maker, checker = world.random.sample(FINANCE, 2)
        if refuse:
            await approvals.refuse(world.desk, batch_id, checker)
            continue
        try:
            await approvals.approve(world.desk, batch_id, maker, "maker")
            await approvals.approve(world.desk, batch_id, checker, "checker")
        except ApprovedAlready:
            continue
    return len(waiting)


async def retry(world: World, *, others: bool = False) -> int:
    """Let go out again what waits for finance; `others`: whatever waits for anybody."""
    listed = await reading.refused_payouts(world.desk, None, None)
    mine = [one.payout_id for one in listed if others or one.actor == "finance"]
    done = bool(mine) and await act(world, Retry(kind="retry", payout_ids=tuple(mine)))
    return len(mine) if done else 0


async def answer_doubts(world: World) -> int:
    """Write down what the bank says of transfers in doubt; it knows only what is in its book."""
    facts = world.bank.facts()
    done = 0
    failed = ("refused", "returned")
    spent = {tried.batch_id for tried in await attempts(world) if tried.state in failed}
    for doubt in await doubts.page(world.desk, None):
        named = doubt["payout_id"], doubt["attempt_no"]
        fact = facts.get(instruction_id(*named), NOTHING)
        if fact.booked:
            done += await _letter(world, named, "paid", fact.day)
        elif fact.refused:
            done += await _letter(world, named, "refused", fact.day, fact.reason)
        elif doubt["batch_id"] in spent and world.nothing_on_the_line:
            if world.bank.bank.batch(doubt["batch_no"]) is None:
                # The bank has no such batch and will book none: we hand these bytes over no more.
                done += await _letter(world, named, "refused", clock.today(), "OTHER")
        elif world.bank.put_before_again(doubt["batch_no"]):
            done += 1
    return done


async def compare_statements(world: World) -> int:
    """Find what we call paid and the bank's book has not: given back, or forgotten."""
    facts = world.bank.facts()
    done = 0
    being_asked: set[UUID] = set()
    for tried in await attempts(world):
        fact = facts.get(tried.id, NOTHING)
        if tried.state != "paid" or fact.net_fen or tried.batch_id in being_asked:
            continue
        named = tried.payout_id, tried.attempt_no
        if fact.returned or fact.refused:
            done += await _letter(world, named, "returned", fact.day, fact.reason)
        elif tried.batch_state == "closed":
            if await _ask_again(world, tried.batch_id):
                being_asked.add(tried.batch_id)
                done += 1
            else:
                done += await _forgotten(world, tried)
    return done


async def _ask_again(world: World, batch_id: UUID) -> bool:
    """Have a batch asked about again, once in each life of the bank's books."""
    key = batch_id, world.bank_life
    if key in world.asked:
        return False
    world.asked.add(key)
    return await act(world, AskAgain(kind="ask_again", batch_id=batch_id))


async def _forgotten(world: World, tried: Tried) -> bool:
    """Have the bank write that it has no such transfer, where asking again is no way."""
    named = tried.payout_id, tried.attempt_no
    return await _letter(world, named, "returned", clock.today(), "OTHER")


async def settle(world: World) -> int:
    """Look into what the bank said and was not applied."""
    found = await reading.exceptions(world.desk, settled=False)
    for one in found:
        content = SettleException(
            kind="settle_exception",
            batch_id=one["batch_id"],
            exception=one["kind"],
            instruction_id=one["instruction_id"],
        )
        await act(world, content)
    return len(found)


async def _letter(
    world: World, named: tuple[UUID, int], outcome: str, day: date, reason: str = ""
) -> bool:
    content = Letter.model_validate(
        {
            "kind": "letter",
            "payout_id": named[0],
            "attempt_no": named[1],
            "outcome": outcome,
            "day": day,
            "reason": reason,
        }
    )
    return await act(world, content)


def booked_of(attempts_of: Sequence[Tried], facts: dict[str, Fact]) -> int:
    return sum(facts.get(one.id, NOTHING).net_fen for one in attempts_of)
