"""Which of the bank's lines can be matched now: sets of them, and what they are held against."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from services.common.kit.db import Unit
from services.payments.model.payouts import AttemptState, Named
from services.payments.model.statements import BankLine
from services.payments.rules.matching import BatchSums, Transfer
from services.payments.store.lines import COLUMNS, WAITS, columns_of, line_of
from services.payments.store.tried import attempt_of

# A batch of which the bank may have booked something.
_SENT: Final = "b.state in ('submitting', 'submitted', 'unknown', 'closed')"
# All that was paid of it has been shown, with what is shown now.
_WHOLE: Final = "b.state = 'closed' and b.shown_fen + $2 = b.paid_fen"


async def any_waits(unit: Unit) -> bool:
    return await unit.fetchval(f"select exists (select from bank_line l where {WAITS})")  # noqa: S608 - a constant


async def batches_shown(unit: Unit) -> list[UUID]:
    """List the batches whose debits may be matched now: `judge_batch` has the word."""
    rows = await unit.fetch(
        f"""
        select b.batch_id from bank_line l join batch b using (batch_id)
        where {WAITS} and l.payout_id is null and b.confirmed_at is null
        group by b.batch_id
        having sum(l.amount_fen) + b.shown_fen = case b.state
            when 'closed' then b.paid_fen else b.total_fen - b.refused_fen end
        """  # noqa: S608 - constants
    )
    return [row["batch_id"] for row in rows]


async def sums_of(unit: Unit, batch_id: UUID) -> BatchSums:
    row = await unit.fetchrow(
        """
        select total_fen, paid_fen, refused_fen, shown_fen, state = 'closed' as closed,
            exists (select from doubt d where d.batch_id = b.batch_id)
                and state in ('submitting', 'submitted', 'unknown') as in_doubt
        from batch b where batch_id = $1
        """,
        batch_id,
    )
    assert row is not None, "batches are never deleted"
    return BatchSums(*row)


async def debits_decided(unit: Unit, rows_max: int) -> dict[UUID, list[UUID]]:
    """Give the debits of single transfers that can be judged now, by batch."""
    rows = await unit.fetch(
        f"""
        select l.line_id, l.batch_id
        from bank_line l join {attempt_of("l")} a on true
            join batch b on b.batch_id = l.batch_id
        where {WAITS} and l.kind = 'payout' and (a.state <> 'in_flight' or {_SENT})
        order by l.batch_id limit $1
        """,  # noqa: S608 - constants
        rows_max,
    )
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row["batch_id"], []).append(row["line_id"])
    return found


async def returns_decided(unit: Unit, rows_max: int) -> dict[str, list[UUID]]:
    """Give the returns and reversals that can be judged now, by fund."""
    rows = await unit.fetch(
        f"""
        select l.line_id, l.fund_id
        from bank_line l join {attempt_of("l")} a on true
        where {WAITS} and l.kind in ('return', 'reversal') and a.state <> 'in_flight'
        order by l.fund_id limit $1
        """,  # noqa: S608 - constants
        rows_max,
    )
    found: dict[str, list[UUID]] = {}
    for row in rows:
        found.setdefault(row["fund_id"], []).append(row["line_id"])
    return found


async def not_payouts(unit: Unit, rows_max: int) -> list[BankLine]:
    """Give the deposits, transfers and fees that wait."""
    rows = await unit.fetch(
        f"select {COLUMNS} from bank_line l"  # noqa: S608 - constants
        f" where {WAITS} and l.kind in ('deposit', 'transfer', 'fee')"
        " order by l.state desc, l.fund_id, l.booked_on, l.line_id limit $1",
        rows_max,
    )
    return [line_of(row) for row in rows]


async def transfers(unit: Unit, named: Collection[Named]) -> dict[Named, Transfer]:
    """Say how far transfers are, and whether lines have been matched to them.

    All of a confirmed batch is shown, by its own debits where not by those of its transfers.
    """
    rows = await unit.fetch(
        f"""
        select u.payout_id, u.attempt_no, a.amount_fen, a.state, {_SENT} as sent,
            coalesce(bool_or(l.kind = 'payout'), false) or b.confirmed_at is not null as shown,
            coalesce(bool_or(l.kind <> 'payout'), false) as given_back
        from unnest($1::uuid[], $2::smallint[]) as u(payout_id, attempt_no)
            join {attempt_of("u")} a on true join batch b using (batch_id)
            left join bank_line l on l.payout_id = u.payout_id and l.attempt_no = u.attempt_no
                and l.state = 'matched'
        group by u.payout_id, u.attempt_no, a.amount_fen, a.state, b.state, b.confirmed_at
        """,  # noqa: S608 - constants
        *columns_of(named),
    )
    return {
        (row["payout_id"], row["attempt_no"]): Transfer(
            row["amount_fen"],
            AttemptState(row["state"]),
            sent=row["sent"],
            shown=row["shown"],
            given_back=row["given_back"],
        )
        for row in rows
    }


async def count_shown(unit: Unit, batch_id: UUID, amount_fen: int, at: datetime) -> None:
    """Note of a locked batch how much more of it is shown; confirm it with the last of it."""
    await unit.execute(
        f"""
        update batch b set shown_fen = shown_fen + $2,
            confirmed_at = case when {_WHOLE} then $3 else confirmed_at end,
            sealed_file = case when {_WHOLE} then null else sealed_file end
        where batch_id = $1
        """,  # noqa: S608 - constants
        batch_id,
        amount_fen,
        at,
    )


async def confirm_batches(unit: Unit, at: datetime) -> int:
    """Confirm the closed batches of which all is shown that was paid; their bytes may go."""
    return await unit.execute(
        """
        update batch set confirmed_at = $1, sealed_file = null
        where confirmed_at is null and state = 'closed' and paid_lines > 0
          and shown_fen = paid_fen
        """,
        at,
    )
