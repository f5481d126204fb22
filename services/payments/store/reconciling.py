"""What the bank has and the book has not, and the other way round; day by day, never all of it."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from services.common.kit.db import Unit
from services.payments.model.ledger import Account, Posting
from services.payments.model.statements import Outstanding
from services.payments.rules.outstanding import Booked, Part
from services.payments.store.tried import attempts_of

# An entry of the ledger: its source and leg.
Entry = tuple[UUID, str]


async def days_of(unit: Unit, entries: Sequence[Entry]) -> dict[Entry, tuple[date, int]]:
    """Give the days of entries and what each moved on the account."""
    rows = await unit.fetch(
        """
        select source_id, leg, day,
            case when debit = 'bank' then amount_fen else -amount_fen end as fen
        from unnest($1::uuid[], $2::text[]) as u(source_id, leg) join ledger using (source_id, leg)
        """,
        [source_id for source_id, _ in entries],
        [leg for _, leg in entries],
    )
    return {(row["source_id"], row["leg"]): (row["day"], row["fen"]) for row in rows}


async def unshown_of_batch(unit: Unit, batch_id: UUID) -> list[Booked]:
    """Give by day what was paid of an unconfirmed batch and no line of its own has shown.

    Mostly all of it was booked in a day, and none is shown: then its row says all.
    """
    whole = await unit.fetchrow(
        "select paid_from, -paid_fen from batch where batch_id = $1 and confirmed_at is null"
        " and paid_from = paid_until and shown_fen = 0",
        batch_id,
    )
    if whole is not None:
        return [(whole[0], whole[1])]
    rows = await unit.fetch(
        """
        select g.day, sum(case when g.debit = 'bank' then g.amount_fen else -g.amount_fen end)
            ::bigint as fen
        from batch_attempt a join ledger g on g.source_id = a.payout_id
            and g.leg = 'paid.' || a.attempt_no
        where a.batch_id = $1 and a.state in ('paid', 'returned')
          and not exists (select from batch b where b.batch_id = $1 and b.confirmed_at is not null)
          and not exists (select from bank_line l
              where l.payout_id = a.payout_id and l.attempt_no = a.attempt_no
                and l.kind = 'payout' and l.state = 'matched')
        group by g.day
        """,
        batch_id,
    )
    return [(row["day"], row["fen"]) for row in rows]


async def entries(unit: Unit, keys: Sequence[Entry]) -> list[Posting]:
    """Give entries as they were booked."""
    rows = await unit.fetch(
        """
        select source_id, leg, fund_id, scheme_id, debit, credit, amount_fen
        from unnest($1::uuid[], $2::text[]) as u(source_id, leg) join ledger using (source_id, leg)
        """,
        [source_id for source_id, _ in keys],
        [leg for _, leg in keys],
    )
    return [
        Posting(
            row["source_id"],
            row["leg"],
            row["fund_id"],
            row["scheme_id"],
            Account(row["debit"]),
            Account(row["credit"]),
            row["amount_fen"],
        )
        for row in rows
    ]


async def add_outstanding(unit: Unit, fund_id: str, spans: Iterable[Outstanding]) -> None:
    rows = [(fund_id, *span) for span in spans]
    if rows:
        columns = ("fund_id", "side", "from_day", "until_day", "amount_fen", "items")
        await unit.copy("outstanding", columns, rows)


async def outstanding(unit: Unit, fund_id: str, first: date, last: date) -> list[Outstanding]:
    """Give what lay open on some day of a span and was cleared later."""
    rows = await unit.fetch(
        """
        select side, from_day, until_day,
            sum(amount_fen)::bigint as fen, sum(items)::bigint as items
        from outstanding where fund_id = $1 and until_day > $2 and from_day <= $3
        group by side, from_day, until_day, amount_fen > 0, items > 0
        """,
        fund_id,
        first,
        last,
    )
    return [Outstanding(*row) for row in rows]


async def book_moves(unit: Unit, fund_id: str, last: date) -> list[tuple[date, int]]:
    """Give what the book moved on the account, by day: closed days' sums, and the open days."""
    rows = await unit.fetch(
        """
        select day, sum(debit_fen - credit_fen)::bigint as fen from ledger_day_sum
        where fund_id = $1 and account = 'bank' and day <= $2 group by day
        union all
        select day, sum(case when debit = 'bank' then amount_fen else -amount_fen end)::bigint
        from ledger
        where day > coalesce((select max(day) from ledger_root), '-infinity') and day <= $2
          and fund_id = $1 and (debit = 'bank' or credit = 'bank')
        group by day
        """,
        fund_id,
        last,
    )
    return [(row["day"], row["fen"]) for row in rows]


async def open_lines(unit: Unit, fund_id: str, last: date) -> list[Part]:
    """Give the bank's lines that have no counterpart; a batch's debits under the batch."""
    rows = await unit.fetch(
        """
        select case when kind = 'payout' and payout_id is null
                then coalesce(batch_id, line_id) else line_id end as key, booked_on,
            case when direction = 'credit' then amount_fen else -amount_fen end as fen
        from bank_line
        where fund_id = $1 and state in ('new', 'exception') and booked_on <= $2
        """,
        fund_id,
        last,
    )
    return [Part(*row) for row in rows]


async def open_entries(unit: Unit, fund_id: str, last: date) -> list[Part]:
    """Give what the book has and no line has shown, by batch and day: payments, and letters."""
    rows = await unit.fetch(
        f"""
        with given_back as (
            select (content ->> 'payout_id')::uuid as payout_id,
                (content ->> 'attempt_no')::smallint as attempt_no
            from act
            where kind = 'letter' and state = 'confirmed' and content ->> 'outcome' = 'returned'
            union
            select a.payout_id, a.attempt_no
            from act e join {attempts_of("(e.content ->> 'batch_id')::uuid")} a on true
            where e.kind = 'batch_letter' and e.state = 'confirmed' and a.state = 'returned'),
        unshown as (
            select b.batch_id as key, a.payout_id as source_id, 'paid.' || a.attempt_no as leg
            from batch b join {attempts_of("b.batch_id")} a on true
            where b.fund_id = $1 and b.confirmed_at is null and b.state <> 'voided'
              and b.paid_lines > 0 and a.state in ('paid', 'returned')
              and not exists (select from bank_line l
                  where l.payout_id = a.payout_id and l.attempt_no = a.attempt_no
                    and l.kind = 'payout' and l.state = 'matched')
            union all
            select g.payout_id, g.payout_id, 'returned.' || g.attempt_no from given_back g
            where not exists (select from bank_line l
                where l.payout_id = g.payout_id and l.attempt_no = g.attempt_no
                  and l.kind <> 'payout' and l.state = 'matched'))
        select u.key, g.day,
            sum(case when g.debit = 'bank' then g.amount_fen else -g.amount_fen end)::bigint as fen
        from unshown u join ledger g using (source_id, leg)
        where g.fund_id = $1 and g.day <= $2 group by u.key, g.day
        """,  # noqa: S608 - a view
        fund_id,
        last,
    )
    return [Part(*row) for row in rows]
