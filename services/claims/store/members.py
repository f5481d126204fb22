"""All SQL about who is a member and what covers them; sets in, sets out."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.claims.model import Person
from services.claims.store.settlements import Claim, claim_of
from services.common.contracts.enrollment import CoverageActivated, MemberRegistered
from services.common.kit.db import Unit


class Registered(NamedTuple):
    """A member as enrollment told of one, with what rules ask, opened."""

    event: MemberRegistered
    person: Person


class Cover(NamedTuple):
    """By what scheme a member is covered, and since when."""

    member_id: UUID
    scheme_id: str
    starts_on: date


async def put_members(unit: Unit, members: Sequence[Registered], recipient: str) -> list[UUID]:
    """Keep who can be found by which identity number; a newer version replaces an older one.

    Gives those who were known, and of whom rules learn something else now.
    """
    newest = {m.event.member_id: m for m in sorted(members, key=lambda m: m.event.version)}
    ordered = [newest[member_id] for member_id in sorted(newest)]
    rows = await unit.fetch(
        """
        with known as (select member_id, born, sex, groups from member where member_id = any($1)),
        put as (
            insert into member
                (member_id, identity_index, unit_code, salt, version, born, sex, groups)
            select u.member_id, u.identity_index, u.unit_code, u.salt, u.version, u.born, u.sex,
                   string_to_array(u.groups, ' ')
            from unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[], $5::int[], $6::date[],
                        $7::text[], $8::text[])
                 as u(member_id, identity_index, unit_code, salt, version, born, sex, groups)
            on conflict (member_id) do update
            set identity_index = excluded.identity_index, unit_code = excluded.unit_code,
                salt = excluded.salt, version = excluded.version, born = excluded.born,
                sex = excluded.sex, groups = excluded.groups
            where member.version < excluded.version
            returning member_id, born, sex, groups
        )
        select member_id from put join known using (member_id)
        where (put.born, put.sex, put.groups) is distinct from (known.born, known.sex, known.groups)
        """,
        [m.event.member_id for m in ordered],
        [m.event.identity_index for m in ordered],
        [m.event.unit_code for m in ordered],
        [m.event.salts[recipient] for m in ordered],
        [m.event.version for m in ordered],
        [m.person.born for m in ordered],
        [m.person.sex for m in ordered],
        [" ".join(m.person.groups) for m in ordered],
    )
    return [row["member_id"] for row in rows]


async def put_coverages(unit: Unit, events: Sequence[CoverageActivated]) -> list[CoverageActivated]:
    """Keep who is covered; give those that changed something."""
    newest = {event.coverage_id: event for event in sorted(events, key=lambda e: e.version)}
    ordered = [newest[coverage_id] for coverage_id in sorted(newest)]
    rows = await unit.fetch(
        """
        insert into coverage
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[], $5::date[],
                             $6::int[], $7::int[])
        on conflict (coverage_id) do update
        set starts_on = excluded.starts_on, ends_on = excluded.ends_on, units = excluded.units,
            version = excluded.version
        where coverage.version < excluded.version
        returning coverage_id
        """,
        [event.coverage_id for event in ordered],
        [event.member_id for event in ordered],
        [event.scheme_id for event in ordered],
        [event.starts_on for event in ordered],
        [event.ends_on for event in ordered],
        [event.units for event in ordered],
        [event.version for event in ordered],
    )
    return [newest[row["coverage_id"]] for row in rows]


async def covers(unit: Unit, members: Sequence[UUID]) -> list[Cover]:
    rows = await unit.fetch(
        "select member_id, scheme_id, starts_on from coverage where member_id = any($1)", members
    )
    return [Cover(*row) for row in rows]


async def judged_before(unit: Unit, covers: Sequence[Cover]) -> list[Claim]:
    """Find the claims on days of these covers that were judged without what is known now."""
    rows = await unit.fetch(
        """
        select s.*
        from (select member_id, min(starts_on) as starts_on
              from unnest($1::uuid[], $2::date[]) as c(member_id, starts_on)
              group by member_id) u
        join settlement s on s.member_id = u.member_id and s.incurred_on >= u.starts_on
        where s.status in ('settled', 'rejected') and not s.refund
        order by s.incurred_on, s.claim_id
        """,
        [cover.member_id for cover in covers],
        [cover.starts_on for cover in covers],
    )
    return [claim_of(row) for row in rows]
