"""Who can be written to: salts, contacts, card tails and officers, sealed as they came."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar
from uuid import UUID

import msgspec

from services.common.contracts.enrollment import (
    ContactChanged,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.event import MemberEvent
from services.common.kit.db import Unit
from services.notify.model import Sealed

RECIPIENT = "notify"

E = TypeVar("E", bound=MemberEvent)

# Of two versions the newer stays with the member; the older, told or replaced, goes beside it.
SAVE: Final = """
    with told as (
        select * from unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[], $5::int[],
                             $6::bytea[], $7::int[], $8::bytea[])
                      as u(member_id, version, unit_code, salt, contact_version, contact,
                           payee_version, tail)
    ), contacts as (
        insert into contact
        select member_id, least(m.contact_version, u.contact_version),
               case when m.contact_version < u.contact_version then m.contact else u.contact end
        from told u join member m using (member_id)
        where m.contact_version <> u.contact_version
        on conflict do nothing
    ), tails as (
        insert into card_tail
        select member_id, least(m.payee_version, u.payee_version),
               case when m.payee_version < u.payee_version then m.tail else u.tail end
        from told u join member m using (member_id)
        where m.payee_version <> u.payee_version
        on conflict do nothing
    )
    insert into member as m select * from told
    on conflict (member_id) do update
    set (version, unit_code, salt) = (
            select f.* from (values (m.version, m.unit_code, m.salt),
                                    (excluded.version, excluded.unit_code, excluded.salt)) as f
            order by 1 desc nulls last limit 1),
        (contact_version, contact) = (
            select f.* from (values (m.contact_version, m.contact),
                                    (excluded.contact_version, excluded.contact)) as f
            order by 1 desc nulls last limit 1),
        (payee_version, tail) = (
            select f.* from (values (m.payee_version, m.tail),
                                    (excluded.payee_version, excluded.tail)) as f
            order by 1 desc nulls last limit 1)
    where excluded.version > coalesce(m.version, 0)
       or excluded.contact_version > coalesce(m.contact_version, 0)
       or excluded.payee_version > coalesce(m.payee_version, 0)
    """


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


async def save_people(
    unit: Unit,
    registered: Sequence[MemberRegistered],
    changed: Sequence[ContactChanged],
    paid_to: Sequence[PayeeChanged],
) -> None:
    """Keep the newest of each fact with its member, and all older contacts and tails beside."""
    members, contacts, tails = _newest(registered), _newest(changed), _newest(paid_to)
    member_ids = sorted({*members, *contacts, *tails})
    if not member_ids:
        return
    about = [(members.get(key), contacts.get(key), tails.get(key)) for key in member_ids]
    await unit.execute(
        SAVE,
        member_ids,
        [member and member.version for member, _, _ in about],
        [member and member.unit_code for member, _, _ in about],
        [member and member.salts.get(RECIPIENT) for member, _, _ in about],
        [contact and contact.version for _, contact, _ in about],
        [contact and contact.contact for _, contact, _ in about],
        [payee and payee.version for _, _, payee in about],
        [payee and payee.tail for _, _, payee in about],
    )
    older_contacts = [one for one in changed if one is not contacts[one.member_id]]
    older_payees = [one for one in paid_to if one is not tails[one.member_id]]
    await _keep_older(
        unit, "contact", [(one.member_id, one.version, one.contact) for one in older_contacts]
    )
    await _keep_older(
        unit, "card_tail", [(one.member_id, one.version, one.tail) for one in older_payees]
    )


async def _keep_older(
    unit: Unit, table: Literal["contact", "card_tail"], rows: Sequence[tuple[UUID, int, bytes]]
) -> None:
    if rows:
        await unit.execute(
            f"insert into {table} select * from unnest($1::uuid[], $2::int[], $3::bytea[])"  # noqa: S608 - one of two names
            " on conflict do nothing",
            *map(list, zip(*rows, strict=True)),
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


async def sealed(
    unit: Unit, whose: Sequence[tuple[UUID, int | None, int, str | None, int | None]]
) -> list[Sealed]:
    """Give what is sealed of each, in the order asked.

    Each names a member, the versions of their contact and card, and the unit's code and the version
    of its list of officers.
    """
    if not whose:
        return []
    rows = await unit.fetch(
        """
        select m.salt,
               case when m.contact_version = u.contact_version then m.contact
                    else (select sealed from contact c
                          where c.member_id = u.member_id and c.version = u.contact_version)
               end as contact,
               case when m.payee_version = u.payee_version then m.tail
                    else (select sealed from card_tail t
                          where t.member_id = u.member_id and t.payee_version = u.payee_version)
               end as tail,
               o.unit_id, o.sealed as officers
        from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::int[]) with ordinality
             as u(member_id, contact_version, payee_version, unit_code, officers_version, place)
        left join member m on m.member_id = u.member_id
        left join unit_officers o
               on o.unit_code = u.unit_code and o.version = u.officers_version
        order by u.place
        """,
        *map(list, zip(*whose, strict=True)),
    )
    return [Sealed(*row) for row in rows]


async def known(
    unit: Unit, cards: Collection[tuple[UUID, int]]
) -> Mapping[tuple[UUID, int], Known]:
    """Tell what is known of each (member, payee version)."""
    asked = list(cards)
    rows = await unit.fetch(
        """
        select m.unit_code, m.salt is not null as has_salt, m.contact_version,
               coalesce(m.payee_version = u.payee_version, false)
               or exists (select from card_tail t
                          where t.member_id = u.member_id and t.payee_version = u.payee_version)
                  as has_tail
        from unnest($1::uuid[], $2::int[]) with ordinality as u(member_id, payee_version, place)
        left join member m on m.member_id = u.member_id
        order by u.place
        """,
        [member_id for member_id, _ in asked],
        [payee_version for _, payee_version in asked],
    )
    return {card: Known(*row) for card, row in zip(asked, rows, strict=True)}


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


def _newest(events: Sequence[E]) -> dict[UUID, E]:
    """Give the newest event of each member."""
    newest: dict[UUID, E] = {}
    for event in events:
        known = newest.get(event.member_id)
        if known is None or known.version < event.version:
            newest[event.member_id] = event
    return newest
