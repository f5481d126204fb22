"""Attempts: the transfers of batches, each decided once, and given back at most once."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.model.payouts import (
    Attempt,
    AttemptState,
    Named,
    Refused,
    Returned,
)
from services.payments.store.payouts import PAYOUT_COLUMNS, payout_of
from services.payments.store.queue import SET_MAX
from services.payments.store.tried import attempt_of

# Moves balances by what the payouts of a set come to.
SUMS: Final = """
    from (select member_id, scheme_id, sum(amount_fen)::bigint as fen, count(*) as payouts
          from {} group by member_id, scheme_id) as m
    where b.member_id = m.member_id and b.scheme_id = m.scheme_id
    """


async def set_out(unit: Unit, batch_id: UUID, attempts: Sequence[Attempt], at: datetime) -> None:
    """Write who is in a batch, in the order of its lines, and have them be on their way.

    What is on its way is no longer open: the balances follow from the payouts that really moved.
    """
    await unit.copy(
        "batch_lines",
        ("batch_id", "first_line", "payout_ids", "payee_versions"),
        [
            (
                batch_id,
                first + 1,
                [attempt.payout.payout_id for attempt in them],
                [attempt.payee_version for attempt in them],
            )
            for first in range(0, len(attempts), SET_MAX)
            for them in (attempts[first : first + SET_MAX],)
        ],
    )
    moved = await unit.fetchrow(
        f"""
        with begun as (
            update payout p
            set state = 'batched', version = p.version + 1, attempt_no = p.attempt_no + 1,
                payee_version = u.payee_version, batch_id = $1, line = l.first_line + u.place - 1,
                changed_at = $2
            from batch_lines l, unnest(l.payout_ids, l.payee_versions) with ordinality
                as u(payout_id, payee_version, place)
            where l.batch_id = $1 and p.payout_id = u.payout_id and p.state = 'ready'
            returning p.member_id, p.scheme_id, p.amount_fen),
        balances as (
            update balance b
            set in_flight_fen = b.in_flight_fen + m.fen, open_fen = b.open_fen - m.fen
            {SUMS.format("begun")} returning m.payouts, m.fen)
        select sum(payouts), sum(fen)::bigint from balances
        """,  # noqa: S608 - constants
        batch_id,
        at,
    )
    assert moved is not None
    tried = len(attempts), sum(attempt.payout.amount_fen for attempt in attempts)
    assert tuple(moved) == tried, "a payout is batched once, from ready, out of a balance"


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


async def note_refused_here(
    unit: Unit, attempts: Iterable[Attempt], at: datetime, reason: str
) -> None:
    """Write attempts that no batch has held."""
    await unit.copy(
        "past_attempt",
        ("payout_id", "attempt_no", "payee_version", "round", "amount_fen", "state", "reason",
         "made_at", "decided_at"),
        [
            (
                attempt.payout.payout_id,
                attempt.attempt_no,
                attempt.payee_version,
                attempt.payout.round,
                attempt.payout.amount_fen,
                attempt.state,
                reason,
                at,
                at,
            )
            for attempt in attempts
        ],
    )  # fmt: skip


async def of_batch(unit: Unit, batch_id: UUID) -> list[Attempt]:
    """Give a batch's attempts; nobody else moves what its payouts are while they are batched."""
    rows = await unit.fetch(
        f"""
        select {PAYOUT_COLUMNS}, p.attempt_no, p.payee_version, p.line,
            case p.state when 'paid' then 'paid' else 'in_flight' end
        from batch_lines l, unnest(l.payout_ids) as u(id), payout p
        where l.batch_id = $1 and p.payout_id = u.id and p.batch_id = $1
        union all
        select {PAYOUT_COLUMNS}, a.attempt_no, a.payee_version, a.line, a.state
        from past_attempt a join payout p using (payout_id) where a.batch_id = $1
        """,  # noqa: S608 - names
        batch_id,
    )
    return sorted(map(_attempt_of, rows), key=attrgetter("line"))


async def named(unit: Unit, named: Collection[Named]) -> list[Attempt]:
    """Lock the payouts of attempts and give these with their states; order of the payouts."""
    rows = await unit.fetch(
        f"""
        select {PAYOUT_COLUMNS}, a.attempt_no, a.payee_version, a.line, a.state
        from unnest($1::uuid[], $2::smallint[]) as u(payout_id, attempt_no)
            join {attempt_of("u")} a on true join payout p on p.payout_id = u.payout_id
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
        "select exists (select from past_attempt where batch_id = $1"
        " and state in ('refused', 'returned'))",
        batch_id,
    )


async def members_of(unit: Unit, payout_ids: Collection[UUID]) -> set[UUID]:
    rows = await unit.fetch(
        "select distinct member_id from payout where payout_id = any($1)", list(payout_ids)
    )
    return {row["member_id"] for row in rows}


# What the row of a payout holds of its last attempt becomes a row of its own; whoever calls for it
# saves the payout afterwards.
_END: Final = """
    insert into past_attempt (payout_id, attempt_no, payee_version, round, batch_id, line,
        amount_fen, bank_serial, paid_on, made_at, state, decided_at, {columns})
    select p.payout_id, p.attempt_no, p.payee_version, p.round, p.batch_id, p.line, p.amount_fen,
        p.bank_serial, p.paid_on, b.cut_at, {values}
    from {found} join payout p using (payout_id) join batch b on b.batch_id = p.batch_id
    where {so_far}
    """


async def decide_refused(unit: Unit, refused: Sequence[Refused], at: datetime) -> None:
    """Decide transfers as refused, all on their way until now; `payouts.save` comes after it."""
    if not refused:
        return
    decided = await unit.execute(
        _END.format(
            columns="bank_code, reason",
            values="'refused', $5, u.bank_code, u.reason",
            found="unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[])"
            " as u(payout_id, attempt_no, bank_code, reason)",
            so_far="p.attempt_no = u.attempt_no and p.state = 'batched'",
        ),
        [line.attempt.payout.payout_id for line in refused],
        [line.attempt.attempt_no for line in refused],
        [line.bank_code for line in refused],
        [line.refusal.reason for line in refused],
        at,
    )
    assert decided == len(refused), "a transfer is decided once"


async def decide_returned(unit: Unit, returned: Sequence[Returned], at: datetime) -> None:
    """Decide transfers, all paid until now, as given back; `payouts.save` comes after it."""
    decided = await unit.execute(
        _END.format(
            columns="bank_code, reason, returned_on, returned_at",
            values="'returned', p.changed_at, u.bank_code, u.reason, u.returned_on, $6",
            found="unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::date[])"
            " as u(payout_id, attempt_no, bank_code, reason, returned_on)",
            so_far="p.attempt_no = u.attempt_no and p.state = 'paid'",
        ),
        [line.attempt.payout.payout_id for line in returned],
        [line.attempt.attempt_no for line in returned],
        [line.bank_code for line in returned],
        [line.refusal.reason for line in returned],
        [line.returned_on for line in returned],
        at,
    )
    assert decided == len(returned), "a transfer is given back once"


async def withdraw(unit: Unit, tries: Sequence[Attempt], at: datetime) -> None:
    """Take transfers back before a byte of them has left; `payouts.save` comes after it."""
    withdrawn = await unit.execute(
        _END.format(
            columns="reason",
            values="'withdrawn', $2, null",
            found="unnest($1::uuid[]) as u(payout_id)",
            so_far="p.state = 'batched'",
        ),
        [attempt.payout.payout_id for attempt in tries],
        at,
    )
    assert withdrawn == len(tries), "what is withdrawn was on its way"


_STATES: Final = {state.value: state for state in AttemptState}


def _attempt_of(row: Row) -> Attempt:
    """Read what stands behind a payout's columns: number, card, line, state."""
    return Attempt(payout_of(row), row[11], row[12], row[13], _STATES[row[14]])
