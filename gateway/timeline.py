"""The story of one claim as the member sees it: what claims, payments and notify know of it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from gateway.schemas.member import ClaimOut, MessageLine, MessageLines, Moment, PayoutLines
from gateway.upstream import Desk


async def told_claim(desk: Desk, member_id: UUID, claim_id: UUID, pages_max: int) -> ClaimOut:
    claim, paid = await asyncio.gather(
        desk.get(desk.claims, f"/members/{member_id}/claims/{claim_id}", ClaimOut),
        desk.get(
            desk.payments,
            "/payouts",
            PayoutLines,
            member_id=str(member_id),
            claim_id=str(claim_id),
        ),
    )
    moments = claim.timeline + [moment for payout in paid.payouts for moment in payout.timeline]
    payouts = {payout.payout_id for payout in paid.payouts}
    if payouts:
        moments += [
            Moment(at=message.sent_at, what=f"text_sent {message.template}")
            async for message in _messages(desk, member_id, pages_max)
            if message.source_id in payouts and message.sent_at is not None
        ]
    return claim.model_copy(update={"timeline": sorted(moments, key=lambda one: one.at)})


async def _messages(desk: Desk, member_id: UUID, pages_max: int) -> AsyncIterator[MessageLine]:
    """Give the member's texts, newest page first; who has more pages is shown the newest."""
    asked: dict[str, str | None] = {"member_id": str(member_id), "cursor": None}
    for _ in range(pages_max):
        page = await desk.get(desk.notify, "/messages", MessageLines, **asked)
        for message in page.messages:
            yield message
        asked["cursor"] = page.next_cursor
        if page.next_cursor is None:
            return
