"""Scheme files of a union's own: drafted, compared, published by a second person, kept for ever."""

import asyncio
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import asyncpg
from msgspec.structs import replace

from services.claims.backtest.changes import Compared, changed_figures, past_touched
from services.claims.errors import (
    BacktestMissing,
    CasesDisagree,
    DraftOutdated,
    EditionChangesThePast,
    SamePerson,
    UnknownDraft,
    UnknownScheme,
)
from services.claims.rules.trial import Tried, try_cases
from services.claims.store import backtest as backtests
from services.claims.store import editions as store
from services.claims.store.editions import Draft, Edition
from services.claims.usecases.desk import Shelf
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.db import Database
from services.common.kit.logs import get_logger
from services.common.schemes.checks import faults_between
from services.common.schemes.errors import SchemeFigureMissing, SchemeUnknown
from services.common.schemes.lines import Text
from services.common.schemes.load import SchemeFileRefused, read
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook
from services.common.schemes.terms import terms_on

log = get_logger()


class Standing(NamedTuple):
    """A scheme as it is in force, the number of its edition (0 is the release's), what it lacks."""

    scheme: Scheme
    number: int
    lacks: tuple[str, ...]


class History(NamedTuple):
    """What was published of a scheme, and what was drafted, newest first."""

    editions: Sequence[Edition]
    drafts: Sequence[Draft]


async def refresh(database: Database, shelf: Shelf) -> bool:
    """Put the editions that were published on the shelf; say whether there was a new one.

    Raises `SchemeFileRefused` where this release cannot read one: nobody is paid by a file that
    was replaced.
    """
    async with database.begin() as unit:
        if await store.newest_numbers(unit) == shelf.numbers:
            return False
        editions = await store.newest(unit)
    schemes = {scheme.scheme_id: scheme for scheme in shelf.rulebook}
    files = dict(shelf.files)
    for edition in editions:
        if shelf.numbers.get(edition.scheme_id) != edition.number:
            content = edition.content.encode()
            schemes[edition.scheme_id] = await asyncio.to_thread(_read, content, edition.scheme_id)
            files[edition.scheme_id] = content
            log.info("edition.in_force", scheme_id=edition.scheme_id, edition=edition.number)
    shelf.rulebook = Rulebook(schemes.values())
    shelf.files = files
    shelf.numbers = {edition.scheme_id: edition.number for edition in editions}
    return True


def standing(shelf: Shelf, scheme_id: str) -> Standing:
    """Show a scheme as it stands today; raises `UnknownScheme`."""
    scheme = _scheme(shelf.rulebook, scheme_id)
    lacks = dict.fromkeys(scheme.missing)
    for benefit in scheme.benefits:
        try:
            terms_on(scheme, benefit, clock.today())
        except SchemeFigureMissing as missing:
            lacks[missing.figure] = None
    return Standing(scheme, shelf.numbers.get(scheme_id, 0), tuple(lacks))


def all_standing(shelf: Shelf) -> list[Standing]:
    return [standing(shelf, scheme.scheme_id) for scheme in shelf.rulebook]


async def history(database: Database, scheme_id: str, drafts_max: int) -> History:
    async with database.begin() as unit:
        editions = await store.of_scheme(unit, scheme_id)
        return History(editions, await store.newest_drafts(unit, scheme_id, drafts_max))


async def draft(
    database: Database, shelf: Shelf, scheme_id: str, content: str, author: UUID
) -> tuple[Draft, Compared]:
    """Keep a changed scheme file; raises `SchemeFileRefused` with the line that is at fault."""
    in_force = shelf.rulebook
    _scheme(in_force, scheme_id)
    drafted = Draft(
        draft_id=new_id(),
        scheme_id=scheme_id,
        content=content,
        base_sha256=sha256(shelf.files[scheme_id]).digest(),
        drafted_by=author,
        drafted_at=clock.now(),
    )
    compared = await asyncio.to_thread(_compare, drafted, in_force)
    async with database.begin() as unit:
        await store.add_draft(unit, drafted)
    return drafted, compared


async def seen(
    database: Database, shelf: Shelf, scheme_id: str, draft_id: UUID
) -> tuple[Draft, Compared]:
    """Show a draft beside what is in force now; raises `UnknownDraft`."""
    async with database.begin() as unit:
        drafted = await store.draft(unit, draft_id)
    if drafted is None or drafted.scheme_id != scheme_id:
        raise UnknownDraft
    return drafted, await asyncio.to_thread(_compare, drafted, shelf.rulebook)


async def publish(
    database: Database, shelf: Shelf, scheme_id: str, draft_id: UUID, publisher: UUID
) -> Edition:
    """Put a draft in force from its first day on; of two who publish at once one wins.

    Raises `UnknownDraft`, `SamePerson`, `BacktestMissing`, `DraftOutdated`, `EditionChangesThePast`
    and `CasesDisagree`.
    """
    await refresh(database, shelf)
    drafted, compared = await seen(database, shelf, scheme_id, draft_id)
    if publisher == drafted.drafted_by:
        raise SamePerson
    async with database.begin() as unit:
        tried = await backtests.newest_done(unit, draft_id)
    if tried is None or tried.report is None:
        raise BacktestMissing
    if drafted.base_sha256 != sha256(shelf.files[scheme_id]).digest():
        raise DraftOutdated
    if compared.past:
        raise EditionChangesThePast(compared.past)
    if compared.disagreeing:
        raise CasesDisagree(sorted({case.case_id for case in compared.disagreeing}))
    edition = Edition(
        scheme_id=scheme_id,
        number=shelf.numbers.get(scheme_id, 0) + 1,
        draft_id=draft_id,
        content=drafted.content,
        first_day=compared.first_day,
        drafted_by=drafted.drafted_by,
        drafted_at=drafted.drafted_at,
        published_by=publisher,
        published_at=clock.now(),
        backtest_id=tried.backtest_id,
        report=tried.report,
    )
    try:
        async with database.begin() as unit:
            await store.add(unit, edition)
    except asyncpg.UniqueViolationError as taken:
        raise DraftOutdated from taken
    log.info("edition.published", scheme_id=scheme_id, edition=edition.number)
    await refresh(database, shelf)
    return edition


def read_draft(content: bytes, scheme_id: str, in_force: Rulebook) -> Scheme:
    """Read a draft, and look at it among the other schemes; raises `SchemeFileRefused`."""
    scheme = _read(content, scheme_id)
    for owner, fault in faults_between(list(_beside(scheme, in_force))):
        if owner == scheme_id:
            line = Text(content).line(fault.path)
            raise SchemeFileRefused(_file(scheme_id), line, fault.reason)
    return scheme


def _compare(drafted: Draft, in_force: Rulebook) -> Compared:
    scheme_id = drafted.scheme_id
    before = in_force.scheme(scheme_id)
    after = read_draft(drafted.content.encode(), scheme_id, in_force)
    return Compared(
        changed_figures(before, after),
        [case for case in _tried(drafted, after, in_force) if not case.agrees],
        past_touched(before, after, clock.today()),
    )


def _tried(drafted: Draft, scheme: Scheme, in_force: Rulebook) -> Iterator[Tried]:
    """Try the worked cases of a draft; one that cannot be tried has its line in the refusal."""
    rulebook = _beside(scheme, in_force)
    for at, case in enumerate(scheme.cases):
        try:
            yield from list(try_cases(replace(scheme, cases=(case,)), rulebook))
        except Exception as error:
            # What a claim of a case says is read when it is tried, and may be anything.
            line = Text(drafted.content.encode()).line(f"$.cases[{at}]")
            reason = f"{case.id} cannot be tried: {error or type(error).__name__}"
            raise SchemeFileRefused(_file(scheme.scheme_id), line, reason) from error


def _beside(draft: Scheme, in_force: Rulebook) -> Rulebook:
    """Put a draft in the place of the scheme that it is of."""
    others = [scheme for scheme in in_force if scheme.scheme_id != draft.scheme_id]
    return Rulebook([draft, *others])


def _scheme(rulebook: Rulebook, scheme_id: str) -> Scheme:
    try:
        return rulebook.scheme(scheme_id)
    except SchemeUnknown as unknown:
        raise UnknownScheme from unknown


def _read(content: bytes, scheme_id: str) -> Scheme:
    return read(content, _file(scheme_id))


def _file(scheme_id: str) -> str:
    return f"{scheme_id}.yaml"
