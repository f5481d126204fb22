"""A hospital's posts: settled at once, checked without effect, looked up, taken back."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

import asyncpg

from services.claims import rows as row_texts
from services.claims.errors import AlreadyCancelled, PostsCollide, UnknownSettlement
from services.claims.model import Outcome, Reason, SettlementKey
from services.claims.store import settlements as store
from services.claims.store.settlements import Claim
from services.claims.usecases.desk import Desk, Incoming, Reader
from services.claims.usecases.intake import take_in
from services.claims.usecases.people import People
from services.common.kit.db import Database
from services.common.kit.gathering import Gathering

TRIES_MAX = 3
# Posts that come while others are being booked are booked together: a transaction of one row costs
# several times what the row does. Two sets at once, so that one that waits for members whom a feed
# has locked does not hold up everybody.
SETS_AT_ONCE = 2
SET_ROWS_MAX = 1_000

_Post = Sequence[Incoming]


class Counter:
    """Where hospitals are served.

    `caught_up` waits a little for enrollment's topics to be consumed to their end as read now, and
    says whether they were.
    """

    def __init__(
        self,
        database: Database,
        desk: Desk,
        read: Reader,
        caught_up: Callable[[], Awaitable[bool]],
    ) -> None:
        self.database = database
        self.desk = desk
        self.read = read
        self.caught_up = caught_up
        self.people = People(database)
        self.booking = Gathering[_Post, list[Outcome] | None](
            self._book_sure, rows_of=len, rows_max=SET_ROWS_MAX, sets_at_once=SETS_AT_ONCE
        )

    async def _book_sure(self, posts: Sequence[_Post]) -> list[list[Outcome] | None]:
        """Book the posts together; None for one of which not every row could be decided."""
        sure = dict(enumerate(posts))
        while True:
            outcomes = await _take(
                self,
                [row for rows in sure.values() for row in rows],
                members_final=False,
                keep=_sure,
            )
            each = iter(outcomes)
            by_post = {place: list(islice(each, len(rows))) for place, rows in sure.items()}
            unsure = [place for place, found in by_post.items() if not _sure(found)]
            if not unsure:
                return [by_post.get(place) for place in range(len(posts))]
            for place in unsure:
                del sure[place]


class _Undone(Exception):
    """Rolls back what a unit would have booked, and carries what it found."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


async def post(counter: Counter, rows: _Post) -> list[Outcome]:
    """Take in a hospital's rows; one answer each, in order.

    Who is not known is refused only once all rosters on their way have arrived; where that takes
    too long the row is kept in review.
    """
    await counter.people.note()
    outcomes = await counter.booking.done(rows)
    return await _take_waited(counter, rows, book=True) if outcomes is None else outcomes


async def check(counter: Counter, rows: _Post) -> list[Outcome]:
    """Say what posting the rows would give, without any effect."""
    outcomes = await _take(counter, rows, members_final=False, keep=lambda _: False)
    return outcomes if _sure(outcomes) else await _take_waited(counter, rows, book=False)


async def _take_waited(counter: Counter, rows: _Post, *, book: bool) -> list[Outcome]:
    """Take in rows whose member or cover is not known, once what was on its way has arrived."""
    final = await counter.caught_up()
    return await _take(counter, rows, members_final=final, keep=lambda _: book)


def _sure(outcomes: Sequence[Outcome]) -> bool:
    return not any(o.status == "in_review" or o.code == Reason.OUTSIDE_COVERAGE for o in outcomes)


async def _take(
    counter: Counter,
    rows: _Post,
    *,
    members_final: bool,
    keep: Callable[[Sequence[Outcome]], bool],
) -> list[Outcome]:
    """Take the rows in, and roll back again unless the outcomes are to be kept."""
    for _ in range(TRIES_MAX):
        try:
            async with counter.database.begin() as unit:
                outcomes = await take_in(unit, counter.desk, rows, members_final=members_final)
                if not keep(outcomes):
                    raise _Undone(outcomes)  # noqa: TRY301 - raising is how a unit is undone
        except asyncpg.UniqueViolationError:
            continue  # the same settlement came by another door: now it is known
        except _Undone as undone:
            return undone.outcomes
        return outcomes
    raise PostsCollide


async def find(counter: Counter, fixmedins_code: str, setl_id: str) -> Claim:
    """Give a hospital's own settlement, or raise `UnknownSettlement`."""
    key = SettlementKey(fixmedins_code, setl_id, refund=False)
    async with counter.database.begin() as unit:
        claim = (await store.known_claims(unit, [key])).get(key)
    if claim is None:
        raise UnknownSettlement
    return claim


async def cancel(counter: Counter, fixmedins_code: str, setl_id: str) -> Outcome:
    """Take a settlement back: the same as posting its exact refund."""
    claim = await find(counter, fixmedins_code, setl_id)
    if claim.status == "reversed":
        raise AlreadyCancelled
    async with counter.database.begin() as unit:
        owners = await store.members_of(unit, [claim.member_id] if claim.member_id else [])
    texts = counter.desk.unseal(claim, owners)
    refund = row_texts.refund_of(texts)
    (outcome,) = await post(counter, [Incoming.of(refund, counter.read(refund))])
    return outcome
