"""A payout that waits for its actor is said to wait, again and again: nothing expires silently."""

from services.common.contracts.payments import PayoutOverdue
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.logs import get_logger
from services.payments.store import overdue
from services.payments.usecases.desk import Desk

log = get_logger()

ROWS_MAX = 1_000


async def remind(desk: Desk) -> None:
    """Tell of every payout that has waited for another `remind_after_days`."""
    every, now = desk.settings.remind_after_days, clock.now()
    async with desk.database.begin() as unit:
        rows = await overdue.take(unit, every, now, ROWS_MAX)
        await unit.publish(
            [
                PayoutOverdue(
                    event_id=new_id(),
                    at=now,
                    version=row["version"],
                    member_id=row["member_id"],
                    payout_id=row["payout_id"],
                    claim_id=row["claim_id"],
                    attempt_no=row["attempt_no"],
                    payee_version=row["payee_version"],
                    amount_fen=row["amount_fen"],
                    reason=row["reason"],
                    actor=row["actor"],
                    days=row["reminded_days"],
                )
                for row in rows
            ]
        )
    if rows:
        log.info("payout.overdue", count=len(rows))
