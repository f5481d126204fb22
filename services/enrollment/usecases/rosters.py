"""Rosters: received, begun, taken in chunk by chunk, and told about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from services.common.ids import new_ids
from services.common.kit.auth import Caller
from services.common.kit.db import Unit
from services.common.kit.halving import halved
from services.common.kit.logs import get_logger
from services.common.kit.sealing import new_salt
from services.enrollment import rules
from services.enrollment.errors import MemberAppeared, RosterMoved, UnknownRoster
from services.enrollment.model import (
    Chunk,
    FileCode,
    Refusal,
    Roster,
    RosterRow,
    RosterStatus,
    RowCode,
)
from services.enrollment.rules import Change
from services.enrollment.store import members, rosters
from services.enrollment.usecases import announcements
from services.enrollment.usecases.desk import Desk

log = get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of rows: those refused here failed for a reason of their own, not of the unit."""

    accepted: int
    unchanged: int
    refusals: tuple[Refusal, ...]
    events: int

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.accepted + other.accepted,
            self.unchanged + other.unchanged,
            self.refusals + other.refusals,
            self.events + other.events,
        )


def sealed_file(desk: Desk, roster_id: UUID) -> tuple[Path, str]:
    """Name the file of a roster, and the label it is bound to."""
    return desk.rosters_dir / f"{roster_id}.sealed", f"roster:{roster_id}"


async def accept_rosters(desk: Desk, received: Sequence[Roster]) -> None:
    """Take rosters on, whose files lie sealed on the disk already."""
    async with desk.database.begin() as unit:
        await rosters.add(unit, received)
        unit.wakes.add(desk.roster_arrived)


async def show_roster(
    desk: Desk, roster_id: UUID, caller: Caller, errors_shown_max: int
) -> tuple[Roster, list[Refusal]]:
    """Tell how far a roster is; it is done once whoever hears so can rely on its events."""
    async with desk.database.begin() as unit:
        roster = await rosters.find(unit, roster_id)
        if roster is None or not caller.sees_unit(roster.unit_code):
            raise UnknownRoster
        refusals = await rosters.first_refusals(unit, roster_id, errors_shown_max)
        if roster.status is RosterStatus.DONE and not await rosters.relayed(unit, roster_id):
            roster = replace(roster, status=RosterStatus.RUNNING)
    return roster, refusals


async def next_roster(desk: Desk) -> Roster | None:
    async with desk.database.begin() as unit:
        return await rosters.next_open(unit)


async def begin_roster(desk: Desk, roster: Roster, encoding: str, rows: int) -> Roster:
    """Note what its file is, so that a restart reads the same."""
    return await _save(desk, roster, roster.begun(encoding, rows))


async def refuse_roster(desk: Desk, roster: Roster, code: FileCode) -> Roster:
    return await _save(desk, roster, roster.refused_whole(code))


async def _save(desk: Desk, before: Roster, after: Roster) -> Roster:
    async with desk.database.begin() as unit:
        await _lock_as(unit, before)
        await rosters.save(unit, after)
    return after


async def _lock_as(unit: Unit, roster: Roster) -> None:
    """Lock the roster, which must stand where this worker left it."""
    if await rosters.lock(unit, roster.roster_id) != roster:
        raise RosterMoved


async def take_chunk(desk: Desk, roster: Roster, chunk: Chunk) -> Roster:
    """Enroll the rows of a chunk; facts, events, refusals and progress are one transaction."""
    async with desk.database.begin() as unit:
        await _lock_as(unit, roster)
        outcome = await _enroll_what_can_be(unit, desk, roster, chunk.rows)
        refusals = (*chunk.refusals, *outcome.refusals)
        after = roster.advanced(
            accepted=outcome.accepted,
            unchanged=outcome.unchanged,
            refused=chunk.count - outcome.accepted - outcome.unchanged,
        )
        await rosters.add_refusals(unit, roster.roster_id, refusals)
        await rosters.save(unit, after, published=outcome.events > 0)
    return after


async def _enroll_what_can_be(
    unit: Unit, desk: Desk, roster: Roster, rows: Sequence[RosterRow]
) -> Outcome:
    """Enroll the rows; where one of them cannot be, refuse it and enroll the rest."""

    async def whole(some: Sequence[RosterRow]) -> Outcome:
        return await _enroll(unit, desk, roster, some)

    def alone(row: RosterRow, failure: Exception) -> Outcome:
        log.error("roster.row_failed", roster_id=roster.roster_id, error=failure)
        return Outcome(0, 0, (Refusal(row.row, "", RowCode.NOT_PROCESSED),), 0)

    parts = await halved(unit, rows, whole, alone, for_the_unit=(MemberAppeared,))
    return sum(parts, start=Outcome(0, 0, (), 0))


async def _enroll(unit: Unit, desk: Desk, roster: Roster, rows: Sequence[RosterRow]) -> Outcome:
    """Lock whom the rows name, work out what changes, write it by set and tell of it in order."""
    changes = await _changes(unit, desk, roster, rows)
    await _write(unit, desk, changes)
    events = announcements.of_changes(desk.vault, changes)
    await unit.publish(events)
    return Outcome(len(changes), len(rows) - len(changes), (), len(events))


async def _changes(
    unit: Unit, desk: Desk, roster: Roster, rows: Sequence[RosterRow]
) -> list[Change]:
    """Give what really changes, in the order of the members' ids."""
    vault = desk.vault
    indexes = [vault.identity.of(row.person.id_number.open()) for row in rows]
    known = await members.lock_by_identity(unit, vault, indexes)
    fresh = iter(new_ids(len(rows) - len(known)))
    changes: list[Change] = []
    for row, index in zip(rows, indexes, strict=True):
        before = known.get(index)
        if before is None:
            after = rules.newcomer(
                row,
                roster.unit_code,
                roster.starts_on,
                member_id=next(fresh),
                identity_index=index,
                salt=new_salt(),
            )
        else:
            after = rules.enrolled(before, row, roster.unit_code, roster.starts_on)
        if after is not before:
            changes.append(Change(before, after))
    return sorted(changes, key=lambda change: change.after.member_id)


async def _write(unit: Unit, desk: Desk, changes: Sequence[Change]) -> None:
    vault = desk.vault
    new = [change.after for change in changes if change.before is None]
    changed = [change.after for change in changes if change.before is not None]
    rung = [
        (change.before, change.after)
        for change in changes
        if change.before is not None and change.before.person.phone != change.after.person.phone
    ]
    await members.add(unit, vault, new)
    await members.save(unit, vault, changed)
    await members.drop_phones(unit, vault, [(b.member_id, b.person.phone) for b, _ in rung])
    await members.add_phones(unit, vault, [(a.member_id, a.person.phone) for _, a in rung])
    coverages = [(c.after.member_id, coverage) for c in changes for coverage in c.coverages]
    await members.add_coverages(unit, [(m, c) for m, c in coverages if c.version == 1])
    await members.save_coverages(unit, [(m, c) for m, c in coverages if c.version > 1])
