"""The ledger: entries are added, never changed; what lies in the funds moves along with them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from services.common.kit.clock import BUSINESS_ZONE
from services.common.kit.db import Row, Unit
from services.common.money import Fen
from services.payments.model.ledger import Account, Posting

COLUMNS: Final = (
    "source_id", "leg", "fund_id", "scheme_id", "debit", "credit", "amount_fen", "day", "booked_at",
)  # fmt: skip


class Cash(NamedTuple):
    """What lies on a fund's account, and how much of it is promised to batches under way."""

    bank_fen: Fen
    in_transit_fen: Fen

    @property
    def free_fen(self) -> Fen:
        return Fen(self.bank_fen - self.in_transit_fen)


async def open_funds(unit: Unit, fund_ids: Sequence[str]) -> list[str]:
    """Open the funds that are new and give them; whoever waited for money tries again."""
    await unit.execute("update fund set low_since = null where low_since is not null")
    rows = await unit.fetch(
        """
        insert into fund (fund_id, bank_fen, in_transit_fen)
        select fund_id, 0, 0 from unnest($1::text[]) as u(fund_id)
        on conflict do nothing returning fund_id
        """,
        fund_ids,
    )
    return [row["fund_id"] for row in rows]


async def funds_at_work(unit: Unit) -> set[str]:
    """Give the funds that payouts wait for or are on their way from."""
    rows = await unit.fetch(
        """
        select split_part(lane, '.', 1) as fund_id from ready_queue group by lane
        union select fund_id from batch where state not in ('closed', 'voided')
        """
    )
    return {row["fund_id"] for row in rows}


async def cash_of(unit: Unit, fund_id: str) -> Cash:
    row = await unit.fetchrow(
        "select bank_fen, in_transit_fen from fund where fund_id = $1", fund_id
    )
    assert row is not None, "every configured fund was opened"
    return Cash(row["bank_fen"], row["in_transit_fen"])


async def funds(unit: Unit) -> list[Row]:
    return await unit.fetch("select fund_id, bank_fen, in_transit_fen, low_since from fund")


async def tell_low(unit: Unit, fund_id: str, at: datetime) -> bool:
    """Note that payouts wait for money; tell whether that is news."""
    return bool(
        await unit.execute(
            "update fund set low_since = $2 where fund_id = $1 and low_since is null", fund_id, at
        )
    )


async def try_again(unit: Unit, fund_ids: Collection[str]) -> None:
    """Let what waits for money in these funds be tried again: less of it is owed than before."""
    await unit.execute(
        "update fund set low_since = null where fund_id = any($1) and low_since is not null",
        list(fund_ids),
    )


async def post(
    unit: Unit, postings: Iterable[Posting], at: datetime, day: date | None = None
) -> None:
    """Write entries into their day, today's unless told, or into the first one still open after it.

    The same leg of a source twice is an error. Call it last: a fund's row is what all batches of
    the fund write.
    """
    entries = list(postings)
    if entries:
        await write(unit, entries, await open_day(unit, at, day), at)
        await move_cash(unit, entries)


async def open_day(unit: Unit, at: datetime, day: date | None = None) -> date:
    """Give the day that takes what is booked now: today unless told, or the first open after it."""
    belong = day or at.astimezone(BUSINESS_ZONE).date()
    return await unit.fetchval("select greatest($1::date, max(day) + 1) from ledger_day", belong)


async def write(unit: Unit, entries: Sequence[Posting], day: date, at: datetime) -> None:
    """Write entries into an open day; what they move on the funds' accounts is for the caller."""
    if entries:
        await unit.copy("ledger", COLUMNS, [(*entry, day, at) for entry in entries])


async def move_cash(unit: Unit, entries: Iterable[Posting]) -> None:
    """Move what lies in the funds as entries say; call it last, as `post`."""
    await _move_cash(unit, _cash_moves(entries))


def _cash_moves(entries: Iterable[Posting]) -> Mapping[str, tuple[int, int]]:
    """Add up what entries move on each fund's account, and what they promise of it."""
    moved: defaultdict[tuple[str, Account, Account], int] = defaultdict(int)
    for _, _, fund_id, _, debit, credit, amount in entries:
        moved[fund_id, debit, credit] += amount
    bank: defaultdict[str, int] = defaultdict(int)
    transit: defaultdict[str, int] = defaultdict(int)
    for (fund_id, debit, credit), amount in moved.items():
        bank[fund_id] += amount * ((debit is Account.BANK) - (credit is Account.BANK))
        transit[fund_id] += amount * (
            (credit is Account.PAYOUTS_IN_TRANSIT) - (debit is Account.PAYOUTS_IN_TRANSIT)
        )
    return {
        fund_id: (bank[fund_id], transit[fund_id])
        for fund_id in sorted(bank)
        if bank[fund_id] or transit[fund_id]
    }


async def _move_cash(unit: Unit, moves: Mapping[str, tuple[int, int]]) -> None:
    if not moves:
        return
    moved = await unit.execute(
        """
        update fund f set
            bank_fen = f.bank_fen + u.bank, in_transit_fen = f.in_transit_fen + u.transit,
            low_since = case when u.bank > u.transit then null else f.low_since end
        from unnest($1::text[], $2::bigint[], $3::bigint[]) as u(fund_id, bank, transit)
        where f.fund_id = u.fund_id
        """,
        list(moves),
        [bank for bank, _ in moves.values()],
        [transit for _, transit in moves.values()],
    )
    assert moved == len(moves), "every fund was opened"
