"""What is shown of claims: a member's list, one claim with the reason for its amount, the sums."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import msgspec

from services.claims import texts
from services.claims.errors import UnknownClaim
from services.claims.model import Step
from services.claims.rows import COLUMNS
from services.claims.store import settlements as store
from services.claims.store import views
from services.claims.store.settlements import Claim
from services.claims.usecases.desk import Desk
from services.common.kit.backlog import backlog
from services.common.kit.db import Database
from services.common.money import Fen

_WORKINGS = msgspec.json.Decoder(tuple[tuple[str, str, tuple[Step, ...]], ...])
HOSPITAL = COLUMNS.index("fixmedins_name")


class Listed(NamedTuple):
    """A claim in a member's list."""

    claim: Claim
    hospital: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One claim, why its amount is what it is, and what was booked for it."""

    claim: Claim
    hospital: str
    why: list[texts.Line]
    grants: list[views.GrantSeen]


async def claims_of(
    database: Database, desk: Desk, member_id: UUID, *, before: UUID | None, limit: int
) -> list[Listed]:
    async with database.begin() as unit:
        claims = await views.page_of_claims(unit, member_id, before=before, limit=limit)
        owners = await store.members_of(unit, [member_id])
    return [Listed(claim, desk.unseal(claim, owners)[HOSPITAL]) for claim in claims]


async def explain(database: Database, desk: Desk, member_id: UUID, claim_id: UUID) -> Explained:
    """Explain a member's own claim; anybody else's is unknown."""
    async with database.begin() as unit:
        claim = await views.claim(unit, member_id, claim_id)
        if claim is None:
            raise UnknownClaim
        grants = list(await views.grants_of(unit, member_id, claim_id))
        owners = await store.members_of(unit, [member_id])
    workings = [claim.working, *(grant.working for grant in grants if grant.working)]
    why = [
        line
        for working in workings
        for scheme_id, _, steps in _WORKINGS.decode(working)
        for line in texts.why(steps, scheme_id, desk.rulebook)
    ]
    return Explained(claim, desk.unseal(claim, owners)[HOSPITAL], why, grants)


async def granted(
    database: Database, member_id: UUID, scheme_id: str | None, year: int | None
) -> Fen:
    async with database.begin() as unit:
        return await views.granted(unit, member_id, scheme_id, year)


async def books(database: Database) -> dict[str, int]:
    """Give the sums that the books of all services are compared by."""
    async with database.begin() as unit:
        return {**await views.sums(unit), **await backlog(unit)}
