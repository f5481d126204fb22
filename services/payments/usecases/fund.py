"""The funds' opening entries: what the installation begins with, booked once."""

from services.common.kit import clock
from services.common.money import Fen
from services.payments.rules import postings
from services.payments.store import ledger
from services.payments.usecases.desk import Desk


class FundGone(Exception):
    """Payouts wait for these funds or are on their way from them, and nobody names them."""


async def open_funds(desk: Desk) -> None:
    """Open the funds that are new; an opening that is booked stays, whatever is said later."""
    opening = Fen(desk.settings.fund_opening_fen)
    async with desk.database.begin() as unit:
        gone = await ledger.funds_at_work(unit) - desk.channels.keys()
        if gone:
            raise FundGone(", ".join(sorted(gone)))
        new = await ledger.open_funds(unit, [fund.fund_id for fund in desk.funds.funds])
        if opening:
            await ledger.post(
                unit, [postings.opened(fund_id, opening) for fund_id in new], clock.now()
            )
