"""What is said to whom: messages, those that wait for an address, those that may go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import literal, select, tuple_

from services.common.kit.db import Unit
from services.notify.model import THE_MEMBER, Material, MessageState, Notice, Placed
from services.notify.tables import message

NOTICE: Final = """
    member_id, payout_id, attempt_no, template, recipient_no, payee_version, amount_fen, reason,
    booked_on, days
    """
MATERIAL: Final = """
    select g.message_id, g.member_id, g.payout_id, g.attempt_no, g.template, g.recipient_no,
           g.amount_fen, g.reason, g.booked_on, g.days, g.created_at, m.salt,
           c.sealed as contact, t.sealed as tail, o.unit_id, o.sealed as officers
    from unnest($1::uuid[]) with ordinality as u(message_id, place)
    join message g using (message_id)
    left join member m on m.member_id = g.member_id
    left join contact c on c.member_id = g.member_id and c.version = g.contact_version
    left join card_tail t
           on t.member_id = g.member_id and t.payee_version = g.payee_version
    left join unit_officers o
           on o.unit_code = g.unit_code and o.version = g.officers_version
    """


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message so far."""

    message_id: UUID
    state: str
    created_at: datetime
    sent_at: datetime | None
    receipt: str | None


async def write(unit: Unit, placed: Sequence[Placed], moment: datetime) -> set[UUID]:
    """Write new messages, and the address into those that waited for it; all else stands.

    What has its address joins the queue, what has none joins those that wait. Gives the ids of
    the messages that are new or have stopped waiting.
    """
    if not placed:
        return set()
    ordered = sorted(placed, key=lambda one: one.notice.message_id)
    ids = [one.notice.message_id for one in ordered]
    notices = [one.notice for one in ordered]
    rows = await unit.fetch(
        """
        insert into message (message_id, member_id, payout_id, attempt_no, template, recipient_no,
                             payee_version, amount_fen, reason, booked_on, days, state,
                             contact_version, unit_code, officers_version, created_at)
        select *, $16::timestamptz
        from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::smallint[],
                    $7::int[], $8::bigint[], $9::text[], $10::date[], $11::smallint[], $12::text[],
                    $13::int[], $14::text[], $15::int[])
        on conflict (message_id) do update
        set state = excluded.state, contact_version = excluded.contact_version,
            unit_code = excluded.unit_code, officers_version = excluded.officers_version
        where message.state = 'awaiting_contact' and excluded.state <> 'awaiting_contact'
        returning message_id, xmax = 0 as is_new
        """,
        ids,
        [notice.member_id for notice in notices],
        [notice.payout_id for notice in notices],
        [notice.attempt_no for notice in notices],
        [notice.template for notice in notices],
        [notice.recipient_no for notice in notices],
        [notice.payee_version for notice in notices],
        [notice.amount_fen for notice in notices],
        [notice.reason for notice in notices],
        [notice.booked_on for notice in notices],
        [notice.days for notice in notices],
        [one.state for one in ordered],
        [one.contact_version for one in ordered],
        [one.unit_code for one in ordered],
        [one.officers_version for one in ordered],
        moment,
    )
    written = {row["message_id"] for row in rows}
    mine = [one for one, key in zip(ordered, ids, strict=True) if key in written]
    await _wait(unit, [one for one in mine if one.state is MessageState.AWAITING_CONTACT])
    await _leave(unit, [row["message_id"] for row in rows if not row["is_new"]])
    ready = [one.notice.message_id for one in mine if one.state is MessageState.READY]
    await queue(unit, ready, moment)
    return written


async def _wait(unit: Unit, placed: Sequence[Placed]) -> None:
    if placed:
        await unit.execute(
            """
            insert into waiting select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
            on conflict do nothing
            """,
            [one.notice.member_id for one in placed],
            [one.notice.message_id for one in placed],
            [one.until for one in placed],
        )


async def wait_longer(unit: Unit, placed: Sequence[Placed]) -> None:
    if placed:
        await unit.execute(
            """
            update waiting w set until = u.until
            from unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
                 as u(member_id, message_id, until)
            where w.member_id = u.member_id and w.message_id = u.message_id
            """,
            [one.notice.member_id for one in placed],
            [one.notice.message_id for one in placed],
            [one.until for one in placed],
        )


async def _leave(unit: Unit, message_ids: Sequence[UUID]) -> None:
    if message_ids:
        await unit.execute(
            """
            delete from waiting w using message g
            where g.message_id = any($1) and w.member_id = g.member_id
              and w.message_id = g.message_id
            """,
            message_ids,
        )


async def waiting_for(
    unit: Unit, members: Collection[UUID], unit_codes: Collection[str]
) -> list[Notice]:
    """Give what waits for one of these members, or for the officers of one of these units."""
    rows = await unit.fetch(
        f"""
        select {NOTICE} from message
        where message_id in (
            select message_id from waiting where member_id = any($1)
            union
            select w.message_id from waiting w join member m using (member_id)
            where w.until is not null and m.unit_code = any($2))
        order by message_id for update
        """,  # noqa: S608 - a constant list of columns
        list(members),
        list(unit_codes),
    )
    return [Notice(**row) for row in rows]


async def waited_out(unit: Unit, moment: datetime, rows_max: int) -> list[Notice]:
    """Give the officers' texts that have waited for a list of officers as long as they may."""
    rows = await unit.fetch(
        f"""
        select {NOTICE} from message
        where message_id in (select message_id from waiting where until <= $1
                             order by until limit $2)
        order by message_id for update
        """,  # noqa: S608 - a constant list of columns
        moment,
        rows_max,
    )
    return [Notice(**row) for row in rows]


async def queue(
    unit: Unit, message_ids: Sequence[UUID], ready_at: datetime, tries: int = 0
) -> None:
    if message_ids:
        await unit.execute(
            """
            insert into ready (message_id, ready_at, tries) select unnest($1::uuid[]), $2, $3
            """,
            message_ids,
            ready_at,
            tries,
        )


async def take(unit: Unit, moment: datetime, rows_max: int, *, again: bool) -> dict[UUID, int]:
    """Take the texts that are due, the oldest first, out of the queue; (message: tries).

    `again` takes those that were refused before, else the others are taken.
    """
    # Materialized: a joined subquery may be run once per row of the table, each time with a limit
    # of its own.
    rows = await unit.fetch(
        """
        with due as materialized (
            select again, ready_at, message_id from ready
            where again = $3 and ready_at <= $1
            order by ready_at, message_id limit $2 for update skip locked)
        delete from ready r using due
        where r.again = due.again and r.ready_at = due.ready_at
          and r.message_id = due.message_id
        returning r.message_id, r.tries, r.ready_at
        """,
        moment,
        rows_max,
        again,
    )
    rows.sort(key=lambda row: (row["ready_at"], row["message_id"]))
    return {row["message_id"]: row["tries"] for row in rows}


async def material(unit: Unit, message_ids: Sequence[UUID]) -> list[Material]:
    """Give what the texts are made of, in the order asked."""
    rows = await unit.fetch(f"{MATERIAL} order by u.place", message_ids)
    return [Material(**row) for row in rows]


async def material_of_unknown(unit: Unit, message_ids: Sequence[UUID]) -> list[Material]:
    """Give what those texts are made of whose fate the provider has not told."""
    rows = await unit.fetch(f"{MATERIAL} where g.state = 'unknown' order by u.place", message_ids)
    return [Material(**row) for row in rows]


async def move(
    unit: Unit,
    message_ids: Sequence[UUID],
    state: MessageState,
    *,
    code: str | None = None,
    sent_at: datetime | None = None,
) -> set[UUID]:
    """Move messages that are on their way to another state; give those that were."""
    if not message_ids:
        return set()
    rows = await unit.fetch(
        """
        update message set state = $2, code = $3, sent_at = $4
        where message_id = any($1) and state in ('ready', 'submitting', 'unknown')
        returning message_id
        """,
        message_ids,
        state,
        code,
        sent_at,
    )
    return {row["message_id"] for row in rows}


async def page_of_member(
    unit: Unit, member_id: UUID, before: tuple[datetime, UUID] | None, rows_max: int
) -> list[Fate]:
    """Give the texts to a member, the newest first."""
    place = tuple_(message.c.created_at, message.c.message_id)
    query = (
        select(*(message.c[field.name] for field in fields(Fate)))
        .where(message.c.member_id == member_id, message.c.recipient_no == THE_MEMBER)
        .order_by(message.c.created_at.desc(), message.c.message_id.desc())
        .limit(rows_max)
    )
    if before is not None:
        query = query.where(place < tuple_(*map(literal, before)))
    found = await unit.core.execute(query)
    return [Fate(**row) for row in found.mappings()]
