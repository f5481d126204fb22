"""What the banks said and was not applied: listed once each, until a person has looked into it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.model.acts import SettleException
from services.payments.model.payouts import BankException


async def note(
    unit: Unit, batch_id: UUID, exceptions: Iterable[BankException], at: datetime
) -> int:
    """Put what was not applied on the list, each once; give how many are new."""
    found = list(exceptions)
    return await unit.execute(
        """
        insert into bank_exception
        select $1, u.kind, u.instruction_id, $4 from unnest($2::text[], $3::text[])
            as u(kind, instruction_id)
        on conflict do nothing
        """,
        batch_id,
        [exception.kind for exception in found],
        [exception.instruction_id for exception in found],
        at,
    )


async def note_all(unit: Unit, found: Sequence[tuple[UUID, BankException]], at: datetime) -> int:
    """Put on the list what concerns different batches, lines or days; give how many are new."""
    return await unit.execute(
        """
        insert into bank_exception
        select u.*, $4 from unnest($1::uuid[], $2::text[], $3::text[])
            as u(batch_id, kind, instruction_id)
        on conflict do nothing
        """,
        [concerned for concerned, _ in found],
        [exception.kind for _, exception in found],
        [exception.instruction_id for _, exception in found],
        at,
    )


async def settle(unit: Unit, odd: SettleException, person_id: UUID, at: datetime) -> bool:
    """Note that somebody has looked into it; tell whether it was open."""
    return bool(
        await unit.execute(
            """
            update bank_exception set settled_at = $4, settled_by = $5
            where batch_id = $1 and kind = $2 and instruction_id = $3 and settled_at is null
            """,
            odd.batch_id,
            odd.exception,
            odd.instruction_id,
            at,
            person_id,
        )
    )


async def page(unit: Unit, rows_max: int, *, settled: bool) -> list[Row]:
    """Give what is open, or what has been looked into; newest first."""
    return await unit.fetch(
        """
        select batch_id, kind, instruction_id, seen_at, settled_at from bank_exception
        where (settled_at is not null) = $1
        order by seen_at desc, batch_id, kind, instruction_id limit $2
        """,
        settled,
        rows_max,
    )
