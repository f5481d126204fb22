"""All SQL about who is a member and what covers them; sets in, sets out."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Final, NamedTuple
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


MEMBER_COLUMNS: Final = (
    "member_id",
    "identity_index",
    "unit_code",
    "salt",
    "version",
    "born",
    "sex",
    "groups",
)
COVERAGE_COLUMNS: Final = (
    "coverage_id",
    "member_id",
    "scheme_id",
    "starts_on",
    "ends_on",
    "units",
    "version",
)


class Known(NamedTuple):
    """The version of a member that is known, and what rules ask of them by it."""

    version: int
    person: Person


async def lock_known(unit: Unit, member_ids: Collection[UUID]) -> dict[UUID, Known]:
    """Lock the members that are known, in the order that every batch keeps."""
    rows = await unit.fetch(
        """
        select member_id, version, born, sex, groups from member
        where member_id = any($1) order by member_id for no key update
        """,
        list(member_ids),
    )
    return {
        row["member_id"]: Known(
            row["version"], Person(row["born"], row["sex"], tuple(row["groups"]))
        )
        for row in rows
    }


async def put_members(
    unit: Unit, members: Sequence[Registered], known: Mapping[UUID, Known], recipient: str
) -> list[UUID]:
    """Keep who can be found by which identity number; a newer version replaces an older one.

    `known` are those of them that are locked. Gives the known of whom rules learn something else.
    """
    newest = {m.event.member_id: m for m in sorted(members, key=lambda m: m.event.version)}
    ordered = sorted(newest.values(), key=attrgetter("event.member_id.int"))
    new = [m for m in ordered if m.event.member_id not in known]
    later = [
        m
        for m in ordered
        if m.event.member_id in known and known[m.event.member_id].version < m.event.version
    ]
    # Most are new, and a COPY costs half of what asking row by row for conflicts does. One who is
    # made meanwhile by another transaction fails it, and is known when the set is tried in halves.
    if new:
        rows = [
            (
                event.member_id,
                event.identity_index,
                event.unit_code,
                event.salts[recipient],
                event.version,
                person.born,
                person.sex,
                person.groups,
            )
            for event, person in new
        ]
        await unit.copy("member", MEMBER_COLUMNS, rows)
    if later:
        await _restate(unit, later, recipient)
    return [m.event.member_id for m in later if known[m.event.member_id].person != m.person]


async def _restate(unit: Unit, members: Sequence[Registered], recipient: str) -> None:
    await unit.execute(
        """
        update member m
        set identity_index = n.identity_index, unit_code = n.unit_code, salt = n.salt,
            version = n.version, born = n.born, sex = n.sex,
            groups = string_to_array(n.groups, ' ')
        from unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[], $5::int[], $6::date[],
                    $7::text[], $8::text[])
             as n(member_id, identity_index, unit_code, salt, version, born, sex, groups)
        where m.member_id = n.member_id
        """,
        [m.event.member_id for m in members],
        [m.event.identity_index for m in members],
        [m.event.unit_code for m in members],
        [m.event.salts[recipient] for m in members],
        [m.event.version for m in members],
        [m.person.born for m in members],
        [m.person.sex for m in members],
        [" ".join(m.person.groups) for m in members],
    )


async def put_coverages(unit: Unit, events: Sequence[CoverageActivated]) -> list[CoverageActivated]:
    """Keep who is covered; give those that changed something."""
    newest = {event.coverage_id: event for event in sorted(events, key=lambda e: e.version)}
    ordered = sorted(newest.values(), key=attrgetter("member_id.int", "coverage_id.int"))
    rows = await unit.fetch(
        "select coverage_id from coverage where member_id = any($1)",
        [event.member_id for event in ordered],
    )
    known = {row["coverage_id"] for row in rows}
    # As with members: new ones by COPY, and a set that fails for one made meanwhile is tried again.
    new = [event for event in ordered if event.coverage_id not in known]
    if new:
        await unit.copy("coverage", COVERAGE_COLUMNS, [_cover_row(event) for event in new])
    later = [event for event in ordered if event.coverage_id in known]
    return [*new, *(await _restate_covers(unit, later) if later else [])]


def _cover_row(event: CoverageActivated) -> tuple[object, ...]:
    return (
        event.coverage_id,
        event.member_id,
        event.scheme_id,
        event.starts_on,
        event.ends_on,
        event.units,
        event.version,
    )


async def _restate_covers(
    unit: Unit, events: Sequence[CoverageActivated]
) -> list[CoverageActivated]:
    """Write what is newer than what is known; give it."""
    rows = await unit.fetch(
        """
        update coverage c
        set starts_on = n.starts_on, ends_on = n.ends_on, units = n.units, version = n.version
        from unnest($1::uuid[], $2::uuid[], $3::date[], $4::date[], $5::int[], $6::int[])
             as n(member_id, coverage_id, starts_on, ends_on, units, version)
        where c.member_id = n.member_id and c.coverage_id = n.coverage_id
          and c.version < n.version
        returning c.coverage_id
        """,
        [event.member_id for event in events],
        [event.coverage_id for event in events],
        [event.starts_on for event in events],
        [event.ends_on for event in events],
        [event.units for event in events],
        [event.version for event in events],
    )
    written = {row["coverage_id"] for row in rows}
    return [event for event in events if event.coverage_id in written]


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
