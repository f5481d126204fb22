"""Attempts: the transfers of batches, each decided once, and given back at most once."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.model.payouts import (
    Attempt,
    AttemptState,
    Named,
    Paid,
    Refused,
    Returned,
)
from services.payments.store.payouts import PAYOUT_COLUMNS, payout_of

# Moves balances by what the payouts of a set come to.
_SUMS: Final = """
    from (select member_id, scheme_id, sum(amount_fen)::bigint as fen, count(*) as payouts
          from {} group by member_id, scheme_id) as m
    where b.member_id = m.member_id and b.scheme_id = m.scheme_id
    """


async def set_out(unit: Unit, batch_id: UUID, attempts: Sequence[Attempt], at: datetime) -> None:
    """Have a batch's payouts, of which `insert` has written the attempts, be on their way.

    What is on its way is no longer open: the balances follow from the payouts that really moved.
    """
    moved = await unit.fetchrow(
        f"""
        with begun as (
            update payout p
            set state = 'batched', version = p.version + 1, attempt_no = a.attempt_no,
                payee_version = a.payee_version, changed_at = $2
            from attempt a
            where a.batch_id = $1 and p.payout_id = a.payout_id and p.state = 'ready'
              and a.attempt_no = p.attempt_no + 1 and a.amount_fen = p.amount_fen
            returning p.member_id, p.scheme_id, p.amount_fen),
        balances as (
            update balance b
            set in_flight_fen = b.in_flight_fen + m.fen, open_fen = b.open_fen - m.fen
            {_SUMS.format("begun")} returning m.payouts)
        select sum(payouts) from balances
        """,  # noqa: S608 - constants
        batch_id,
        at,
    )
    assert moved is not None
    assert moved[0] == len(attempts), "a payout is batched once, from ready, out of a balance"


async def refuse_here(unit: Unit, attempts: Sequence[Attempt], at: datetime) -> None:
    """Note on each payout an attempt that was refused before any bank saw it: it stays open."""
    begun = await unit.execute(
        """
        update payout p
        set state = 'refused', version = p.version + 1, attempt_no = p.attempt_no + 1,
            payee_version = u.payee_version, changed_at = $3
        from unnest($1::uuid[], $2::bigint[]) as u(payout_id, payee_version)
        where p.payout_id = u.payout_id and p.state = 'ready'
        """,
        [attempt.payout.payout_id for attempt in attempts],
        [attempt.payee_version for attempt in attempts],
        at,
    )
    assert begun == len(attempts), "a payout is tried once, from ready"


async def insert(
    unit: Unit,
    batch_id: UUID | None,
    attempts: Iterable[Attempt],
    at: datetime,
    reason: str | None = None,
) -> None:
    """Write attempts of a batch; those without one were refused here, for the reason given."""
    decided_at = None if batch_id else at
    await unit.copy(
        "attempt",
        ("payout_id", "attempt_no", "payee_version", "round", "batch_id", "line", "amount_fen",
         "state", "reason", "made_at", "decided_at"),
        [
            (
                payout.payout_id,
                attempt.attempt_no,
                attempt.payee_version,
                payout.round,
                batch_id,
                attempt.line or None,
                payout.amount_fen,
                attempt.state,
                reason,
                at,
                decided_at,
            )
            for attempt in attempts
            for payout in (attempt.payout,)
        ],
    )  # fmt: skip


async def of_batch(unit: Unit, batch_id: UUID) -> list[Attempt]:
    """Give a batch's attempts; nobody else moves what its payouts are while they are batched."""
    rows = await unit.fetch(
        f"select {PAYOUT_COLUMNS}, a.attempt_no, a.payee_version, a.line, a.state"  # noqa: S608 - names
        " from attempt a join payout p using (payout_id)"
        " where a.batch_id = $1 order by a.line",
        batch_id,
    )
    return [_attempt_of(row) for row in rows]


async def named(unit: Unit, named: Collection[Named]) -> list[Attempt]:
    """Lock the payouts of attempts and give these with their states; order of the payouts."""
    rows = await unit.fetch(
        f"""
        select {PAYOUT_COLUMNS}, a.attempt_no, a.payee_version, a.line, a.state
        from unnest($1::uuid[], $2::smallint[]) as u(payout_id, attempt_no)
            join attempt a using (payout_id, attempt_no) join payout p using (payout_id)
        order by p.payout_id, a.attempt_no for update of p
        """,  # noqa: S608 - the names of columns
        [payout_id for payout_id, _ in named],
        [attempt_no for _, attempt_no in named],
    )
    return [_attempt_of(row) for row in rows]


async def batch_of(unit: Unit, payout_id: UUID, attempt_no: int) -> UUID | None:
    """Give the batch that an attempt went out with."""
    return await unit.fetchval(
        "select batch_id from attempt where payout_id = $1 and attempt_no = $2",
        payout_id,
        attempt_no,
    )


async def any_failed(unit: Unit, batch_id: UUID) -> bool:
    """Tell whether a transfer of the batch was refused or given back."""
    return await unit.fetchval(
        "select exists (select from attempt where batch_id = $1"
        " and state in ('refused', 'returned'))",
        batch_id,
    )


async def members_of(unit: Unit, payout_ids: Collection[UUID]) -> set[UUID]:
    rows = await unit.fetch(
        "select distinct member_id from payout where payout_id = any($1)", list(payout_ids)
    )
    return {row["member_id"] for row in rows}


async def decide_paid(unit: Unit, paid: Iterable[Paid], at: datetime) -> None:
    """Decide transfers as booked, and their payouts, all on their way until now, as paid.

    What was on its way of the balances, which the caller has locked, is paid.
    """
    # By the whole key: of whatever else a line were found by, too few are expected while a table is
    # not analyzed, and each would be held against all others. A batch is mostly booked in a day.
    alike: dict[date, list[Paid]] = {}
    for line in paid:
        alike.setdefault(line.paid_on, []).append(line)
    for paid_on, lines in alike.items():
        decided = await unit.fetchval(
            f"""
            with decided as (
                update attempt a
                set state = 'paid', bank_serial = u.bank_serial, paid_on = $4, decided_at = $5
                from unnest($1::uuid[], $2::smallint[], $3::text[])
                    as u(payout_id, attempt_no, bank_serial)
                where a.payout_id = u.payout_id and a.attempt_no = u.attempt_no
                  and a.state = 'in_flight'
                returning a.payout_id, a.amount_fen),
            booked as (
                update payout p set state = 'paid', version = p.version + 1, changed_at = $5
                from decided d where p.payout_id = d.payout_id and p.state = 'batched'
                  and p.amount_fen = d.amount_fen
                returning p.member_id, p.scheme_id, p.amount_fen),
            balances as (
                update balance b
                set paid_fen = b.paid_fen + m.fen, in_flight_fen = b.in_flight_fen - m.fen
                {_SUMS.format("booked")} returning m.payouts)
            select sum(payouts) from balances
            """,  # noqa: S608 - constants
            [line.attempt.payout.payout_id for line in lines],
            [line.attempt.attempt_no for line in lines],
            [line.bank_serial for line in lines],
            paid_on,
            at,
        )
        assert decided == len(lines), "a transfer is decided once"


async def decide_refused(unit: Unit, refused: Sequence[Refused], at: datetime) -> None:
    if not refused:
        return
    decided = await unit.execute(
        """
        update attempt a
        set state = 'refused', bank_code = u.bank_code, reason = u.reason, decided_at = $5
        from unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[])
            as u(payout_id, attempt_no, bank_code, reason)
        where a.payout_id = u.payout_id and a.attempt_no = u.attempt_no and a.state = 'in_flight'
        """,
        [line.attempt.payout.payout_id for line in refused],
        [line.attempt.attempt_no for line in refused],
        [line.bank_code for line in refused],
        [line.refusal.reason for line in refused],
        at,
    )
    assert decided == len(refused), "a transfer is decided once"


async def decide_returned(unit: Unit, returned: Sequence[Returned], at: datetime) -> None:
    decided = await unit.execute(
        """
        update attempt a
        set state = 'returned', bank_code = u.bank_code, reason = u.reason,
            returned_on = u.returned_on, returned_at = $6
        from unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::date[])
            as u(payout_id, attempt_no, bank_code, reason, returned_on)
        where a.payout_id = u.payout_id and a.attempt_no = u.attempt_no and a.state = 'paid'
        """,
        [line.attempt.payout.payout_id for line in returned],
        [line.attempt.attempt_no for line in returned],
        [line.bank_code for line in returned],
        [line.refusal.reason for line in returned],
        [line.returned_on for line in returned],
        at,
    )
    assert decided == len(returned), "a transfer is given back once"


_STATES: Final = {state.value: state for state in AttemptState}


def _attempt_of(row: Row) -> Attempt:
    """Read what stands behind a payout's columns: number, card, line, state."""
    return Attempt(payout_of(row), row[11], row[12], row[13], _STATES[row[14]])
