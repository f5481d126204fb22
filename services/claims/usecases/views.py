"""What is shown of claims: a member's list, one claim with the reason for its amount, the sums."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import msgspec

from services.claims.errors import UnknownClaim
from services.claims.model import Step
from services.claims.rows import COLUMNS
from services.claims.store import settlements as store
from services.claims.store import views
from services.claims.store.settlements import Claim
from services.claims.texts.page import Explanation, Part, part
from services.claims.usecases.desk import Desk
from services.common.kit.backlog import backlog
from services.common.kit.db import Database
from services.common.money import Fen
from services.common.schemes.rulebook import Rulebook

# By scheme and benefit.
Working = tuple[tuple[str, str, tuple[Step, ...]], ...]
_WORKINGS = msgspec.json.Decoder(Working)
HOSPITAL = COLUMNS.index("fixmedins_name")


class Listed(NamedTuple):
    """A claim in a member's list."""

    claim: Claim
    hospital: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One claim, what was booked for it, and why its amount is what it is."""

    claim: Claim
    grants: list[views.GrantSeen]
    told: Explanation


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
        claim = await views.claim(unit, claim_id)
        if claim is None or claim.member_id != member_id:
            raise UnknownClaim
        grants = list(await views.grants_of(unit, claim))
        owners = await store.members_of(unit, [member_id])
    hospital = desk.unseal(claim, owners)[HOSPITAL]
    parts = tuple(_parts(claim, grants, desk.rulebook))
    return Explained(claim, grants, Explanation(claim_id, hospital, claim.incurred_on, parts))


def _parts(claim: Claim, grants: Sequence[views.GrantSeen], rulebook: Rulebook) -> Iterator[Part]:
    """Explain what each plan made of the claim, then what changed it since."""
    amounts = {(plan.scheme_id, plan.benefit_name): plan.benefit for plan in claim.plans}
    for scheme_id, benefit, steps in _WORKINGS.decode(claim.working):
        amount = amounts.get((scheme_id, benefit), Fen(0))
        yield part(scheme_id, benefit, steps, amount, rulebook)
    for grant in grants:
        if grant.working is not None:
            for scheme_id, benefit, steps in _WORKINGS.decode(grant.working):
                yield part(scheme_id, benefit, steps, grant.amount, rulebook)


async def owner(database: Database, claim_id: UUID) -> UUID:
    """Give whose claim it is; one that has no member yet is unknown here."""
    async with database.begin() as unit:
        claim = await views.claim(unit, claim_id)
    if claim is None or claim.member_id is None:
        raise UnknownClaim
    return claim.member_id


async def granted(
    database: Database, member_id: UUID, scheme_id: str | None, year: int | None
) -> Fen:
    async with database.begin() as unit:
        return await views.granted(unit, member_id, scheme_id, year)


async def books(database: Database) -> dict[str, int]:
    """Give the sums that the books of all services are compared by."""
    async with database.report() as unit:
        return {**await views.sums(unit), **await backlog(unit)}
