"""Who can be written to: salts, contacts, card tails and officers, sealed as they came."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import msgspec

from services.common.contracts.enrollment import (
    ContactChanged,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.event import Event
from services.common.kit.db import Unit

RECIPIENT = "notify"

E = TypeVar("E", bound=Event)


class Known(msgspec.Struct, frozen=True, gc=False):
    """What is known of one member; None or False where it has not come yet."""

    unit_code: str | None
    has_salt: bool
    contact_version: int | None
    has_tail: bool


@dataclass(frozen=True, slots=True)
class Officers:
    """The newest list of a unit's officers, sealed."""

    unit_id: UUID
    version: int
    sealed: bytes


async def save_members(unit: Unit, events: Sequence[MemberRegistered]) -> None:
    if not events:
        return
    newest = _newest(events)
    await unit.execute(
        """
        insert into member
        select * from unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[])
        on conflict (member_id) do update
        set version = excluded.version, unit_code = excluded.unit_code, salt = excluded.salt
        where member.version < excluded.version
        """,
        [event.member_id for event in newest],
        [event.version for event in newest],
        [event.unit_code for event in newest],
        [event.salts.get(RECIPIENT) for event in newest],
    )


async def save_contacts(unit: Unit, events: Sequence[ContactChanged]) -> None:
    if not events:
        return
    await unit.execute(
        """
        insert into contact select * from unnest($1::uuid[], $2::int[], $3::bytea[])
        on conflict do nothing
        """,
        [event.member_id for event in events],
        [event.version for event in events],
        [event.contact for event in events],
    )


async def save_tails(unit: Unit, events: Sequence[PayeeChanged]) -> None:
    if not events:
        return
    await unit.execute(
        """
        insert into card_tail select * from unnest($1::uuid[], $2::int[], $3::bytea[])
        on conflict do nothing
        """,
        [event.member_id for event in events],
        [event.version for event in events],
        [event.tail for event in events],
    )


async def save_officers(unit: Unit, events: Sequence[OfficersChanged]) -> None:
    if not events:
        return
    await unit.execute(
        """
        insert into unit_officers
        select * from unnest($1::text[], $2::int[], $3::uuid[], $4::bytea[])
        on conflict do nothing
        """,
        [event.unit_code for event in events],
        [event.version for event in events],
        [event.unit_id for event in events],
        [event.officers for event in events],
    )


async def known(unit: Unit, cards: Sequence[tuple[UUID, int]]) -> list[Known]:
    """Tell what is known of each (member, payee version), in the order asked."""
    rows = await unit.fetch(
        """
        select m.unit_code, m.salt is not null as has_salt, c.version as contact_version,
               t.member_id is not null as has_tail
        from unnest($1::uuid[], $2::int[]) with ordinality as u(member_id, payee_version, place)
        left join member m on m.member_id = u.member_id
        left join lateral (
            select version from contact where member_id = u.member_id
            order by version desc limit 1
        ) c on true
        left join card_tail t
               on t.member_id = u.member_id and t.payee_version = u.payee_version
        order by u.place
        """,
        [member_id for member_id, _ in cards],
        [payee_version for _, payee_version in cards],
    )
    return [Known(*row) for row in rows]


async def officers_of(unit: Unit, unit_codes: Collection[str]) -> Mapping[str, Officers]:
    """Give the newest list of each unit that has sent one."""
    if not unit_codes:
        return {}
    rows = await unit.fetch(
        """
        select distinct on (unit_code) unit_code, unit_id, version, sealed
        from unit_officers where unit_code = any($1) order by unit_code, version desc
        """,
        list(unit_codes),
    )
    return {
        row["unit_code"]: Officers(row["unit_id"], row["version"], row["sealed"]) for row in rows
    }


async def unit_of(unit: Unit, member_id: UUID) -> str | None:
    """Give the unit's code of a member, None where the member is not known."""
    return await unit.fetchval("select unit_code from member where member_id = $1", member_id)


def _newest(events: Sequence[E]) -> list[E]:
    """Keep the newest event of each aggregate, in the order of their keys."""
    newest: dict[UUID, E] = {}
    for event in events:
        known = newest.get(event.aggregate_id)
        if known is None or known.version < event.version:
            newest[event.aggregate_id] = event
    return [newest[key] for key in sorted(newest)]
