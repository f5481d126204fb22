"""A hospital's posts: settled at once, checked without effect, looked up, taken back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg

from services.claims import rows as row_texts
from services.claims.errors import AlreadyCancelled, PostsCollide, UnknownSettlement
from services.claims.model import Outcome, Reason
from services.claims.store import settlements as store
from services.claims.store.settlements import Claim, SettlementKey
from services.claims.usecases.desk import Desk, Incoming, Reader
from services.claims.usecases.intake import take_in
from services.common.kit.db import Database

TRIES_MAX = 3


@dataclass(frozen=True, slots=True)
class Counter:
    """Where hospitals are served.

    `caught_up` waits a little for enrollment's topics to be consumed to their end as read now, and
    says whether they were.
    """

    database: Database
    desk: Desk
    read: Reader
    caught_up: Callable[[], Awaitable[bool]]


class _Undone(Exception):
    """Rolls back what a unit would have booked, and carries what it found."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


async def post(counter: Counter, rows: Sequence[Incoming]) -> list[Outcome]:
    """Take in a hospital's rows; one answer each, in order.

    Who is not known is refused only once all rosters on their way have arrived; where that takes
    too long the row is kept in review.
    """
    return await _answer(counter, rows, book=True)


async def check(counter: Counter, rows: Sequence[Incoming]) -> list[Outcome]:
    """Say what posting the rows would give, without any effect."""
    return await _answer(counter, rows, book=False)


async def _answer(counter: Counter, rows: Sequence[Incoming], *, book: bool) -> list[Outcome]:
    outcomes = await _take(
        counter, rows, members_final=False, keep=lambda found: book and _sure(found)
    )
    if _sure(outcomes):
        return outcomes
    final = await counter.caught_up()
    return await _take(counter, rows, members_final=final, keep=lambda _: book)


def _sure(outcomes: Sequence[Outcome]) -> bool:
    return not any(o.status == "in_review" or o.code == Reason.OUTSIDE_COVERAGE for o in outcomes)


async def _take(
    counter: Counter,
    rows: Sequence[Incoming],
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
    (outcome,) = await post(counter, [Incoming(refund, counter.read(refund))])
    return outcome
