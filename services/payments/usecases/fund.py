"""The fund's opening entry: what the installation begins with, booked once."""

from services.common.kit import clock
from services.common.money import Fen
from services.payments import rules
from services.payments.store import payouts
from services.payments.usecases.desk import Desk


async def open_fund(desk: Desk) -> None:
    """Book the opening; an opening that is booked stays, whatever the setting says later."""
    opening = Fen(desk.settings.fund_opening_fen)
    if opening:
        async with desk.database.begin() as unit:
            await payouts.post_once(unit, rules.opened(opening), clock.now())
