"""The events that payments publishes, made of what became of an attempt."""

from collections.abc import Sequence
from datetime import datetime

from services.common.contracts.payments import PayoutPaid, PayoutRefused, PayoutReturned
from services.common.ids import new_id, new_ids
from services.payments.model.payouts import Paid, Refused, Returned


def paid(lines: Sequence[Paid], at: datetime) -> list[PayoutPaid]:
    return [
        PayoutPaid(
            event_id=event_id,
            at=at,
            version=(payout := (attempt := line.attempt).payout).version,
            member_id=payout.member_id,
            payout_id=payout.payout_id,
            claim_id=payout.claim_id,
            attempt_no=attempt.attempt_no,
            payee_version=attempt.payee_version,
            amount_fen=payout.amount_fen,
            paid_on=line.paid_on,
        )
        for event_id, line in zip(new_ids(len(lines)), lines, strict=True)
    ]


def refused(line: Refused, tried_fen: int, at: datetime) -> PayoutRefused:
    """Only of a payout that waits for its actor now: what goes out again by itself is no news."""
    payout = line.attempt.payout
    return PayoutRefused(
        event_id=new_id(),
        at=at,
        version=payout.version,
        member_id=payout.member_id,
        payout_id=payout.payout_id,
        claim_id=payout.claim_id,
        attempt_no=line.attempt.attempt_no,
        payee_version=line.attempt.payee_version,
        amount_fen=tried_fen,
        reason=line.refusal.reason,
        actor=line.refusal.actor,
    )


def returned(line: Returned, given_back_fen: int, at: datetime) -> PayoutReturned:
    """Of every payout that is owed again: its member was told that it had come."""
    payout = line.attempt.payout
    return PayoutReturned(
        event_id=new_id(),
        at=at,
        version=payout.version,
        member_id=payout.member_id,
        payout_id=payout.payout_id,
        claim_id=payout.claim_id,
        attempt_no=line.attempt.attempt_no,
        payee_version=line.attempt.payee_version,
        amount_fen=given_back_fen,
        reason=line.refusal.reason,
        actor=line.refusal.actor,
        returned_on=line.returned_on,
    )
