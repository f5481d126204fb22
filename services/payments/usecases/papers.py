"""Papers about payouts: a unit's list, and the receipt that a member is given."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

from services.common.kit.clock import BUSINESS_ZONE
from services.common.kit.db import Row
from services.payments.errors import UnknownPayout
from services.payments.model.months import ONE_DAY
from services.payments.model.payouts import SealedPayee
from services.payments.model.reports import BankReceipt, ListedPayout
from services.payments.store import papers, payees
from services.payments.texts import payouts_csv
from services.payments.texts.sheets import receipt_sheet
from services.payments.usecases.desk import Desk

MEMBERS_A_TIME: Final = 500


async def unit_payouts(desk: Desk, unit_code: str, first: date, last: date) -> AsyncIterator[bytes]:
    """Write the payouts of a unit's members that were made in a span, both days in it, as CSV.

    Member by member, in pieces; names and cards are masked.
    """
    since, until = (datetime.combine(day, time(), BUSINESS_ZONE) for day in (first, last + ONE_DAY))
    async with desk.database.begin() as unit:
        members = await papers.members_of(unit, unit_code)
    yield payouts_csv.heading()
    for start in range(0, len(members), MEMBERS_A_TIME):
        async with desk.database.begin() as unit:
            rows = await papers.made_between(
                unit, members[start : start + MEMBERS_A_TIME], since, until
            )
            sealed = await payees.of_members(unit, [row["member_id"] for row in rows])
        # Opening many takes a while, and others wait for this thread.
        yield await asyncio.to_thread(_listed, desk, rows, sealed)


def _listed(desk: Desk, rows: Sequence[Row], sealed: Mapping[UUID, SealedPayee]) -> bytes:
    opened = {
        member_id: desk.readable_payee(member_id, payee) for member_id, payee in sealed.items()
    }
    return payouts_csv.rows(
        ListedPayout(
            row["payout_id"],
            payee.name if payee else None,
            payee.card if payee and row["tail_known"] else None,
            row["scheme_id"],
            row["amount_fen"],
            row["state"],
            row["paid_on"],
        )
        for row in rows
        for payee in [opened.get(row["member_id"])]
    )


async def payout_receipt(desk: Desk, member_id: UUID, payout_id: UUID) -> bytes:
    """Give the receipt of a member's paid payout as a PDF; `UnknownPayout` of any other."""
    async with desk.database.begin() as unit:
        row = await papers.booked(unit, member_id, payout_id)
        if row is None:
            raise UnknownPayout
        sealed = (await payees.of_members(unit, [member_id])).get(member_id)
    payee = desk.readable_payee(member_id, sealed) if sealed else None
    return await receipt_sheet(
        BankReceipt(
            payout_id,
            desk.funds.by_id[row["fund_id"]].holder,
            payee.name if payee else None,
            payee.card if payee and row["tail_known"] else None,
            row["scheme_id"],
            row["amount_fen"],
            row["paid_on"],
            row["bank_serial"] or "",
        )
    )
