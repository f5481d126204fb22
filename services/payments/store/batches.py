"""The queue of ready payouts, batches and their attempts. A batch is locked before balances are."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.model import (
    Attempt,
    AttemptState,
    BankException,
    Batch,
    BatchState,
    Instruction,
    Paid,
    Payout,
    Refused,
)
from services.payments.store.payouts import PAYOUT_COLUMNS, payout_of


class Waiting(NamedTuple):
    """How many payouts wait, at most a batchful is counted, and since when the first does."""

    batches_open: int
    payouts: int
    oldest: datetime | None


class Ready(NamedTuple):
    """A payout that the next batch may take, and the number of its last attempt."""

    payout: Payout
    attempt_no: int


async def waiting(unit: Unit, rows_max: int) -> Waiting:
    row = await unit.fetchrow(
        """
        select (select count(*) from batch where state <> 'closed') as batches_open,
               count(*) as payouts, min(ready_at) as oldest
        from (select ready_at from ready_queue order by queue_no limit $1) as first
        """,
        rows_max,
    )
    assert row is not None, "an aggregate gives a row"
    return Waiting(row["batches_open"], row["payouts"], row["oldest"])


async def take_from_queue(unit: Unit, rows_max: int) -> list[tuple[UUID, UUID]]:
    """Take the first payouts off the queue, nobody else's; give (payout, member) in order."""
    rows = await unit.fetch(
        """
        with taken as (
            delete from ready_queue
            where queue_no = any (array (
                select queue_no from ready_queue order by queue_no limit $1
                for update skip locked))
            returning queue_no, payout_id, member_id)
        select payout_id, member_id from taken order by queue_no
        """,
        rows_max,
    )
    return [(row["payout_id"], row["member_id"]) for row in rows]


async def lock_ready(unit: Unit, payout_ids: Sequence[UUID]) -> list[Ready]:
    """Lock those that are still ready; give them in the order of the queue."""
    rows = await unit.fetch(
        f"select {PAYOUT_COLUMNS}, p.attempt_no from payout p"  # noqa: S608 - the names of columns
        " where payout_id = any($1) and state = 'ready' order by payout_id for update",
        payout_ids,
    )
    found = {row["payout_id"]: Ready(payout_of(row), row["attempt_no"]) for row in rows}
    return [found[payout_id] for payout_id in payout_ids if payout_id in found]


async def begin_attempts(unit: Unit, attempts: Sequence[Attempt], at: datetime) -> None:
    """Note on each payout which attempt it is at, in which state, with which payee."""
    begun = await unit.execute(
        """
        update payout p
        set state = u.state, version = u.version, attempt_no = u.attempt_no,
            payee_version = u.payee_version, changed_at = $6
        from unnest($1::uuid[], $2::text[], $3::int[], $4::smallint[], $5::bigint[])
             as u(payout_id, state, version, attempt_no, payee_version)
        where p.payout_id = u.payout_id and p.state = 'ready' and p.version = u.version - 1
        """,
        [attempt.payout.payout_id for attempt in attempts],
        [attempt.payout.state for attempt in attempts],
        [attempt.payout.version for attempt in attempts],
        [attempt.attempt_no for attempt in attempts],
        [attempt.payee_version for attempt in attempts],
        at,
    )
    assert begun == len(attempts), "a payout is batched once, from ready"


async def insert_attempts(
    unit: Unit,
    batch_id: UUID | None,
    attempts: Iterable[Attempt],
    at: datetime,
    reason: str | None = None,
) -> None:
    """Write attempts of a batch; those without one were refused here, for the reason given."""
    await unit.copy(
        "attempt",
        ("payout_id", "attempt_no", "payee_version", "batch_id", "line", "amount_fen", "state",
         "reason", "made_at", "decided_at"),
        [
            (
                attempt.payout.payout_id,
                attempt.attempt_no,
                attempt.payee_version,
                batch_id,
                attempt.line or None,
                attempt.payout.amount_fen,
                attempt.state,
                reason,
                at,
                None if batch_id else at,
            )
            for attempt in attempts
        ],
    )  # fmt: skip


async def insert_batch(
    unit: Unit,
    batch: Batch,
    business_day: date,
    instructions: Sequence[Instruction],
    at: datetime,
) -> None:
    await unit.execute(
        """
        insert into batch (batch_id, batch_no, file_name, sha256, sealed_file, state,
                           business_day, lines, total_fen, cut_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        *batch,
        business_day,
        len(instructions),
        sum(instruction.amount_fen for instruction in instructions),
        at,
    )


async def open_batches(unit: Unit) -> list[UUID]:
    rows = await unit.fetch("select batch_id from batch where state <> 'closed' order by cut_at")
    return [row["batch_id"] for row in rows]


async def read(unit: Unit, batch_id: UUID) -> Batch:
    row = await unit.fetchrow(
        "select batch_id, batch_no, file_name, sha256, sealed_file, state from batch"
        " where batch_id = $1",
        batch_id,
    )
    assert row is not None, "batches are never deleted"
    return _batch_of(row)


async def lock(unit: Unit, batch_id: UUID) -> BatchState:
    return BatchState(
        await unit.fetchval("select state from batch where batch_id = $1 for update", batch_id)
    )


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


async def attempts_of(unit: Unit, batch_id: UUID) -> list[Attempt]:
    """Give a batch's attempts; nobody else moves what its payouts are while they are batched."""
    rows = await unit.fetch(
        f"select {PAYOUT_COLUMNS}, a.attempt_no, a.payee_version, a.line,"  # noqa: S608 - names
        " a.state as attempt_state from attempt a join payout p using (payout_id)"
        " where a.batch_id = $1 order by a.line",
        batch_id,
    )
    return [
        Attempt(
            payout_of(row),
            row["attempt_no"],
            row["payee_version"],
            row["line"],
            AttemptState(row["attempt_state"]),
        )
        for row in rows
    ]


async def decide_paid(unit: Unit, batch_id: UUID, paid: Sequence[Paid], at: datetime) -> None:
    if not paid:
        return
    decided = await unit.execute(
        """
        update attempt a
        set state = 'paid', bank_serial = u.bank_serial, paid_on = u.paid_on, decided_at = $5
        from unnest($2::int[], $3::text[], $4::date[]) as u(line, bank_serial, paid_on)
        where a.batch_id = $1 and a.line = u.line and a.state = 'in_flight'
        """,
        batch_id,
        [line.attempt.line for line in paid],
        [line.bank_serial for line in paid],
        [line.paid_on for line in paid],
        at,
    )
    assert decided == len(paid), "a transfer is decided once"


async def decide_refused(
    unit: Unit, batch_id: UUID, refused: Sequence[Refused], at: datetime
) -> None:
    if not refused:
        return
    decided = await unit.execute(
        """
        update attempt a
        set state = 'refused', bank_code = u.bank_code, reason = u.reason, decided_at = $5
        from unnest($2::int[], $3::text[], $4::text[]) as u(line, bank_code, reason)
        where a.batch_id = $1 and a.line = u.line and a.state = 'in_flight'
        """,
        batch_id,
        [line.attempt.line for line in refused],
        [line.bank_code for line in refused],
        [line.refusal.reason for line in refused],
        at,
    )
    assert decided == len(refused), "a transfer is decided once"


async def count_decided(
    unit: Unit,
    batch_id: UUID,
    paid_fen: Sequence[int],
    refused_fen: Sequence[int],
    at: datetime,
) -> bool:
    """Add up what was decided; close the batch with the last line, its bytes are kept no longer.

    Tells whether it was closed.
    """
    state = await unit.fetchval(
        """
        with counted as (
            select lines = paid_lines + $2 + refused_lines + $4 as whole
            from batch where batch_id = $1)
        update batch set
            paid_lines = paid_lines + $2, paid_fen = paid_fen + $3::bigint,
            refused_lines = refused_lines + $4, refused_fen = refused_fen + $5::bigint,
            state = case when whole then 'closed' else state end,
            closed_at = case when whole then $6::timestamptz end,
            sealed_file = case when whole then null else sealed_file end
        from counted where batch_id = $1
        returning state
        """,
        batch_id,
        len(paid_fen),
        sum(paid_fen),
        len(refused_fen),
        sum(refused_fen),
        at,
    )
    return state == BatchState.CLOSED


async def list_exceptions(
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


def _batch_of(row: Row) -> Batch:
    return Batch(
        row["batch_id"],
        row["batch_no"],
        row["file_name"],
        row["sha256"],
        row["sealed_file"],
        BatchState(row["state"]),
    )
