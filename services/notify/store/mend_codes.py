"""Codes that mend a card: each by its keyed hash, beside the message that carries it."""

from collections.abc import Sequence
from datetime import datetime

from services.common.kit.db import Unit
from services.notify.model import Mendable, MendCode


async def write(unit: Unit, codes: Sequence[MendCode]) -> None:
    """Keep codes; one that is kept already stands."""
    if not codes:
        return
    await unit.execute(
        """
        insert into mend_code (code_index, message_id, expires_at)
        select * from unnest($1::bytea[], $2::uuid[], $3::timestamptz[])
        on conflict do nothing
        """,
        [code.code_index for code in codes],
        [code.message_id for code in codes],
        [code.expires_at for code in codes],
    )


async def count_try(
    unit: Unit, code_index: bytes, tries_max: int, moment: datetime
) -> Mendable | None:
    """Count a try of a code that is still good; None for any other."""
    row = await unit.fetchrow(
        """
        update mend_code c set tries = tries + 1
        from message g
        where c.code_index = $1 and c.used_at is null and c.expires_at > $3 and c.tries < $2
          and g.message_id = c.message_id
        returning g.member_id, g.payee_version, g.amount_fen, g.reason
        """,
        code_index,
        tries_max,
        moment,
    )
    return None if row is None else Mendable(**row)


async def give_back(unit: Unit, code_index: bytes) -> None:
    await unit.execute(
        "update mend_code set tries = tries - 1 where code_index = $1 and tries > 0", code_index
    )


async def use(unit: Unit, code_index: bytes, moment: datetime) -> bool:
    """Mark a code used; False where it is already."""
    used = await unit.execute(
        "update mend_code set used_at = $2 where code_index = $1 and used_at is null",
        code_index,
        moment,
    )
    return used == 1
