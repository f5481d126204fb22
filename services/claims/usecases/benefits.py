"""What is left to a member of each plan, and what a bill would earn: nothing is written here."""

from datetime import date
from uuid import UUID

from services.claims.errors import CannotBeJudged, UnknownMember
from services.claims.model import Assessment, Facts, Refusal
from services.claims.rules.assess import assess
from services.claims.rules.begun import Begun
from services.claims.rules.cases import cases
from services.claims.rules.left import Left, left
from services.claims.store import settlements as store
from services.claims.usecases.bills import bills_of, members_with_several
from services.claims.usecases.desk import Desk
from services.common.ids import new_id
from services.common.kit.db import Database


async def left_of(database: Database, desk: Desk, member_id: UUID, day: date) -> list[Left]:
    """Tell what is left of each plan that covers the member on the day."""
    async with database.begin() as unit:
        coverages = (await store.coverages(unit, [member_id])).get(member_id, [])
        totals = await store.totals(unit, [member_id])
    return left(member_id, coverages, totals, day, desk.rulebook)


async def expected(
    database: Database, desk: Desk, member_id: UUID, facts: Facts
) -> tuple[Assessment, ...]:
    """Work out a bill as if it came now, after all that came before; it has no effect.

    Raises `UnknownMember`, and `CannotBeJudged` where no plan of the member can judge it.
    """
    async with database.begin() as unit:
        member = (await store.members_of(unit, [member_id])).get(member_id)
        coverages = (await store.coverages(unit, [member_id])).get(member_id, [])
        totals = await store.totals(unit, [member_id])
        several = members_with_several({member_id: coverages}, desk.rulebook)
        counted = await store.counted_plans(unit, several) if several else {}
    if member is None:
        raise UnknownMember
    brought = cases(member_id, facts, member.person, coverages, desk.rulebook)
    if isinstance(brought, Refusal):
        raise CannotBeJudged(f"{brought.code}: {brought.at}")
    for bills in bills_of(several, counted, totals, desk.rulebook).values():
        brought = brought._replace(bills=bills.with_bill(new_id(), facts.own_cost))
    (assessed,) = assess([Begun(totals).place(brought)], totals)
    return assessed
