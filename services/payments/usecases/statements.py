"""What the banks have booked comes in by itself: movements as they happen, days as they end."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from services.common.identity import CardNumber, PersonName
from services.common.ids import derived_id
from services.common.kit import clock
from services.common.kit.clock import BUSINESS_ZONE
from services.common.kit.db import Unit
from services.common.kit.logs import get_logger
from services.common.kit.sealing import UNSALTED
from services.payments.model.months import ONE_DAY
from services.payments.model.payouts import BankException, Named, instruction_id, named_by
from services.payments.model.statements import DayStatement, Movement, MovementKind
from services.payments.rules.matching import OF_OURS, names_nothing
from services.payments.store import lines, odd, statements
from services.payments.store.lines import Facts, NewLine
from services.payments.usecases.desk import RECIPIENT, Desk

log = get_logger()

PARTY_FIELD: Final = "bank_line"
# One transaction's worth of a large statement.
ROWS_MAX: Final = 2_000
# So many pages a turn: a bank that never comes to an end is left for the next one.
PAGES_MAX: Final = 100
# What a statement lacks may still stand in one of the next.
GRACE: Final = timedelta(days=3)
EXCEPTIONS_MAX: Final = 1_000
# What strangers may have written and no database keeps.
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")


class Party(msgspec.Struct):
    """Who is on the other side of a line."""

    name: str
    account: str


async def read_accounts(desk: Desk) -> None:
    """Ask every bank what it has booked since it was asked last, and for the days that are over."""
    settings, now = desk.settings, clock.now()
    funds = list(desk.channels)
    async with desk.database.begin() as unit:
        marks = await statements.marks(unit, funds)
        due = await statements.due(
            unit,
            funds,
            clock.today() - ONE_DAY,
            now - timedelta(seconds=settings.statement_ask_s),
            now,
        )
    await asyncio.gather(
        *(
            _read_account(desk, fund_id, mark, [one for one in due if one.fund_id == fund_id])
            for fund_id, mark in marks.items()
        )
    )


async def _read_account(desk: Desk, fund_id: str, mark: str, due: Sequence[statements.Due]) -> None:
    """Read on in one account; what cannot be used is not believed, and asked for again."""
    try:
        await _read_movements(desk, fund_id, mark)
    except Exception as failure:  # noqa: BLE001 - whatever one bank says, the others are read
        log.warning("account.unusable", fund_id=fund_id, error=failure)
    for _, day in due:
        try:
            statement = await desk.channels[fund_id].statement(day)
            if statement is not None:
                await take_statement(desk, fund_id, statement)
        except Exception as failure:  # noqa: BLE001 - one day; the others are read
            log.warning("account.unusable", fund_id=fund_id, day=day, error=failure)


async def _read_movements(desk: Desk, fund_id: str, mark: str) -> None:
    for _ in range(PAGES_MAX):
        page = await desk.channels[fund_id].movements(mark)
        if page is None or page.mark == mark:
            return
        async with desk.database.begin() as unit:
            await keep_lines(desk, unit, fund_id, page.lines)
            await statements.move_mark(unit, fund_id, mark, page.mark)
        mark = page.mark


async def take_statement(desk: Desk, fund_id: str, statement: DayStatement) -> None:
    """Keep a day of an account with all its lines, and list what does not go with the rest."""
    day, at = statement.day, clock.now()
    for start in range(0, len(statement.lines), ROWS_MAX):
        async with desk.database.begin() as unit:
            await keep_lines(desk, unit, fund_id, statement.lines[start : start + ROWS_MAX])
    refs = [line.bank_ref for line in statement.lines]
    async with desk.database.begin() as unit:
        if not await statements.keep(unit, fund_id, statement, at):
            return
        absent = await statements.told_but_absent(unit, fund_id, day, refs)
        await _note_changed(unit, fund_id, absent, at)
        account = derived_id("bank statement", fund_id)
        broken = [
            (account, BankException("balance_breaks", odd_day.isoformat()))
            for odd_day in await statements.breaks(unit, fund_id, day)
        ]
        await _note(unit, broken, at)
        await _note_unshown(unit, fund_id, statement, at)
    log.info("account.day_read", fund_id=fund_id, day=day, lines=len(refs))


async def _note_unshown(unit: Unit, fund_id: str, statement: DayStatement, at: datetime) -> None:
    """List what was paid and stands neither in its day's statement nor in the next ones."""
    paid_until = statement.day - GRACE
    unshown = await statements.unshown(unit, fund_id, paid_until, EXCEPTIONS_MAX)
    missing = [
        (batch_id, BankException("missing_in_statement", instruction_id(*named) if named else ""))
        for batch_id, named in unshown
    ]
    await _note(unit, missing, at)
    closed_before = datetime.combine(paid_until, datetime.min.time(), BUSINESS_ZONE)
    await statements.confirm_unpaid(unit, fund_id, closed_before, at)


async def keep_lines(desk: Desk, unit: Unit, fund_id: str, told: Sequence[Movement]) -> None:
    """Keep each line once, whichever way it came; list what the bank tells in two ways."""
    once: dict[str, Movement] = {}
    changed = {
        line.bank_ref
        for line in told
        if Facts.of(once.setdefault(line.bank_ref, line)) != Facts.of(line)
    }
    known = await lines.known(unit, fund_id, list(once))
    changed |= {ref for ref, facts in known.items() if facts != Facts.of(once[ref])}
    at = clock.now()
    fresh = [line for ref, line in once.items() if ref not in known]
    new = await lines.insert(unit, fund_id, await _name(desk, unit, fund_id, fresh), at)
    if new:
        log.info("account.read", fund_id=fund_id, count=new)
    await _note_changed(unit, fund_id, list(changed), at)


async def _name(desk: Desk, unit: Unit, fund_id: str, fresh: Sequence[Movement]) -> list[NewLine]:
    """Find out of what each line speaks, as far as it says so, and seal who is behind it."""
    if not fresh:
        return []
    batches = await lines.batches_numbered(unit, fund_id, {line.batch_no for line in fresh})
    named = {line.bank_ref: named_by(line.instruction_id) for line in fresh}
    ours = await lines.batches_of(unit, fund_id, {one for one in named.values() if one})
    return [
        _new_line(desk, fund_id, line, named[line.bank_ref], batches=batches, ours=ours)
        for line in fresh
    ]


def _new_line(
    desk: Desk,
    fund_id: str,
    line: Movement,
    named: Named | None,
    *,
    batches: Mapping[str, UUID],
    ours: Mapping[Named, UUID],
) -> NewLine:
    line_id = derived_id("bank line", fund_id, line.bank_ref)
    batch_id = None
    # A fee may name the transfer it was taken for, and is none of its bookings.
    if line.instruction_id and line.kind in OF_OURS:
        batch_id = ours.get(named) if named else None
    elif line.kind is MovementKind.PAYOUT:
        batch_id = batches.get(line.batch_no)
    return NewLine(
        line_id,
        line._replace(bank_code=_kept(line.bank_code), remark=_kept(line.remark)),
        _seal(desk, line_id, line),
        batch_id,
        named if batch_id else None,
        names_nothing(line, known=batch_id is not None),
    )


def _kept(text: str) -> str:
    return _UNKEPT.sub("\ufffd", text)


def _seal(desk: Desk, line_id: UUID, line: Movement) -> bytes:
    party = Party(_kept(line.party.open()), _kept(line.party_account.open()))
    if not (party.name or party.account):
        return b""
    return desk.sealer.seal(RECIPIENT, PARTY_FIELD, line_id, UNSALTED, msgspec.json.encode(party))


def open_party(desk: Desk, line_id: UUID, sealed: bytes) -> tuple[PersonName, CardNumber]:
    """Open who is behind a line; both empty where the bank does not say."""
    if not sealed:
        return PersonName(""), CardNumber("")
    content = desk.opener.open(PARTY_FIELD, line_id, UNSALTED, sealed)
    party = msgspec.json.decode(content, type=Party)
    return PersonName(party.name), CardNumber(party.account)


async def _note_changed(unit: Unit, fund_id: str, refs: Sequence[str], at: datetime) -> None:
    if refs:
        stopped = await lines.changed(unit, fund_id, refs)
        changed = [(stopped[ref], BankException("changed_line", ref)) for ref in stopped]
        await _note(unit, changed, at)


async def _note(unit: Unit, found: Sequence[tuple[UUID, BankException]], at: datetime) -> None:
    new = await odd.note_all(unit, found, at) if found else 0
    if new:
        log.warning("bank.exception", kind=found[0][1].kind, count=new)
