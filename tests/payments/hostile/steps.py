"""What happens in a run, each in one word: to members, to the bank, on the way there, to us."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from deploy.sandbox.bank.ledger import Standing
from services.common.money import Fen, yuan
from services.payments import timers
from services.payments.usecases.cut import cut_batch, lanes_due, rows_max
from services.payments.usecases.submit import Step as Came
from services.payments.usecases.submit import advance, open_batches
from tests.payments.hostile import finance, wire
from tests.payments.hostile.world import Person, World
from tests.payments.people import deliver

Step = Callable[[World], Awaitable[str]]
HOUR: Final = timedelta(hours=1)
UNTIL_MORNING: Final = timedelta(hours=16)
ORDERS: Final = {
    "bank_upload": ("drop_request", "drop_answer", "status_500", "hold"),
    "bank_result": (
        "never_ready",
        "truncated",
        "wrong_control_sum",
        "line_in_process",
        "garbage",
        "twice",
        "reencoded",
        "unknown_ids",
        "stale",
    ),
    "bank_movements": ("twice", "truncated", "out_of_order"),
    "iso_order": ("hold",),
    "iso_report": ("truncated", "garbage", "twice", "unknown_ids", "stale", "exceptions_only"),
    "iso_notice": ("truncated", "garbage", "twice", "out_of_order"),
    "cmb": ("drop_request", "drop_answer", "busy", "garbage"),
}
TARGETS: Final = {
    "p1": ("bank_upload", "bank_result", "bank_result", "bank_movements"),
    "p2": ("bank_upload", "bank_result", "bank_result", "bank_movements"),
    "iso20022": ("iso_order", "iso_report", "iso_report", "iso_notice"),
    "cmb": ("cmb",),
}
RETURN_REASONS: Final = ("0002", "0003")


def _somebody(world: World) -> Person:
    return world.random.choice(world.people)


async def grant(world: World) -> str:
    person, large = _somebody(world), world.random.random() < 0.15
    amount = world.random.randint(1_000_00, 5_000_00) if large else world.random.randint(1, 90_00)
    await world.grant(person, amount)
    return f"{person.number} {amount}"


async def negative_grant(world: World) -> str:
    person, amount = _somebody(world), -world.random.randint(1, 60_00)
    await world.grant(person, amount)
    return f"{person.number} {amount}"


async def register(world: World) -> str:
    person = _somebody(world)
    await world.tell(person.member.registered())
    return f"{person.number}"


async def new_card(world: World) -> str:
    """Tell of a good card, or of one that the bank will not credit."""
    person = _somebody(world)
    kind = world.random.choice(["good", "good", "not_theirs", "closed", "frozen", "unwritable"])
    card = await world.new_card(person, good=kind != "unwritable")
    match kind:
        case "not_theirs":
            await world.bank.set_account(card, "别人", Standing.OPEN)
        case "closed" | "frozen":
            await world.bank.set_account(card, person.name, Standing(kind))
        case _:
            pass
    return f"{person.number} {kind}"


async def card_closes(world: World) -> str:
    """Close a card that is good by now, or open it again."""
    person = _somebody(world)
    if not person.cards:
        return "none"
    card = f"62220210{person.number:02d}{person.cards:06d}"
    standing = world.random.choice([Standing.CLOSED, Standing.OPEN])
    await world.bank.set_account(card, person.name, standing)
    return f"{person.number} {standing}"


async def replay(world: World) -> str:
    start = world.random.randint(0, len(world.history))
    await deliver(world.desk, *world.history[start:])
    return f"{len(world.history) - start} events"


async def cut(world: World) -> str:
    """Cut what is due, as the cutter does."""
    made = 0
    for lane, until, _ in await lanes_due(world.desk):
        if not until:
            made += await cut_batch(world.desk, lane, rows_max(world.desk, lane)) is not None
            world.pass_time(timedelta(seconds=1))
    return f"{made} batches"


async def go_on(world: World) -> str:
    """Do the next thing for one batch."""
    found = await open_batches(world.desk)
    if not found:
        return "none"
    place = world.random.randrange(len(found))
    return f"{place} {(await advance(world.desk, found[place])).step.value}"


async def send(world: World) -> str:
    """Go on with every batch as whoever follows it does, until nothing is new."""
    found = await open_batches(world.desk)
    for batch_id in found:
        progress = await advance(world.desk, batch_id)
        while progress.step in (Came.MOVED, Came.SENT):
            progress = await advance(world.desk, batch_id, progress.sent)
    return f"{len(found)} batches"


async def turn(world: World) -> str:
    """Let the usual happen, grants and a batch and its sending, with trouble on the way."""
    said = [await grant(world) for _ in range(world.random.randint(1, 2))]
    for step in (cut, approve_all, send, bank_works, send):
        trouble = world.random.choices([None, mishap, fault, killed], [10, 6, 6, 1])[0]
        if trouble:
            said.append(await trouble(world))
        said.append(await step(world))
    return ", ".join(filter(None, said))


async def approve_all(world: World) -> str:
    await finance.approve(world, refuse=False)
    return ""


async def jobs(world: World) -> str:
    """Let everything be looked after once that is looked after again and again.

    One fund after the other: side by side, chance would say whose call a mishap befalls.
    """
    for job in timers.JOBS:
        for fund_id, channel in world.desk.channels.items():
            await job.work(replace(world.desk, channels={fund_id: channel}))
    return ""


async def mishap(world: World) -> str:
    """Let something befall one of the next calls, or the next file we put."""
    if world.speaks_iso and (len(world.funds.funds) == 1 or world.random.random() < 0.5):
        kind = world.random.choice(wire.FOLDER)
        world.share.mishaps.append(kind)
        return kind
    kind = world.random.choice(wire.CALLS)
    # What stands between us and the bank stays there for a while.
    calls = 3 if kind.startswith("portal") else 1
    world.wire.mishaps += [""] * world.random.randint(0, 2) + [kind] * calls
    return kind


async def fault(world: World) -> str:
    """Order what the bank does wrong next, in place of what it has not got round to."""
    channel = world.random.choice(world.funds.funds).channel
    if len(await world.bank.faults.pending()) > world.random.randint(1, 3):
        await world.bank.faults.clear()
    target = world.random.choice(TARGETS[channel])
    kind = world.random.choice(ORDERS[target])
    await world.bank.order(target, kind)
    return f"{target} {kind}"


async def bank_works(world: World) -> str:
    """Let the bank serve the shared folder; what it writes may be late."""
    if not world.speaks_iso:
        return ""
    folder = world.bank.wire / "from-bank"
    before = {path.name for path in folder.iterdir()}
    await world.bank.look()
    new = sorted(path.name for path in folder.iterdir() if path.name not in before)
    if new and world.random.random() < 0.25:
        late = folder / world.random.choice(new)
        world.hidden.append(late.rename(world.bank.folder / late.name))
        world.struck["folder.file_late"] += 1
    return f"{len(new)} files"


async def serve(world: World) -> str:
    """Let the bank serve the shared folder, with nothing late."""
    await world.bank.look()
    return ""


async def hour_passes(world: World) -> str:
    """Let arrive what lay on the line or was still being copied."""
    world.pass_time(HOUR)
    arrived = await world.wire.arrive_late() + files_arrive(world)
    return f"{arrived} arrive"


def files_arrive(world: World) -> int:
    late, world.hidden = world.hidden, []
    for path in late:
        path.rename(world.bank.wire / "from-bank" / path.name)
    return len(late)


async def release(world: World) -> str:
    await world.bank.hand.release()
    await world.bank.at_rest()
    return ""


async def bank_killed(world: World) -> str:
    await world.bank.killed()
    return ""


async def back_up(world: World) -> str:
    await world.bank.back_up()
    return ""


async def restore(world: World) -> str:
    """Set the bank back to its backup; what was on the line is gone with it.

    A return is the payees' banks' doing: they send it again to a bank that has forgotten it. Were
    it lost, a transfer that we had paid anew would stand twice, and nobody could have known.
    """
    if not world.bank.has_backup:
        return "no backup"
    world.wire.late.clear()
    files_arrive(world)
    given_back = [id_ for id_, fact in world.bank.facts().items() if fact.returned]
    await world.bank.restore()
    facts = world.bank.facts()
    for id_ in given_back:
        if id_ in facts and facts[id_].net_fen:
            await world.bank.give_back(id_, RETURN_REASONS[0], same_day=False)
    world.bank_life += 1
    world.struck["bank.restored"] += 1
    return ""


async def give_back(world: World) -> str:
    """Let the bank return what it has booked."""
    booked = [id_ for id_, fact in world.bank.facts().items() if fact.net_fen]
    if not booked:
        return "none"
    same_day = world.random.random() < 0.3
    reason = world.random.choice(RETURN_REASONS)
    await world.bank.give_back(world.random.choice(booked), reason, same_day=same_day)
    world.struck["bank.returned"] += 1
    return "reversal" if same_day else "return"


async def drain(world: World) -> str:
    """Let somebody take from a fund's account nearly all there is."""
    account = world.random.choice(world.funds.funds).account
    left = world.random.randint(0, 50_00)
    amount = world.bank.available_fen(account) - left
    if amount > 0:
        await world.bank.hand_out(account, yuan(Fen(amount)))
        world.struck["bank.drained"] += 1
    return f"{left} left"


async def pay_in(world: World) -> str:
    """Let somebody whom nobody expects pay in."""
    account, amount = world.random.choice(world.funds.funds).account, world.random.randint(1, 99_99)
    await world.bank.pay_in(account, yuan(Fen(amount)))
    return str(amount)


async def approve(world: World) -> str:
    refuse = world.random.random() < 0.15
    return f"{await finance.approve(world, refuse=refuse)} {'no' if refuse else 'yes'}"


async def retry(world: World) -> str:
    return str(await finance.retry(world))


async def letters(world: World) -> str:
    return str(await finance.answer_doubts(world))


async def compare(world: World) -> str:
    return str(await finance.compare_statements(world))


async def settle(world: World) -> str:
    return str(await finance.settle(world))


async def killed(world: World) -> str:
    """Let our process die at the end of one of its next transactions."""
    kind = world.random.choice(["uncommitted", "committed"])
    world.tools.database.arm(kind, world.random.randint(0, 6))
    return kind


async def day_closes(world: World) -> str:
    world.pass_time(UNTIL_MORNING)
    return ""


# What leads somewhere comes more often than what only disturbs.
STEPS: Final[dict[Step, int]] = {
    turn: 22,
    grant: 8,
    negative_grant: 2,
    register: 2,
    new_card: 5,
    card_closes: 2,
    replay: 2,
    cut: 8,
    go_on: 10,
    send: 8,
    jobs: 4,
    mishap: 6,
    fault: 5,
    hour_passes: 3,
    release: 2,
    bank_killed: 1,
    back_up: 2,
    restore: 2,
    give_back: 3,
    drain: 1,
    pay_in: 1,
    approve: 4,
    retry: 3,
    letters: 2,
    compare: 2,
    settle: 1,
    killed: 4,
    day_closes: 1,
}
STEPS_ISO: Final = {**STEPS, bank_works: 14}
