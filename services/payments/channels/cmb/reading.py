"""What the bank's answers say in our nouns; what contradicts itself is not believed."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.channels.base import Answer, LineAnswer, Outcome, Result
from services.payments.channels.cmb import words
from services.payments.errors import ResultUnusable
from services.payments.model.statements import DayStatement, Movement, MovementKind

# The shape of the numbers that we give; what strangers write in their place may be anything.
_OURS: Final = re.compile(r"[0-9a-f]{1,40}")


def batch(head: words.BatchHead, details: Sequence[words.Detail]) -> Result | Answer:
    """Say what became of a batch that is finished, from its sums and all its lines."""
    lines = [_line(detail) for detail in details]
    if len({line.instruction_id for line in lines}) != len(lines):
        raise ResultUnusable
    paid = [line for line in lines if line.outcome is Outcome.DONE]
    if _sums(paid) != (int(head.succnt), fen(head.sucamt)):
        raise ResultUnusable
    if head.rtnflg == "R" and all(detail.stscod == "A" for detail in details):
        # Not one of them was taken up: they need not even be listed.
        return Answer(Outcome.REFUSED, head.rtnflg)
    if _sums(lines) != (int(head.ttlcnt), fen(head.ttlamt)):
        raise ResultUnusable
    agrees = {"S": len(paid) == len(lines), "F": not paid, "R": not paid, "P": True}
    if head.rtnflg not in agrees:
        return in_process(head)
    if not agrees[head.rtnflg]:
        raise ResultUnusable
    return Result(lines, final=True)


def in_process(head: words.BatchHead) -> Answer:
    """There is no result yet, or one in a word that we do not know."""
    return Answer(Outcome.UNKNOWN, f"{head.reqsta} {head.rtnflg}".strip())


def _sums(lines: Sequence[LineAnswer]) -> tuple[int, int]:
    return len(lines), sum(line.amount_fen for line in lines)


def _line(detail: words.Detail) -> LineAnswer:
    line = LineAnswer(detail.cprref, fen(detail.trsamt), Outcome.UNKNOWN, bank_code=detail.errcod)
    match detail.stscod:
        case "S" if detail.bksn:
            return line._replace(
                outcome=Outcome.DONE,
                bank_code="",
                bank_serial=detail.bksn,
                paid_on=_day(detail.bkdat),
            )
        case "S":
            raise ResultUnusable
        case "E" if detail.errcod == words.BOOKED_BEFORE:
            return line._replace(moved_before=True)
        case "E":
            reason = words.reason_of(detail.errcod) or "OTHER"
            return line._replace(outcome=Outcome.REFUSED, reason=reason)
        case _:
            return line


def movements(bookings: Sequence[words.Booking], behind: str) -> list[Movement]:
    """Read a page of the account, oldest first and each line once.

    The bank may repeat lines or mix them up: its numbers put them in order again. Two lines that
    differ under one number spoil the page, and so does a line that was not asked for.
    """
    found: dict[int, Movement] = {}
    for booking in bookings:
        line = _movement(booking)
        if found.setdefault(int(booking.bksn), line) != line:
            raise ResultUnusable
    if any(number <= int(behind or 0) for number in found):
        raise ResultUnusable
    return [found[number] for number in sorted(found)]


def _movement(booking: words.Booking) -> Movement:
    amount_fen = fen(booking.trsamt)
    # A line that is not understood cannot be left out: the books would not add up.
    if booking.trstyp not in words.KINDS or not amount_fen:
        raise ResultUnusable
    kind, direction = words.KINDS[booking.trstyp]
    if direction != words.DIRECTIONS.get(booking.amtcdr):
        raise ResultUnusable
    return Movement(
        bank_ref=booking.bksn,
        booked_on=_day(booking.bkdat),
        direction=direction,
        amount_fen=amount_fen,
        kind=kind,
        batch_no=_ours(booking.yurref),
        instruction_id=_ours(booking.cprref),
        bank_code=booking.errcod,
        reason=words.reason_of(booking.errcod),
        party=PersonName(booking.rpynam),
        party_account=CardNumber(booking.rpyacc),
        remark=booking.naryur,
    )


def lacks_why(line: Movement) -> bool:
    """Tell whether money came back and the account does not say whose, or why."""
    came_back = line.kind in (MovementKind.RETURN, MovementKind.REVERSAL)
    return came_back and not (line.bank_code and line.instruction_id)


def with_why(line: Movement, returns: Mapping[str, words.GivenBack]) -> Movement:
    """Add what the list of returns says of a line."""
    found = returns.get(line.bank_ref)
    if found is None or not lacks_why(line):
        return line
    instruction_id = _ours(found.cprref)
    if fen(found.trsamt) != line.amount_fen or line.instruction_id not in ("", instruction_id):
        raise ResultUnusable
    code = line.bank_code or found.errcod
    return line._replace(
        batch_no=line.batch_no or _ours(found.yurref),
        instruction_id=instruction_id,
        bank_code=code,
        reason=words.reason_of(code),
    )


def statement(day: date, head: words.DayHead, lines: Sequence[Movement]) -> DayStatement:
    """Put a day together: what it opened with and its lines must give what it closed with."""
    opening_fen, closing_fen = fen(head.opnbal), fen(head.clsbal)
    if opening_fen + sum(line.signed_fen for line in lines) != closing_fen:
        raise ResultUnusable
    if any(line.booked_on != day for line in lines):
        raise ResultUnusable
    return DayStatement(day, opening_fen, closing_fen, lines)


def fen(yuan: str) -> Fen:
    return Fen(int(yuan.replace(".", "")))


def _ours(text: str) -> str:
    return text if _OURS.fullmatch(text) else ""


def _day(text: str) -> date:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise ResultUnusable from None
