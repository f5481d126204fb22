"""All SQL that shows what the books hold: a member's claims, what was granted, the sums."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, select

from services.claims import tables
from services.claims.store.settlements import Claim, claim_of
from services.common.kit.db import Row, Unit
from services.common.money import Fen

_grant = tables.benefit_grant.c


class GrantSeen(NamedTuple):
    """One grant as it is shown; `working` is its own where it differs from the claim's."""

    grant_id: UUID
    amount: Fen
    working: str | None


async def page_of_claims(
    unit: Unit, member_id: UUID, *, before: UUID | None, limit: int
) -> list[Claim]:
    """Give a member's claims, newest first; ids are in the order of time."""
    rows = await unit.fetch(
        "select * from settlement where member_id = $1 and not refund"
        " and ($2::uuid is null or claim_id < $2) order by claim_id desc limit $3",
        member_id,
        before,
        limit,
    )
    return [claim_of(row) for row in rows]


async def claim(unit: Unit, claim_id: UUID) -> Claim | None:
    row = await unit.fetchrow("select * from settlement where claim_id = $1", claim_id)
    return None if row is None else claim_of(row)


async def grants_of(unit: Unit, claim: Claim) -> Sequence[GrantSeen]:
    rows = await unit.core.execute(
        select(_grant.grant_id, _grant.amount_fen, _grant.working)
        .where(_grant.member_id == claim.member_id, _grant.claim_id == claim.claim_id)
        .order_by(_grant.granted_at, _grant.grant_no)
    )
    return [GrantSeen(*row) for row in rows]


async def granted(unit: Unit, member_id: UUID, scheme_id: str | None, year: int | None) -> Fen:
    """Sum what a member was granted, net of reversals."""
    chosen = [_grant.member_id == member_id]
    if scheme_id is not None:
        chosen.append(_grant.scheme_id == scheme_id)
    if year is not None:
        chosen.append(func.extract("year", _grant.period_starts) == year)
    total = await unit.core.scalar(
        select(func.coalesce(func.sum(_grant.amount_fen), 0)).where(and_(*chosen))
    )
    return Fen(int(total or 0))


async def sums(unit: Unit) -> Row:
    row = await unit.fetchrow(
        """
        select (select coalesce(sum(amount_fen), 0)::bigint from benefit_grant) as granted_fen,
               (select count(*) from benefit_grant) as grants,
               (select count(*) from settlement) as claims,
               (select count(*) from review) as in_review,
               (select count(*) from feed where status in ('queued', 'running')) as feeds_open
        """
    )
    assert row is not None, "sums are always there"
    return row
