"""What is said to whom: messages, those that wait for an address, those that may go.

A message's row is written once. Where it has no `state`, its call tells how far it is; a state, a
code, a moment or a receipt of its own stands for what the call does not tell.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from services.common.ids import new_ids
from services.common.kit.db import Row, Unit
from services.notify.model import (
    Material,
    MessageState,
    Notice,
    Placed,
    TemplateName,
)
from services.notify.store import contacts, dispatches
from services.notify.store.dispatches import Queued, Receipt

# `OWN` and `VERSIONS`, as they were read or as they are being written; more may follow.
MaterialRow = Row | tuple[Any, ...]
NOTICE: Final = """
    message_id, member_id, payout_id, attempt_no, template, recipient_no, payee_version, amount_fen,
    reason, booked_on, days
    """
# What a text says by itself, then what tells whose sealed values it says besides.
OWN: Final = (
    "message_id",
    "member_id",
    "payout_id",
    "attempt_no",
    "template",
    "recipient_no",
    "amount_fen",
    "reason",
    "booked_on",
    "days",
    "created_at",
)
VERSIONS: Final = ("contact_version", "payee_version", "unit_code", "officers_version")
COLUMNS: Final = (*OWN, *VERSIONS, "state", "dispatch_id")
MATERIAL: Final = f"select {', '.join((*OWN, *VERSIONS))} from message where message_id = any($1)"  # noqa: S608 - constant columns
WHOSE: Final = itemgetter(OWN.index("member_id"), *range(len(OWN), len(OWN) + len(VERSIONS)))


async def write(
    unit: Unit, placed: Sequence[Placed], moment: datetime, texts_per_call: int
) -> tuple[set[UUID], Mapping[UUID, Sequence[MaterialRow]]]:
    """Write new messages, and the address into those that waited for it; all else stands.

    What has its address is put into calls, which are queued; what has none joins those that wait.
    Gives the ids of the messages that are new or have stopped waiting, and of each call the rows
    that are new.
    """
    if not placed:
        return set(), {}
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
    calls = _calls([*new, *addressed], texts_per_call)
    call_of = {key: call.dispatch_id for call in calls for key in call.message_ids}
    rows = [_row(one, moment, call_of) for one in new]
    await unit.copy("message", COLUMNS, rows)
    await _address(unit, addressed, call_of)
    await _wait(unit, [one for one in new if one.state is MessageState.AWAITING_CONTACT])
    await dispatches.queue(unit, calls, moment)
    of_call: defaultdict[UUID, list[MaterialRow]] = defaultdict(list)
    for row in rows:
        if (call_id := row[-1]) is not None:
            of_call[call_id].append(row)
    return {one.notice.message_id for one in [*new, *addressed]}, of_call


def _calls(placed: Sequence[Placed], texts_per_call: int) -> list[Queued]:
    """Put what may go into calls of one template each."""
    company: defaultdict[TemplateName, list[UUID]] = defaultdict(list)
    for one in placed:
        if one.state is MessageState.READY:
            company[one.notice.template].append(one.notice.message_id)
    sets: list[tuple[TemplateName, list[UUID]]] = [
        (template, together[start : start + texts_per_call])
        for template, together in company.items()
        for start in range(0, len(together), texts_per_call)
    ]
    return [
        Queued(dispatch_id, template, message_ids)
        for dispatch_id, (template, message_ids) in zip(new_ids(len(sets)), sets, strict=True)
    ]


def _message_id(one: Placed) -> int:
    # As a number it sorts in a fifth of the time.
    return one.notice.message_id.int


def _row(one: Placed, moment: datetime, call_of: Mapping[UUID, UUID]) -> tuple[Any, ...]:
    notice, state = one.notice, one.state
    return (
        notice.message_id,
        notice.member_id,
        notice.payout_id,
        notice.attempt_no,
        notice.template,
        notice.recipient_no,
        notice.amount_fen,
        notice.reason,
        notice.booked_on,
        notice.days,
        moment,
        one.contact_version,
        notice.payee_version,
        one.unit_code,
        one.officers_version,
        None if state is MessageState.READY else state,
        call_of.get(notice.message_id),
    )


async def _states(unit: Unit, message_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """Lock those of the messages that there are, and give the states of their own.

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


async def _address(unit: Unit, placed: Sequence[Placed], call_of: Mapping[UUID, UUID]) -> None:
    """Write down where messages go that have waited for it."""
    if not placed:
        return
    await unit.execute(
        """
        update message g
        set state = u.state, contact_version = u.contact_version, unit_code = u.unit_code,
            officers_version = u.officers_version, dispatch_id = u.dispatch_id
        from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[], $6::uuid[])
             as u(message_id, state, contact_version, unit_code, officers_version, dispatch_id)
        where g.message_id = u.message_id
        """,
        [one.notice.message_id for one in placed],
        [None if one.state is MessageState.READY else one.state for one in placed],
        [one.contact_version for one in placed],
        [one.unit_code for one in placed],
        [one.officers_version for one in placed],
        [call_of.get(one.notice.message_id) for one in placed],
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


async def material(unit: Unit, message_ids: Sequence[UUID]) -> list[Material]:
    """Give what the texts are made of, in the order asked."""
    rows = await material_rows(unit, message_ids)
    found = {one.message_id: one for one in await with_sealed(unit, rows)}
    return [found[key] for key in message_ids if key in found]


async def material_rows(unit: Unit, message_ids: Sequence[UUID]) -> Sequence[MaterialRow]:
    """Give what the texts say by themselves, in any order."""
    return await unit.fetch(MATERIAL, message_ids) if message_ids else []


async def material_of_open(
    unit: Unit, dispatch_id: UUID, message_ids: Sequence[UUID]
) -> list[Material]:
    """Give what those texts of a call are made of that have come to no end of their own yet."""
    rows = await unit.fetch(
        f"{MATERIAL} and dispatch_id = $2 and state is null", message_ids, dispatch_id
    )
    return await with_sealed(unit, rows)


async def with_sealed(unit: Unit, rows: Sequence[MaterialRow]) -> list[Material]:
    """Read what is sealed, once for each member, and give the materials in the rows' order."""
    whose = [WHOSE(row) for row in rows]
    distinct = list(dict.fromkeys(whose))
    sealed = dict(zip(distinct, await contacts.sealed(unit, distinct), strict=True))
    return [
        Material(*row[: len(OWN)], sealed=sealed[key]) for row, key in zip(rows, whose, strict=True)
    ]


async def still_open(
    unit: Unit, dispatch_ids: Sequence[UUID], message_ids: Sequence[UUID]
) -> set[UUID]:
    """Give those of the messages that are in one of the calls and at no end of their own yet."""
    rows = await unit.fetch(
        """
        select message_id from message
        where message_id = any($2) and dispatch_id = any($1) and state is null
        """,
        dispatch_ids,
        message_ids,
    )
    return {row["message_id"] for row in rows}


async def end(
    unit: Unit,
    message_ids: Sequence[UUID],
    state: MessageState,
    *,
    code: str | None = None,
    sent_at: datetime | None = None,
) -> None:
    """Write down an end that is not their call's."""
    if message_ids:
        await unit.execute(
            """
            update message set state = $2, code = $3, sent_at = $4
            where message_id = any($1) and state is null
            """,
            message_ids,
            state,
            code,
            sent_at,
        )


async def send_again(unit: Unit, calls: Sequence[Queued], ready_at: datetime, code: str) -> None:
    """Have refused texts go in other calls; `code` is why they were refused."""
    if not calls:
        return
    await dispatches.queue(unit, calls, ready_at)
    await unit.execute(
        """
        update message g set dispatch_id = u.dispatch_id, code = $3
        from unnest($1::uuid[], $2::uuid[]) as u(message_id, dispatch_id)
        where g.message_id = u.message_id and g.state is null
        """,
        [key for call in calls for key in call.message_ids],
        [call.dispatch_id for call in calls for _ in call.message_ids],
        code,
    )


async def save_receipts(unit: Unit, receipts: Sequence[tuple[UUID, Receipt]]) -> None:
    """Keep the newest receipts of texts that are in another call by now."""
    await dispatches.save_newest(unit, "message", "message_id", receipts)
