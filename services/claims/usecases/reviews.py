"""Settlements that were taken in before their member was known, decided as soon as it can be."""

from datetime import datetime

from services.claims.model import Outcome
from services.claims.store import settlements as store
from services.claims.usecases.desk import Desk, Reader
from services.claims.usecases.intake import reconsider
from services.common.kit.db import Database

ROWS_MAX = 1_000


async def waiting_since(database: Database, before: datetime) -> bool:
    """Say whether a settlement received before then is still undecided."""
    async with database.begin() as unit:
        return bool(await store.in_review(unit, before, 1))


async def decide(database: Database, desk: Desk, read: Reader, before: datetime) -> list[Outcome]:
    """Decide what came before then; enrollment's topics were consumed to their end since."""
    async with database.begin() as unit:
        claims = await store.in_review(unit, before, ROWS_MAX)
        return await reconsider(unit, desk, claims, read, members_final=True)
