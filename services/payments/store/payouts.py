"""Balances and payouts. Balances are locked first, in order, then payouts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.model.owed import AccountKey, Balance, Move
from services.payments.model.payouts import OPEN_STATES, Payout, PayoutState, Refusal
from services.payments.rules.owed import Books

# First in a row from which a payout is read.
PAYOUT_COLUMNS = (
    "p.payout_id, p.member_id, p.scheme_id, p.claim_id, p.period, p.grant_fen, p.amount_fen,"
    " p.state, p.version, p.created_at, p.round"
)
_STATES: Final = {state.value: state for state in PayoutState}


def payout_of(row: Row) -> Payout:
    return Payout(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        _STATES[row[7]],
        row[8],
        row[9],
        row[10],
    )


_LOCKED: Final = """
    with locked as (
        select member_id, in_flight_fen from balance
        where member_id = any($1) order by member_id, scheme_id for update)
    """


async def lock_books(unit: Unit, member_ids: Collection[UUID]) -> Books:
    """Lock all balances of the members, in the one order that everybody keeps."""
    rows = await unit.fetch(
        """
        select member_id, scheme_id, granted_fen, paid_fen, in_flight_fen from balance
        where member_id = any($1) order by member_id, scheme_id for update
        """,
        list(member_ids),
    )
    return Books(
        (AccountKey(member_id, scheme_id), Balance(*standing))
        for member_id, scheme_id, *standing in rows
    )


async def lock_balances(unit: Unit, member_ids: Collection[UUID]) -> None:
    """Lock all balances of the members, as `lock_books` does, where none has to be read."""
    await unit.execute(f"{_LOCKED} select count(*) from locked", list(member_ids))  # noqa: S608 - a constant


async def lock_for_cut(unit: Unit, member_ids: Collection[UUID]) -> set[UUID]:
    """Lock all balances of the members; give the members of whom money is on its way."""
    rows = await unit.fetch(
        f"{_LOCKED} select distinct member_id from locked where in_flight_fen > 0",  # noqa: S608 - a constant
        list(member_ids),
    )
    return {row[0] for row in rows}


async def write_books(unit: Unit, books: Books) -> None:
    """Write every move; the database refuses one that leaves open payouts unlike what is owed."""
    new, known = books.moves()
    if new:
        columns = ("member_id", "scheme_id", "granted_fen", "paid_fen", "in_flight_fen", "open_fen")
        await unit.copy("balance", columns, [(*account, *move) for account, move in new.items()])
    if known:
        await _move_balances(unit, known)


async def _move_balances(unit: Unit, moves: Mapping[AccountKey, Move]) -> None:
    # A use case moves two of the four: a column in which nothing moves is left empty.
    columns = [column if any(column) else () for column in zip(*moves.values(), strict=True)]
    moved = await unit.execute(
        """
        update balance b set
            granted_fen = b.granted_fen + coalesce(u.granted, 0),
            paid_fen = b.paid_fen + coalesce(u.paid, 0),
            in_flight_fen = b.in_flight_fen + coalesce(u.in_flight, 0),
            open_fen = b.open_fen + coalesce(u.opened, 0)
        from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             as u(member_id, scheme_id, granted, paid, in_flight, opened)
        where b.member_id = u.member_id and b.scheme_id = u.scheme_id
        """,
        [account.member_id for account in moves],
        [account.scheme_id for account in moves],
        *columns,
    )
    assert moved == len(moves), "every balance that moves is locked"


async def known(unit: Unit, payout_ids: Sequence[UUID]) -> set[UUID]:
    rows = await unit.fetch("select payout_id from payout where payout_id = any($1)", payout_ids)
    return {row["payout_id"] for row in rows}


async def lock_open(unit: Unit, member_ids: Collection[UUID]) -> list[Payout]:
    """Lock the members' open payouts; give them oldest first."""
    rows = await unit.fetch(
        f"select {PAYOUT_COLUMNS} from payout p"  # noqa: S608 - the names of columns
        " where member_id = any($1) and state = any($2) order by payout_id for update",
        list(member_ids),
        OPEN_STATES,
    )
    payouts = [payout_of(row) for row in rows]
    return sorted(payouts, key=lambda payout: (payout.created_at, payout.payout_id))


async def save(unit: Unit, payouts: Sequence[Payout], at: datetime) -> None:
    """Write amount, state and round of payouts whose version was raised under their lock.

    None of them is under way or paid: where one was, its attempt has come to another end.
    """
    if not payouts:
        return
    saved = await unit.execute(
        """
        update payout p
        set amount_fen = u.amount_fen, state = u.state, version = u.version, round = u.round,
            batch_id = null, line = null, bank_serial = null, paid_on = null, changed_at = $6
        from unnest($1::uuid[], $2::bigint[], $3::text[], $4::int[], $5::smallint[])
             as u(payout_id, amount_fen, state, version, round)
        where p.payout_id = u.payout_id and p.version < u.version
        """,
        [payout.payout_id for payout in payouts],
        [payout.amount_fen for payout in payouts],
        [payout.state for payout in payouts],
        [payout.version for payout in payouts],
        [payout.round for payout in payouts],
        at,
    )
    assert saved == len(payouts), "a payout moves only under its lock"
    cancelled = [p.payout_id for p in payouts if p.state is PayoutState.CANCELLED]
    if cancelled:
        await unit.execute("delete from refusal where payout_id = any($1)", cancelled)


async def wake(unit: Unit, member_ids: Collection[UUID], at: datetime) -> list[Payout]:
    """Make ready what waited for these members' payees: first ones, or newer than what failed."""
    rows = await unit.fetch(
        f"""
        with waiting as (
            select p.payout_id from payout p join payee e using (member_id)
            where p.member_id = any($1) and p.state in ('awaiting_payee', 'refused', 'returned')
              and e.member_version > 0 and e.version > p.payee_version
            order by p.payout_id for update of p)
        update payout p set state = 'ready', version = p.version + 1, changed_at = $2
        from waiting w where p.payout_id = w.payout_id
        returning {PAYOUT_COLUMNS}
        """,  # noqa: S608 - the names of columns
        list(member_ids),
        at,
    )
    woken = sorted(map(payout_of, rows), key=lambda payout: (payout.created_at, payout.payout_id))
    if woken:
        await unit.execute(
            "delete from refusal where payout_id = any($1)", [p.payout_id for p in woken]
        )
    return woken


async def retry(unit: Unit, payout_ids: Collection[UUID], at: datetime) -> list[Payout]:
    """Make refused and returned payouts ready for the same card; give those that were."""
    rows = await unit.fetch(
        f"""
        with failed as (
            select payout_id from payout
            where payout_id = any($1) and state in ('refused', 'returned')
            order by payout_id for update),
        gone as (delete from refusal where payout_id in (select payout_id from failed))
        update payout p
        set state = 'ready', version = p.version + 1, round = p.round + 1, changed_at = $2
        from failed f where p.payout_id = f.payout_id
        returning {PAYOUT_COLUMNS}
        """,  # noqa: S608 - the names of columns
        list(payout_ids),
        at,
    )
    return [payout_of(row) for row in rows]


async def put_on_refusal_list(
    unit: Unit, refused: Sequence[tuple[Payout, Refusal]], at: datetime
) -> None:
    if refused:
        await unit.copy(
            "refusal",
            ("payout_id", "member_id", "reason", "actor", "since"),
            [(p.payout_id, p.member_id, reason, actor, at) for p, (reason, actor) in refused],
        )
