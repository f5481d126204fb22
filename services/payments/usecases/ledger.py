"""The days of the ledger that are closed."""

from datetime import date

from services.payments.model.ledger import ClosedDay
from services.payments.store import days
from services.payments.usecases.desk import Desk


async def closed_days(desk: Desk, first: date, last: date) -> list[ClosedDay]:
    """Give the closed days of a span that are vouched for, oldest first."""
    async with desk.database.begin() as unit:
        return await days.roots(unit, first, last)
