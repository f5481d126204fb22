"""What members repaid of what was paid too much."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.common.kit.db import Unit
from services.common.money import Fen
from services.payments.model.owed import AccountKey


class Recovery(NamedTuple):
    """A repayment; its id is that of the match with the bank's lines."""

    source_id: UUID
    account: AccountKey
    amount_fen: Fen


async def overpaid_fen(unit: Unit, account: AccountKey) -> Fen:
    """Give what is to be got back of a locked balance, 0 where nothing is."""
    overpaid = await unit.fetchval(
        "select greatest(0, paid_fen - granted_fen) from balance"
        " where member_id = $1 and scheme_id = $2",
        *account,
    )
    return Fen(overpaid or 0)


async def of_member(unit: Unit, member_id: UUID) -> dict[str, Fen]:
    """Give what a member has repaid, per scheme."""
    rows = await unit.fetch(
        "select scheme_id, sum(amount_fen)::bigint as fen from recovery"
        " where member_id = $1 group by scheme_id",
        member_id,
    )
    return {row["scheme_id"]: row["fen"] for row in rows}


async def insert(unit: Unit, recovery: Recovery, at: datetime) -> None:
    await unit.execute(
        """
        insert into recovery (source_id, member_id, scheme_id, amount_fen, booked_at)
        values ($1, $2, $3, $4, $5)
        """,
        recovery.source_id,
        *recovery.account,
        recovery.amount_fen,
        at,
    )


async def of_match(unit: Unit, match_id: UUID) -> Recovery | None:
    row = await unit.fetchrow(
        "select member_id, scheme_id, amount_fen from recovery where source_id = $1", match_id
    )
    if row is None:
        return None
    account = AccountKey(row["member_id"], row["scheme_id"])
    return Recovery(match_id, account, row["amount_fen"])


async def delete(unit: Unit, source_id: UUID) -> None:
    deleted = await unit.execute("delete from recovery where source_id = $1", source_id)
    assert deleted, "it is taken back once, under the member's lock"
