"""Batches and who has approved them. A batch is locked before balances are."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.errors import UnknownBatch
from services.payments.model.batches import UNDER_WAY, UNSENT, Batch, BatchState, Instruction, Lane
from services.payments.rules.approvals import Approval


async def insert_batch(
    unit: Unit, batch: Batch, instructions: Sequence[Instruction], at: datetime
) -> None:
    await unit.execute(
        """
        insert into batch (batch_id, fund_id, tier, batch_no, file_name, business_day, sha256,
                           sealed_file, state, lines, total_fen, cut_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        batch.batch_id,
        *batch.lane,
        *batch[2:-1],
        len(instructions),
        sum(instruction.amount_fen for instruction in instructions),
        at,
    )


async def under_way(unit: Unit) -> list[UUID]:
    """List the batches that somebody has to go on with, oldest first."""
    rows = await unit.fetch(
        "select batch_id from batch where state not in ('closed', 'voided') and state = any($1)"
        " order by cut_at",
        UNDER_WAY,
    )
    return [row["batch_id"] for row in rows]


async def lanes_under_way(unit: Unit) -> list[Lane]:
    """Give the lane of every batch that somebody has to go on with."""
    rows = await unit.fetch(
        "select fund_id, tier from batch"
        " where state not in ('closed', 'voided') and state = any($1)",
        UNDER_WAY,
    )
    return [Lane(*row) for row in rows]


async def read(unit: Unit, batch_id: UUID) -> Batch:
    row = await unit.fetchrow(f"{_READ} where batch_id = $1", batch_id)
    assert row is not None, "batches are never deleted"
    return _batch_of(row)


async def lock(unit: Unit, batch_id: UUID) -> Batch:
    row = await unit.fetchrow(f"{_READ} where batch_id = $1 for update", batch_id)
    if row is None:
        raise UnknownBatch
    return _batch_of(row)


async def move(
    unit: Unit,
    batch_id: UUID,
    before: Sequence[BatchState],
    after: BatchState,
    *,
    at: datetime,
    bank_code: str = "",
) -> bool:
    """Move a batch from one of the states before; tell whether it was in one."""
    return bool(
        await unit.execute(
            """
            update batch set state = $3, bank_code = nullif($4, ''),
                submitted_at = case when $3 = 'submitted' then $5::timestamptz else submitted_at end
            where batch_id = $1 and state = any($2)
            """,
            batch_id,
            before,
            after,
            bank_code,
            at,
        )
    )


async def recall_of_members(unit: Unit, member_ids: Collection[UUID]) -> list[UUID]:
    """Recall the batches that have not left and hold payouts of these members."""
    unsent = await unit.fetch(
        "select batch_id from batch where state not in ('closed', 'voided') and state = any($1)",
        UNSENT,
    )
    if not unsent:
        return []
    rows = await unit.fetch(
        """
        update batch set state = 'recalled' where state = any($3) and batch_id in (
            select batch_id from payout
            where member_id = any($2) and state = 'batched' and batch_id = any($1))
        returning batch_id
        """,
        [row["batch_id"] for row in unsent],
        list(member_ids),
        UNSENT,
    )
    return [row["batch_id"] for row in rows]


async def was_refused(unit: Unit, batch_id: UUID) -> bool:
    """Tell whether somebody has refused the batch."""
    return bool(
        await unit.fetchval(
            "select exists (select from batch where batch_id = $1 and refused_by is not null)",
            batch_id,
        )
    )


async def refuse(unit: Unit, batch_id: UUID, person_id: UUID) -> bool:
    """Recall a batch because a person refuses it; tell whether it still awaited approval."""
    return bool(
        await unit.execute(
            """
            update batch set state = 'recalled', refused_by = $2
            where batch_id = $1 and state = 'awaiting_approval'
            """,
            batch_id,
            person_id,
        )
    )


async def void(unit: Unit, batch_id: UUID, at: datetime) -> None:
    """Say that a batch was taken apart: its bytes are kept no longer."""
    await unit.execute(
        """
        update batch set state = 'voided', closed_at = $2, sealed_file = null
        where batch_id = $1 and state = 'recalled'
        """,
        batch_id,
        at,
    )


async def approve(unit: Unit, batch_id: UUID, approval: Approval, at: datetime) -> bool:
    """Note a person's leave; False where they have given it already."""
    return bool(
        await unit.execute(
            """
            insert into approval (batch_id, person_id, part, sha256, approved_at)
            values ($1, $2, $3, $4, $5) on conflict do nothing
            """,
            batch_id,
            *approval,
            at,
        )
    )


async def approvals_of(unit: Unit, batch_id: UUID) -> list[Approval]:
    rows = await unit.fetch(
        "select person_id, part, sha256 from approval where batch_id = $1", batch_id
    )
    return [Approval(*row) for row in rows]


async def count_decided(
    unit: Unit,
    batch_id: UUID,
    paid_fen: Sequence[int],
    refused_fen: Sequence[int],
    *,
    day: date,
    at: datetime,
) -> bool:
    """Add up what was decided; close the batch with the last line, and tell whether it was.

    `day` is the ledger's, on which what was paid is booked. The batch's bytes are kept until the
    bank's statement has shown it.
    """
    state = await unit.fetchval(
        """
        with counted as (
            select lines = paid_lines + $2 + refused_lines + $4 as whole,
                $2 > 0 and (paid_lines = 0 or paid_from is not null) as dated
            from batch where batch_id = $1)
        update batch set
            paid_lines = paid_lines + $2, paid_fen = paid_fen + $3::bigint,
            paid_from = case when dated then least(paid_from, $7) else paid_from end,
            paid_until = case when dated then greatest(paid_until, $7) else paid_until end,
            refused_lines = refused_lines + $4, refused_fen = refused_fen + $5::bigint,
            state = case when whole then 'closed' else state end,
            closed_at = case when whole then $6::timestamptz end
        from counted where batch_id = $1
        returning state
        """,
        batch_id,
        len(paid_fen),
        sum(paid_fen),
        len(refused_fen),
        sum(refused_fen),
        at,
        day,
    )
    return state == BatchState.CLOSED


# A batch is looked at each time it is asked about; its bytes, some 90 of them for a line, are
# fetched only where they may be sent.
_READ = (
    "select batch_id, fund_id, tier, batch_no, file_name, business_day, sha256,"
    " case when state in ('fixed', 'submitting', 'unknown') then sealed_file end as sealed_file,"
    " state, paid_lines + refused_lines as decided from batch"
)


async def reopen(unit: Unit, batch_id: UUID) -> bool:
    """Let a closed batch be asked about again, while its bytes are there; tell whether it is.

    Only where all of it was paid: a bank that has forgotten it books every line of the bytes, and
    what it had refused or given back may be paid by another attempt since.
    """
    return bool(
        await unit.execute(
            """
            update batch set state = 'unknown', closed_at = null
            where batch_id = $1 and state = 'closed' and sealed_file is not null
              and not exists (select from past_attempt where batch_id = $1)
            """,
            batch_id,
        )
    )


async def close_decided(unit: Unit, batch_id: UUID, at: datetime) -> bool:
    """Close a batch whose lines are all decided already; tell whether it was one."""
    return bool(
        await unit.execute(
            """
            update batch set state = 'closed', closed_at = $2
            where batch_id = $1 and state in ('submitting', 'submitted', 'unknown')
              and paid_lines + refused_lines = lines
            """,
            batch_id,
            at,
        )
    )


def _batch_of(row: Row) -> Batch:
    return Batch(
        row["batch_id"],
        Lane(row["fund_id"], row["tier"]),
        row["batch_no"],
        row["file_name"],
        row["business_day"],
        row["sha256"],
        row["sealed_file"],
        BatchState(row["state"]),
        row["decided"],
    )
