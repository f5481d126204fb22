"""A payout that was on its way, or had arrived, is to be paid again: the one place where it is."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.common.kit.db import Unit
from services.payments.model.payouts import Attempt, Payout, PayoutState, Refusal
from services.payments.rules.owed import Books, after_failure
from services.payments.store import payees, payouts, queue
from services.payments.usecases.desk import Desk


class Reopened(NamedTuple):
    """An attempt that failed, why, and what its payout is called while it waits for its actor.

    The payout's amount is already what is still owed of it.
    """

    attempt: Attempt
    refusal: Refusal
    waits_as: Literal[PayoutState.REFUSED, PayoutState.RETURNED]


async def reopen(
    desk: Desk, unit: Unit, failed: Sequence[Reopened], books: Books, at: datetime
) -> None:
    """Say of each payout whether it waits for its actor, goes out to a newer payee, or is void."""
    if not failed:
        return
    # Read after the balances are locked: a payee that comes later finds what is decided here.
    known = await payees.of_members(unit, [one.attempt.payout.member_id for one in failed])
    for attempt, _, waits_as in failed:
        payout = attempt.payout
        books.opened(payout.account, payout.amount_fen)
        payee = known.get(payout.member_id)
        newer = payee is not None and payee.version > attempt.payee_version
        payout.state = after_failure(payout.amount_fen, waits_as, newer_payee=newer)
        payout.version += 1
    await payouts.save(unit, [one.attempt.payout for one in failed], at)
    waiting = [
        (one.attempt.payout, one.refusal)
        for one in failed
        if one.attempt.payout.state is one.waits_as
    ]
    await payouts.put_on_refusal_list(unit, waiting, at)
    ready = [one.attempt.payout for one in failed if one.attempt.payout.state is PayoutState.READY]
    await line_up(desk, unit, ready, at)


async def let_go(desk: Desk, unit: Unit, member_ids: Collection[UUID], at: datetime) -> None:
    """Line up what was held back while these members' transfers were on their way."""
    await line_up(desk, unit, await queue.release(unit, member_ids), at)


async def line_up(desk: Desk, unit: Unit, ready: Sequence[Payout], at: datetime) -> None:
    if ready:
        await queue.put(unit, desk.lanes(ready), at)
        unit.wakes.add(desk.payouts_ready)
