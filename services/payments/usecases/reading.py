"""What one can look up: payouts and their stories, refusals, batches, benefits, the books."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.common.money import Fen
from services.payments.errors import UnknownMember
from services.payments.model.ledger import Account, TrialRow
from services.payments.model.owed import Benefits
from services.payments.model.payouts import AttemptState, Payee, PayoutState
from services.payments.model.shown import Moment, Place, ShownFund, ShownPayout, ShownRefusal
from services.payments.rules.owed import repaid, to_recover
from services.payments.store import acts as proposals
from services.payments.store import days, ledger, odd, pages, payees, recoveries
from services.payments.usecases.desk import Desk


async def check_unit(desk: Desk, member_id: UUID, unit_code: str) -> None:
    """Refuse a member of another workplace union as if there were none."""
    async with desk.database.begin() as unit:
        if await payees.unit_of(unit, member_id) != unit_code:
            raise UnknownMember


async def member_payouts(
    desk: Desk, member_id: UUID, claim_id: UUID | None, after: Place | None
) -> list[ShownPayout]:
    async with desk.database.begin() as unit:
        rows = await pages.payouts(unit, member_id, claim_id, after, desk.settings.page_rows)
        attempts = await pages.attempts(unit, [row["payout_id"] for row in rows])
        payee = (await _opened(desk, unit, [member_id])).get(member_id)
    tries: defaultdict[UUID, list[Row]] = defaultdict(list)
    for attempt in attempts:
        tries[attempt["payout_id"]].append(attempt)
    return [_shown(row, tries[row["payout_id"]], payee) for row in rows]


def _shown(row: Row, attempts: Sequence[Row], payee: Payee | None) -> ShownPayout:
    last = attempts[-1] if attempts else None
    return ShownPayout(
        payout_id=row["payout_id"],
        claim_id=row["claim_id"],
        scheme_id=row["scheme_id"],
        amount_fen=row["amount_fen"],
        status=_status(row),
        created_at=row["created_at"],
        timeline=_timeline(row, attempts),
        card_tail=payee.card.tail() if payee and row["tail_known"] else None,
        reason=row["reason"],
        actor=row["actor"],
        batched_at=last["made_at"] if last and last["batch_id"] else None,
        paid_on=last["paid_on"] if last else None,
    )


# What its batch says of a payout that is on its way.
_ON_ITS_WAY = {
    "awaiting_approval": "awaiting_approval",
    "fixed": "approved",
    "submitting": "submitting",
    "submitted": "accepted",
    "unknown": "unknown",
}


def _status(row: Row) -> str:
    """Say how far a payout is: its own state, or while it is on its way what its batch knows."""
    if row["state"] != PayoutState.BATCHED:
        return row["state"]
    if row["in_doubt"]:
        return "unknown"
    return _ON_ITS_WAY.get(row["batch_state"] or "", PayoutState.BATCHED)


def _timeline(row: Row, attempts: Sequence[Row]) -> list[Moment]:
    moments = [Moment(row["created_at"], "created")]
    for attempt in attempts:
        if attempt["batch_id"]:
            moments.append(Moment(attempt["made_at"], "batched"))
        if attempt["state"] == AttemptState.RETURNED:
            moments.append(Moment(attempt["decided_at"], AttemptState.PAID))
            moments.append(Moment(attempt["returned_at"], AttemptState.RETURNED))
        elif attempt["state"] != AttemptState.IN_FLIGHT:
            moments.append(Moment(attempt["decided_at"], attempt["state"]))
    if row["state"] in (
        PayoutState.AWAITING_PAYEE,
        PayoutState.CANCELLED,
        PayoutState.NETTED,
    ):
        moments.append(Moment(row["changed_at"], row["state"]))
    return moments


async def refused_payouts(
    desk: Desk, unit_code: str | None, after: Place | None
) -> list[ShownRefusal]:
    async with desk.database.begin() as unit:
        rows = await pages.refused(unit, unit_code, after, desk.settings.page_rows)
        opened = await _opened(desk, unit, [row["member_id"] for row in rows])
    return [_refusal(row, opened.get(row["member_id"])) for row in rows]


def _refusal(row: Row, payee: Payee | None) -> ShownRefusal:
    return ShownRefusal(
        payout_id=row["payout_id"],
        member_id=row["member_id"],
        name=payee.name.mask() if payee else "",
        card_tail=payee.card.tail() if payee else None,
        unit_code=row["unit_code"] or "",
        amount_fen=row["amount_fen"],
        reason=row["reason"],
        actor=row["actor"],
        since=row["since"],
    )


async def _opened(desk: Desk, unit: Unit, member_ids: Sequence[UUID]) -> dict[UUID, Payee]:
    """Open the payees that can be opened."""
    sealed = await payees.of_members(unit, member_ids)
    opened = {member_id: desk.readable_payee(member_id, sealed[member_id]) for member_id in sealed}
    return {member_id: payee for member_id, payee in opened.items() if payee}


async def benefits(
    desk: Desk, member_id: UUID, scheme_id: str | None, year: int | None
) -> Benefits:
    """Add up the schemes and years asked for.

    Over all of them, what the bank has booked is what was granted and what is to be got back, once
    nothing is pending.
    """
    async with desk.database.begin() as unit:
        schemes = await pages.granted_and_paid(unit, member_id)
        recovered = await recoveries.of_member(unit, member_id)
    granted = paid = recover = 0
    for scheme, gross in schemes.items():
        years = repaid(gross, recovered.get(scheme, Fen(0)))
        shares = to_recover(years)
        for found, (year_granted, year_paid) in years.items():
            if scheme_id in (None, scheme) and year in (None, found):
                granted += year_granted
                paid += year_paid
                recover += shares[found]
    return Benefits(Fen(granted), Fen(paid), Fen(recover))


async def batches(desk: Desk, cursor: UUID | None) -> list[dict[str, Any]]:
    async with desk.database.begin() as unit:
        return [dict(row) for row in await pages.batches(unit, cursor, desk.settings.page_rows)]


async def exceptions(desk: Desk, *, settled: bool) -> list[dict[str, Any]]:
    """List what the banks said and was not applied, newest first."""
    async with desk.database.begin() as unit:
        rows = await odd.page(unit, desk.settings.page_rows, settled=settled)
    return [dict(row) for row in rows]


async def acts(desk: Desk, state: str | None, before: UUID | None) -> list[dict[str, Any]]:
    async with desk.database.begin() as unit:
        rows = await proposals.page(unit, state, before, desk.settings.page_rows)
    return [dict(row) for row in rows]


async def funds(desk: Desk) -> list[ShownFund]:
    """Show what lies in each fund, and since when payouts wait for more."""
    async with desk.database.begin() as unit:
        rows = {row["fund_id"]: row for row in await ledger.funds(unit)}
    return [
        ShownFund(fund, row["bank_fen"], row["in_transit_fen"], row["low_since"])
        for fund in desk.funds.funds
        if (row := rows.get(fund.fund_id))
    ]


def _by_account(rows: Sequence[TrialRow]) -> dict[str, int]:
    held: Counter[str] = Counter()
    for row in rows:
        held[row.account] += row.closing_fen
    return dict(held)


async def books(desk: Desk) -> dict[str, Any]:
    """Add everything up from its rows, all in one snapshot, for whoever checks."""
    async with desk.database.report() as unit:
        return {
            **await pages.balances(unit),
            **await pages.under_way(unit),
            "payouts_by_state": await pages.payouts_by_state(unit),
            "ledger": {
                **dict.fromkeys(map(str, Account), 0),
                **_by_account(await days.trial_rows(unit, date.min, date.max)),
            },
        }
