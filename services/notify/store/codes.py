"""Login codes: one row each, without the code; the rows are also what the bounds count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, update

from services.common.kit.db import Unit
from services.notify.store import dispatches
from services.notify.store.dispatches import Receipt
from services.notify.tables import login_code


@dataclass(frozen=True, slots=True)
class Asked:
    """How many codes went to a phone within the last minute, hour and day."""

    minute: int
    hour: int
    day: int


async def asked(unit: Unit, phone_index: bytes, moment: datetime) -> Asked:
    """Count what was sent to a phone; the next who counts waits until this one is through."""
    await unit.execute(
        "select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))", phone_index
    )
    row = await unit.fetchrow(
        """
        select count(*) filter (where created_at > $2) as minute,
               count(*) filter (where created_at > $3) as hour,
               count(*) as day
        from login_code
        where phone_index = $1 and created_at > $4 and state <> 'refused'
        """,
        phone_index,
        moment - timedelta(minutes=1),
        moment - timedelta(hours=1),
        moment - timedelta(days=1),
    )
    assert row is not None, "an aggregate has a row"
    return Asked(**row)


async def write(
    unit: Unit, code_id: UUID, phone_index: bytes, phone: bytes, moment: datetime
) -> None:
    await unit.core.execute(
        insert(login_code).values(
            code_id=code_id,
            phone_index=phone_index,
            phone=phone,
            created_at=moment,
            state="submitting",
        )
    )


async def settle(unit: Unit, code_id: UUID, state: str, code: str | None) -> None:
    await unit.core.execute(
        update(login_code).where(login_code.c.code_id == code_id).values(state=state, code=code)
    )


async def save_receipts(unit: Unit, receipts: Sequence[tuple[UUID, Receipt]]) -> None:
    """Keep the newest receipts of texts with login codes; the same again changes nothing."""
    await dispatches.save_newest(unit, "login_code", "code_id", receipts)
