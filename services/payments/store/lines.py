"""The bank's lines: kept once each, then matched, or waiting for somebody with a reason."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.common.kit.db import Argument, Row, Unit
from services.payments.model.payouts import Named
from services.payments.model.statements import (
    MAY_STILL_MATCH,
    BankLine,
    LineReason,
    LineState,
    Movement,
    MovementKind,
)
from services.payments.store.tried import attempt_of

COLUMNS: Final = (
    "l.line_id, l.fund_id, l.bank_ref, l.booked_on, l.direction, l.amount_fen, l.kind,"
    " l.bank_code, l.return_reason, l.remark, l.batch_id, l.payout_id, l.attempt_no, l.state,"
    " l.match_id, l.round"
)
_OPEN: Final = "l.state in ('new', 'exception')"
# What the bank has said stays; whether two people have to act, or time may.
WAITS: Final = (
    "l.state in ('new', 'exception') and (l.state = 'new' or l.reason in ("
    + ", ".join(f"'{reason}'" for reason in MAY_STILL_MATCH)
    + "))"
)


class NewLine(NamedTuple):
    """A movement that was not known, who is behind it sealed, and what it can be seen to name."""

    line_id: UUID
    movement: Movement
    sealed: bytes
    batch_id: UUID | None
    named: Named | None
    reason: LineReason | None


class Facts(NamedTuple):
    """What the bank must not say otherwise the second time."""

    booked_on: date
    direction: str
    amount_fen: int
    kind: str
    batch_no: str
    instruction_id: str

    @classmethod
    def of(cls, line: Movement) -> "Facts":
        return cls(
            line.booked_on,
            line.direction,
            line.amount_fen,
            line.kind,
            line.batch_no,
            line.instruction_id,
        )


async def known(unit: Unit, fund_id: str, refs: Sequence[str]) -> dict[str, Facts]:
    """Give what is kept under the bank's numbers."""
    rows = await unit.fetch(
        """
        select bank_ref, booked_on, direction, amount_fen, kind, batch_no, instruction_id
        from bank_line where fund_id = $1 and bank_ref = any($2)
        """,
        fund_id,
        refs,
    )
    return {row["bank_ref"]: Facts(*row[1:]) for row in rows}


async def batches_numbered(unit: Unit, fund_id: str, numbers: Collection[str]) -> dict[str, UUID]:
    rows = await unit.fetch(
        "select batch_no, batch_id from batch where fund_id = $1 and batch_no = any($2)",
        fund_id,
        list(numbers),
    )
    return {row["batch_no"]: row["batch_id"] for row in rows}


async def batches_of(unit: Unit, fund_id: str, named: Collection[Named]) -> dict[Named, UUID]:
    """Give the batches of the fund with which transfers went out, of those that did."""
    rows = await unit.fetch(
        f"""
        select u.payout_id, u.attempt_no, batch_id
        from unnest($2::uuid[], $3::smallint[]) as u(payout_id, attempt_no)
            join {attempt_of("u")} a on true join batch b using (batch_id)
        where b.fund_id = $1
        """,  # noqa: S608 - a view
        fund_id,
        *columns_of(named),
    )
    return {(row["payout_id"], row["attempt_no"]): row["batch_id"] for row in rows}


async def insert(unit: Unit, fund_id: str, lines: Sequence[NewLine], at: datetime) -> int:
    """Keep lines; give how many were new. Whoever came first has kept the same."""
    rows = [
        (
            line.line_id,
            line.movement.bank_ref,
            *Facts.of(line.movement),
            line.movement.bank_code,
            line.movement.reason,
            line.movement.remark,
            line.sealed,
            line.batch_id,
            *(line.named or (None, None)),
            line.reason,
        )
        for line in lines
    ]
    if not rows:
        return 0
    return await unit.execute(
        """
        insert into bank_line (fund_id, seen_at, state, line_id, bank_ref, booked_on, direction,
            amount_fen, kind, batch_no, instruction_id, bank_code, return_reason, remark, sealed,
            batch_id, payout_id, attempt_no, reason)
        select $1, $2, case when u.reason is null then 'new' else 'exception' end, u.*
        from unnest($3::uuid[], $4::text[], $5::date[], $6::text[], $7::bigint[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[],
            $15::uuid[], $16::uuid[], $17::smallint[], $18::text[])
            as u(line_id, bank_ref, booked_on, direction, amount_fen, kind, batch_no,
                 instruction_id, bank_code, return_reason, remark, sealed, batch_id, payout_id,
                 attempt_no, reason)
        on conflict do nothing
        """,
        fund_id,
        at,
        *zip(*rows, strict=True),
    )


async def changed(unit: Unit, fund_id: str, refs: Sequence[str]) -> dict[str, UUID]:
    """Stop what the bank has told in two ways, where nothing was made of it yet; give all."""
    await unit.execute(
        f"update bank_line l set state = 'exception', reason = 'CHANGED_LINE'"  # noqa: S608 - a constant
        f" where fund_id = $1 and bank_ref = any($2) and {_OPEN}",
        fund_id,
        refs,
    )
    rows = await unit.fetch(
        "select bank_ref, line_id from bank_line where fund_id = $1 and bank_ref = any($2)",
        fund_id,
        refs,
    )
    return {row["bank_ref"]: row["line_id"] for row in rows}


async def lock_whole_debits(unit: Unit, batch_id: UUID) -> list[BankLine]:
    """Lock the debits of a batch that wait, but those of single transfers."""
    return await _lock(unit, "l.batch_id = $1 and l.payout_id is null", batch_id)


async def names(unit: Unit, line_ids: Collection[UUID]) -> list[Named]:
    """Give the transfers that lines name."""
    rows = await unit.fetch(
        """
        select distinct payout_id, attempt_no from bank_line
        where line_id = any($1) and payout_id is not null order by payout_id, attempt_no
        """,
        list(line_ids),
    )
    return [(row["payout_id"], row["attempt_no"]) for row in rows]


async def lock_waiting(unit: Unit, line_ids: Collection[UUID]) -> list[BankLine]:
    """Lock lines and give those that still wait; in the order in which the bank booked them."""
    return await _lock(unit, "l.line_id = any($1)", list(line_ids))


async def lock_open(unit: Unit, line_ids: Collection[UUID]) -> list[BankLine]:
    """Lock lines and give those that have no counterpart yet, also where people have to act."""
    return await _lock(unit, "l.line_id = any($1)", list(line_ids), states=_OPEN)


async def lock(unit: Unit, line_ids: Collection[UUID]) -> list[BankLine]:
    """Lock lines, however far they are."""
    return await _lock(unit, "l.line_id = any($1)", list(line_ids), states="true")


async def match_of(unit: Unit, line_id: UUID) -> UUID | None:
    """Give the match of a line with what is no transfer of ours."""
    return await unit.fetchval("select match_id from bank_line where line_id = $1", line_id)


async def of_match(unit: Unit, match_id: UUID) -> list[BankLine]:
    return await _lock(unit, "l.match_id = $1", match_id, states="true")


async def _lock(unit: Unit, which: str, value: Argument, states: str = WAITS) -> list[BankLine]:
    rows = await unit.fetch(
        f"select {COLUMNS} from bank_line l where {which} and {states}"  # noqa: S608 - constants
        " order by l.line_id for update",
        value,
    )
    found = [line_of(row) for row in rows]
    return sorted(found, key=lambda line: (line.booked_on, len(line.bank_ref), line.bank_ref))


async def match(unit: Unit, matched: Mapping[UUID, UUID | None], at: datetime) -> None:
    """Match lines that are locked; `match_id` where no transfer or batch says to what."""
    if not matched:
        return
    done = await unit.execute(
        f"""
        update bank_line l set state = 'matched', reason = null, match_id = u.match_id,
            matched_at = $3
        from unnest($1::uuid[], $2::uuid[]) as u(line_id, match_id)
        where l.line_id = u.line_id and {_OPEN}
        """,  # noqa: S608 - a constant
        list(matched),
        list(matched.values()),
        at,
    )
    assert done == len(matched), "a line is matched once, under its lock"


async def refuse(unit: Unit, reasons: Mapping[UUID, LineReason]) -> int:
    """Say why open lines have no counterpart; give of how many that is news."""
    if not reasons:
        return 0
    return await unit.execute(
        f"""
        update bank_line l set state = 'exception', reason = u.reason
        from unnest($1::uuid[], $2::text[]) as u(line_id, reason)
        where l.line_id = u.line_id and {_OPEN} and l.reason is distinct from u.reason
        """,  # noqa: S608 - a constant
        list(reasons),
        list(reasons.values()),
    )


async def detach(unit: Unit, line_ids: Collection[UUID]) -> None:
    """Open matched lines again, for people alone to match them."""
    await unit.execute(
        """
        update bank_line set state = 'exception', reason = 'DETACHED', match_id = null,
            matched_at = null, round = round + 1
        where line_id = any($1) and state = 'matched'
        """,
        list(line_ids),
    )


async def name(unit: Unit, line_id: UUID, named: Named, batch_id: UUID) -> None:
    """Note on an open line which transfer it speaks of, as if the bank had."""
    await unit.execute(
        f"""
        update bank_line l set payout_id = $2, attempt_no = $3, batch_id = $4, state = 'new',
            reason = null
        where line_id = $1 and {_OPEN}
        """,  # noqa: S608 - a constant
        line_id,
        *named,
        batch_id,
    )


async def void(unit: Unit, line_id: UUID) -> bool:
    """Strike out an open line; tell whether it was one."""
    return bool(
        await unit.execute(
            f"update bank_line l set state = 'void', reason = null where line_id = $1 and {_OPEN}",  # noqa: S608 - a constant
            line_id,
        )
    )


async def give_up_waiting(unit: Unit, seen_before: datetime) -> int:
    """Make exceptions of what has been new since before a moment; give how many."""
    return await unit.execute(
        """
        update bank_line set state = 'exception', reason = 'NOT_MATCHED'
        where state = 'new' and seen_at < $1
        """,
        seen_before,
    )


async def page(
    unit: Unit,
    fund_id: str | None,
    day: date | None,
    after: tuple[datetime, UUID] | tuple[None, None],
    rows_max: int,
) -> list[Row]:
    """Give the lines of a day, or those that are open; as they were seen."""
    which = "l.booked_on = $2" if day else f"$2::date is null and {_OPEN}"
    return await unit.fetch(
        f"""
        select line_id, fund_id, bank_ref, booked_on, direction, amount_fen, kind, batch_no,
            instruction_id, remark, sealed, state, reason, seen_at
        from bank_line l
        where ($1::text is null or fund_id = $1) and {which}
          and ($3::timestamptz is null or (seen_at, line_id) > ($3, $4::uuid))
        order by seen_at, line_id limit $5
        """,  # noqa: S608 - constants
        fund_id,
        day,
        *after,
        rows_max,
    )


def columns_of(named: Collection[Named]) -> tuple[list[UUID], list[int]]:
    return [payout_id for payout_id, _ in named], [attempt_no for _, attempt_no in named]


def line_of(row: Row) -> BankLine:
    named = (row["payout_id"], row["attempt_no"]) if row["payout_id"] else None
    return BankLine(
        row["line_id"],
        row["fund_id"],
        row["bank_ref"],
        row["booked_on"],
        row["direction"],
        row["amount_fen"],
        MovementKind(row["kind"]),
        row["bank_code"],
        row["return_reason"],
        row["remark"],
        row["batch_id"],
        named,
        LineState(row["state"]),
        row["match_id"],
        row["round"],
    )
