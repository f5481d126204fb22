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
    message_id, member_id, payout_id, attempt_no, template, recipient_no, payee_version, amount_fen,
    reason, booked_on, days
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
COLUMNS: Final = (
    "message_id",
    "member_id",
    "payout_id",
    "attempt_no",
    "template",
    "recipient_no",
    "payee_version",
    "amount_fen",
    "reason",
    "booked_on",
    "days",
    "state",
    "contact_version",
    "unit_code",
    "officers_version",
    "created_at",
)
# As many as one call to a provider takes at most.
TEXTS_PER_SET_MAX: Final = 100


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
    ordered = sorted(placed, key=_message_id)
    states = await _states(unit, [one.notice.message_id for one in ordered])
    new: list[Placed] = ordered
    addressed: list[Placed] = []
    if states:
        new = [one for one in ordered if one.notice.message_id not in states]
        addressed = [
            one
            for one in ordered
            if one.state is not MessageState.AWAITING_CONTACT
            and states.get(one.notice.message_id) == MessageState.AWAITING_CONTACT
        ]
    await unit.copy("message", COLUMNS, [_row(one, moment) for one in new])
    await _address(unit, addressed)
    await _wait(unit, [one for one in new if one.state is MessageState.AWAITING_CONTACT])
    written = [*new, *addressed]
    ready = [one.notice.message_id for one in written if one.state is MessageState.READY]
    await queue(unit, ready, moment)
    return {one.notice.message_id for one in written}


def _message_id(one: Placed) -> int:
    # As a number it sorts in a fifth of the time.
    return one.notice.message_id.int


def _row(one: Placed, moment: datetime) -> tuple[object, ...]:
    notice = one.notice
    return (
        notice.message_id,
        notice.member_id,
        notice.payout_id,
        notice.attempt_no,
        notice.template,
        notice.recipient_no,
        notice.payee_version,
        notice.amount_fen,
        notice.reason,
        notice.booked_on,
        notice.days,
        one.state,
        one.contact_version,
        one.unit_code,
        one.officers_version,
        moment,
    )


async def _states(unit: Unit, message_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Lock those of the messages that there are, and give their states.

    Asked first and copied then, for nearly all are new; who else writes the same one meanwhile
    makes the copy fail, and this set is handled again.
    """
    rows = await unit.fetch(
        """
        select message_id, state from message where message_id = any($1)
        order by message_id for update
        """,
        message_ids,
    )
    return {row["message_id"]: row["state"] for row in rows}


async def _address(unit: Unit, placed: Sequence[Placed]) -> None:
    """Write down where messages go that have waited for it."""
    if not placed:
        return
    await unit.execute(
        """
        update message g
        set state = u.state, contact_version = u.contact_version, unit_code = u.unit_code,
            officers_version = u.officers_version
        from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[])
             as u(message_id, state, contact_version, unit_code, officers_version)
        where g.message_id = u.message_id
        """,
        [one.notice.message_id for one in placed],
        [one.state for one in placed],
        [one.contact_version for one in placed],
        [one.unit_code for one in placed],
        [one.officers_version for one in placed],
    )
    await unit.execute(
        """
        delete from waiting w using unnest($1::uuid[], $2::uuid[]) as u(member_id, message_id)
        where w.member_id = u.member_id and w.message_id = u.message_id
        """,
        [one.notice.member_id for one in placed],
        [one.notice.message_id for one in placed],
    )


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
    return [Notice(*row) for row in rows]


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
    return [Notice(*row) for row in rows]


async def queue(
    unit: Unit, message_ids: Sequence[UUID], ready_at: datetime, tries: int = 0
) -> None:
    """Queue texts in sets of as many as a call takes; what was refused before goes alone."""
    if message_ids:
        await unit.execute(
            """
            insert into ready (ready_at, tries, message_ids)
            select $2, $3, array_agg(u.message_id order by u.place)
            from unnest($1::uuid[]) with ordinality as u(message_id, place)
            group by (u.place - 1) / $4 order by (u.place - 1) / $4
            """,
            message_ids,
            ready_at,
            tries,
            1 if tries else TEXTS_PER_SET_MAX,
        )


async def take(unit: Unit, moment: datetime, texts_max: int, *, again: bool) -> dict[UUID, int]:
    """Take sets that are due, the oldest first, out of the queue; (message: tries).

    At least one set, and no more than hold so many texts. `again` takes what was refused before,
    else the others are taken.
    """
    rows = await unit.fetch(
        """
        with due as (
            select ctid as place,
                   sum(cardinality(message_ids)) over (order by ready_at, set_no) as texts,
                   row_number() over (order by ready_at, set_no) as number
            from ready where again = $3 and ready_at <= $1
            order by ready_at, set_no limit $2)
        delete from ready
        where ctid = any (array(select place from due where texts <= $2 or number = 1))
        returning ready_at, set_no, tries, message_ids
        """,
        moment,
        texts_max,
        again,
    )
    rows.sort(key=lambda row: (row["ready_at"], row["set_no"]))
    return {message_id: row["tries"] for row in rows for message_id in row["message_ids"]}


async def material(unit: Unit, message_ids: Sequence[UUID]) -> list[Material]:
    """Give what the texts are made of, in the order asked."""
    rows = await unit.fetch(f"{MATERIAL} order by u.place", message_ids)
    return [Material(*row) for row in rows]


async def material_of_unknown(unit: Unit, message_ids: Sequence[UUID]) -> list[Material]:
    """Give what those texts are made of whose fate the provider has not told."""
    rows = await unit.fetch(f"{MATERIAL} where g.state = 'unknown' order by u.place", message_ids)
    return [Material(*row) for row in rows]


async def move(
    unit: Unit,
    message_ids: Sequence[UUID],
    state: MessageState,
    *,
    code: str | None = None,
    sent_at: datetime | None = None,
) -> set[UUID]:
    """Move messages that are on their way to another state; give those that were not."""
    if not message_ids:
        return set()
    # Mostly all of them were, so those that were not are the shorter answer.
    rows = await unit.fetch(
        """
        with moved as (
            update message set state = $2, code = $3, sent_at = $4
            where message_id = any($1) and state in ('ready', 'submitting', 'unknown')
            returning message_id)
        select message_id from unnest($1::uuid[]) as u(message_id)
        where not exists (select from moved m where m.message_id = u.message_id)
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
