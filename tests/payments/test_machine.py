"""Whatever happens, in whatever order: nobody gets more than is owed, and everybody that much."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.common.contracts.event import Event
from services.payments.channels.base import Outcome
from services.payments.usecases.desk import Desk
from services.payments.usecases.submit import advance, open_batches
from tests.payments.bank import Line, ToldBank
from tests.payments.people import Member, deliver
from tests.payments.steps import benefits_of, check_books, cut, send

NewMember = Callable[..., Member]
MEMBERS = 2
LAST_CARD = "6222021000112345672"


@dataclass
class World:
    """A few members, what enrollment and claims have said of them, and a bank."""

    desk: Desk
    bank: ToldBank
    members: Sequence[Member]
    history: list[Event] = field(default_factory=list[Event])
    cards: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(MEMBERS), 0))

    async def tell(self, event: Event) -> None:
        self.history.append(event)
        await deliver(self.desk, event)

    async def register(self, who: int, _n: int) -> None:
        await self.tell(self.members[who].registered())

    async def change_card(self, who: int, n: int) -> None:
        """Tell of a new card, and now and then of one that is older than what is known."""
        self.cards[who] += 1
        version = max(1, self.cards[who] - n % 3)
        await self.tell(self.members[who].payee(version, card=f"62220210{version:08d}"))

    async def grant(self, who: int, n: int) -> None:
        await self.tell(self.members[who].grant(n * 7 + 1, period=2017 + n % 3))

    async def reverse(self, who: int, n: int) -> None:
        await self.tell(self.members[who].grant(-(n * 5 + 1), period=2017 + n % 3))

    async def replay(self, _who: int, n: int) -> None:
        await deliver(self.desk, *self.history[n % (len(self.history) + 1) :])

    async def cut(self, _who: int, _n: int) -> None:
        await cut(self.desk)

    async def go_on(self, _who: int, _n: int) -> None:
        for batch_id in await open_batches(self.desk):
            await advance(self.desk, batch_id)

    async def lose_request(self, _who: int, _n: int) -> None:
        self.bank.request_lost = 1

    async def lose_answer(self, _who: int, _n: int) -> None:
        self.bank.answer_lost = 1

    async def book(self, who: int, n: int) -> None:
        await self.go_on(who, n)
        for line in self._undecided(n):
            line.pay()
        await self.go_on(who, n)

    async def refuse(self, who: int, n: int) -> None:
        await self.go_on(who, n)
        for line in self._undecided(n):
            line.refuse("NAME_DIFFERS" if n % 2 else "INSUFFICIENT_FUNDS")
        await self.go_on(who, n)

    def _undecided(self, n: int) -> list[Line]:
        """Give all lines that the bank has not decided, or all but the first."""
        undecided = [line for line in self.bank.all_lines if line.outcome is Outcome.UNKNOWN]
        return undecided[n % 2 :] or undecided


Step = Callable[[World, int, int], Awaitable[None]]
# What leads somewhere comes more often than what only disturbs.
STEPS: Sequence[Step] = (
    World.register,
    World.replay,
    World.lose_request,
    World.lose_answer,
    World.go_on,
    *(World.change_card,) * 2,
    *(World.grant, World.reverse, World.book) * 3,
    *(World.cut, World.refuse) * 4,
)
STORIES = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from([0, 0, 1]), st.integers(0, 9)),
    min_size=15,
    max_size=50,
)


async def settle_everything(world: World) -> None:
    """Let everybody be known with a good card, and the bank book all that still comes."""
    world.bank.request_lost = world.bank.answer_lost = 0
    for who, member in enumerate(world.members):
        await deliver(world.desk, member.registered())
        await deliver(world.desk, member.payee(world.cards[who] + 1, card=LAST_CARD))
    # Once for what was on its way, once for what was refused there, once for what that released.
    for _ in range(3):
        await cut(world.desk)
        await send(world.desk)
        await world.book(0, 0)
    assert await open_batches(world.desk) == []


async def payouts_of(desk: Desk, member: Member) -> list[UUID]:
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select payout_id from payout where member_id = $1", member.member_id
        )
    return [row["payout_id"] for row in rows]


@settings(
    max_examples=40,
    deadline=None,
    # A story is told as it was found: making it shorter would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=STORIES)
async def test_nobody_gets_more_than_is_owed_and_in_the_end_everybody_gets_that(
    desk: Desk, bank: ToldBank, new_member: NewMember, story: Sequence[tuple[Step, int, int]]
) -> None:
    world = World(desk, bank, [new_member() for _ in range(MEMBERS)])
    await world.register(0, 0)
    await world.change_card(0, 0)
    for step, who, n in story:
        await step(world, who, n)
        await check_books(desk, bank)
    await settle_everything(world)
    await check_books(desk, bank)
    for member in world.members:
        granted, paid, to_recover = await benefits_of(desk, member)
        mine = {payout_id.hex for payout_id in await payouts_of(desk, member)}
        booked = sum(
            line.amount_fen
            for line in bank.all_lines
            if line.outcome is Outcome.DONE and line.instruction_id[:32] in mine
        )
        assert booked == paid == granted + to_recover
        assert booked == max(0, granted) or to_recover
