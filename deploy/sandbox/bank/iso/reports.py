"""What the bank reports on orders: taken in or refused at once, the outcome when it is booked."""

import asyncio
from collections.abc import Iterable

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.batches import Outcome, Received
from deploy.sandbox.bank.iso import pain002, spoil
from deploy.sandbox.bank.iso.folder import Folder
from deploy.sandbox.bank.iso.notes import Kind, Memory, Reported, received
from deploy.sandbox.bank.iso.pain002 import Line, Report
from deploy.sandbox.clock import now, stamp
from deploy.sandbox.faults import Faults, IsoReportFault

DUPLICATE = "AM05"
LAST_SECOND = "T23:59:59+08:00"


class Reports:
    def __init__(self, bank: Bank, folder: Folder, faults: Faults) -> None:
        self._bank = bank
        self._folder = folder
        self._faults = faults

    async def answer(self, memory: Memory, order_id: str, order: Received) -> None:
        """Say how things stand with an order that has come, for the first time or again."""
        match order.status:
            case "refused":
                code, words = order.code or "", order.reason or ""
                await self._say(memory, order_id, "refused", code=code, words=words)
            case "closed":
                await self._say(memory, order_id, "final")
            case _:
                await self._say(memory, order_id, "taken")

    async def refuse_duplicate(self, memory: Memory, order_id: str, words: str) -> None:
        await self._say(memory, order_id, "duplicate", code=DUPLICATE, words=words)

    async def finish(self, memory: Memory) -> None:
        """Report on every order whose last line has been decided."""
        for order_id in list(memory.unfinished):
            if received(self._bank, order_id).status == "closed":
                fault = self._faults.take(IsoReportFault)
                await self._say(memory, order_id, "final", fault=fault)
                if fault and fault.kind in spoil.PUT_RIGHT:
                    await self._say(memory, order_id, "final")

    async def write(self, reported: Reported, fault: IsoReportFault | None = None) -> None:
        """Write the file of a report; without a fault its content follows from its note."""
        await asyncio.to_thread(self._write, reported, fault)

    async def _say(
        self,
        memory: Memory,
        order_id: str,
        kind: Kind,
        *,
        code: str = "",
        words: str = "",
        fault: IsoReportFault | None = None,
    ) -> None:
        at = stamp(now())
        if kind == "final":
            day = await asyncio.to_thread(self._booking_day, order_id)
            # The date of the report is the day of booking, also where it is written later.
            at = at if at.startswith(day) else f"{day}{LAST_SECOND}"
        number = memory.last_reports.get(order_id, 0) + 1
        reported = Reported(order_id, number, at, kind, code, words)
        while self._folder.has(reported.name):
            reported.number += 1
        await memory.keep(reported)
        await self.write(reported, fault)

    def _write(self, reported: Reported, fault: IsoReportFault | None) -> None:
        report = Report(reported.order_id, reported.number, reported.at, pain002.REFUSED)
        report.code, report.words = reported.code, reported.words
        lines: Iterable[Line] = ()
        if reported.kind == "taken":
            report.status = pain002.ACCEPTED
        elif reported.kind == "final":
            order = received(self._bank, reported.order_id)
            report.status = _status(order)
            lines = map(_line, self._bank.outcomes(order))
        if fault:
            report, lines = spoil.report(fault.kind, report, lines)
        pieces = pain002.pieces(report, lines)
        self._folder.put(reported.name, spoil.text(fault.kind, pieces) if fault else pieces)

    def _booking_day(self, order_id: str) -> str:
        """Give the day (ISO) of the last line that was booked, or today."""
        outcomes = self._bank.outcomes(received(self._bank, order_id))
        day = max((one.day for one in outcomes if one.booked), default=f"{now():%Y%m%d}")
        return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def _status(order: Received) -> str:
    if not order.refused_lines:
        return pain002.SETTLED
    return pain002.PARTLY if order.booked else pain002.REFUSED


def _line(outcome: Outcome) -> Line:
    return Line(
        instruction_id=outcome.instruction_id,
        amount_fen=outcome.amount_fen,
        status=pain002.SETTLED if outcome.booked else pain002.REFUSED,
        code="" if outcome.booked else pain002.BY_DIGITS[outcome.code],
        words=outcome.words,
        serial=outcome.serial,
    )
