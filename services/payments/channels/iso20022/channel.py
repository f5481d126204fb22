"""A bank that is spoken to in ISO 20022 files, by a folder that both sides share."""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import BinaryIO, Final, TypeVar
from uuid import UUID

from services.payments.channels.base import Answer, Outcome, Payer, Result
from services.payments.channels.folder import DropFolder, Print
from services.payments.channels.iso20022 import camt, pain001, pain002
from services.payments.channels.iso20022.documents import BYTES_MAX
from services.payments.errors import ResultUnusable
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee
from services.payments.model.statements import DayStatement, Movement, Movements

Read = TypeVar("Read")

FOLDER_FAILED: Final = Answer(Outcome.UNKNOWN, "FOLDER_FAILED")
NAME_TAKEN: Final = Answer(Outcome.UNKNOWN, "NAME_TAKEN", number_taken=True)
NOT_FOUND: Final = Answer(Outcome.UNKNOWN, "NOT_FOUND", not_found=True)

_REPORT: Final = re.compile(r"PAIN002_([0-9]{1,20})_([0-9]{1,18})\.xml")
_NOTICE: Final = re.compile(r"CAMT054_([0-9]{6,32})_([0-9]{10})\.xml")
# So many movements are enough for a page; a notice is never cut in two.
_PAGE_LINES: Final = 1_000


class Iso20022:
    """A `BankChannel`; `cnaps` is the clearing number of the payer's bank, 12 digits."""

    lines_max: int = 100_000

    def __init__(self, payer: Payer, folder: DropFolder, cnaps: str) -> None:
        self._payer = payer
        self._folder = folder
        self._cnaps = cnaps
        # Files that could not be used; another one in their place is looked at anew.
        self._unusable: dict[str, Print] = {}

    def check(self, payee: Payee) -> None:
        pain001.check(payee)

    def fix(self, batch_id: UUID, day: date, instructions: Sequence[Instruction]) -> BatchFile:
        order = pain001.Order(batch_id, self._payer, self._cnaps, day)
        name = f"PAIN001_{self._payer.unit}_{day:%Y%m%d}_{order.batch_no}.xml"
        return BatchFile(order.batch_no, name, pain001.render(order, instructions))

    async def submit(self, file: BatchFile) -> Answer:
        return await asyncio.to_thread(self._submit, file)

    async def result(self, batch_no: str, file_name: str) -> Result | Answer:
        return await asyncio.to_thread(self._result, batch_no, file_name)

    async def movements(self, mark: str) -> Movements | None:
        """Give the movements of the notices behind the mark, which is a notice's number."""
        return await asyncio.to_thread(self._movements, mark)

    async def statement(self, day: date, *, upto_now: bool = False) -> DayStatement | None:
        return await asyncio.to_thread(self._statement, day, upto_now=upto_now)

    def _submit(self, file: BatchFile) -> Answer:
        try:
            if not self._folder.lies_there(file.name):
                self._folder.put(file.name, file.content)
            elif not self._folder.holds(file.name, file.content):
                return NAME_TAKEN
            return pain002.whole(self._reports(file.batch_no))
        except OSError:
            return FOLDER_FAILED
        except ResultUnusable as unusable:
            return Answer(Outcome.UNKNOWN, unusable.code)

    def _result(self, batch_no: str, file_name: str) -> Result | Answer:
        try:
            reports = self._reports(batch_no)
            if not reports and not self._folder.lies_there(file_name):
                return NOT_FOUND
            answer = pain002.whole(reports)
            if answer.outcome is not Outcome.DONE:
                return answer
            if not any(report.tells_of_transfers for report in reports):
                return pain002.NOT_READY
            # What was sent: a report may speak of transfers that it does not list.
            with self._folder.opened_ours(file_name, BYTES_MAX) as source:
                sent = pain001.amounts(source)
        except OSError:
            return FOLDER_FAILED
        return pain002.result(reports, sent)

    def _reports(self, batch_no: str) -> list[pain002.Report]:
        """Read the reports on a batch in the order of their numbers; raises `ResultUnusable`."""
        numbered = [
            (int(found[2]), found[0])
            for found in map(_REPORT.fullmatch, self._folder.names())
            if found and found[1] == batch_no
        ]
        read = [
            self._read(name, lambda source: pain002.parse(source, batch_no))
            for _, name in sorted(numbered)
        ]
        return [report for report in read if report is not None]

    def _movements(self, mark: str) -> Movements | None:
        lines: list[Movement] = []
        try:
            for number, name in self._notices_behind(int(mark or 0)):
                read = self._read(
                    name, lambda source: camt.parse_notice(source, self._payer.account)
                )
                if read is None:
                    continue
                lines += read
                mark = f"{number:010d}"
                if len(lines) >= _PAGE_LINES:
                    break
        except OSError:
            return None
        return Movements(lines, mark)

    def _notices_behind(self, number: int) -> list[tuple[int, str]]:
        """List the notices on the account behind a number, in order and without a hole.

        A listing may miss what is put while it is made, and yet show what is put after that. So
        the second one goes only as far as the first: up to there everything had been put.
        """
        last = max(self._notices(), default=(0, ""))
        return sorted(one for one in self._notices() if number < one[0] and one <= last)

    def _notices(self) -> list[tuple[int, str]]:
        return [
            (int(found[2]), found[0])
            for found in map(_NOTICE.fullmatch, self._folder.names())
            if found and found[1] == self._payer.account
        ]

    def _statement(self, day: date, *, upto_now: bool) -> DayStatement | None:
        account = self._payer.account
        try:
            read = self._read(
                f"CAMT053_{account}_{day:%Y%m%d}.xml",
                lambda source: camt.parse_statement(source, account, day),
            )
        except OSError:
            return None
        if read is None or (read.made_on <= day and not upto_now):
            # What was made before the day was over is the day so far.
            return None
        return read.statement

    def _read(self, name: str, parse: Callable[[BinaryIO], Read]) -> Read | None:
        """Read a file of the bank's; None where it has been found unusable before.

        Raises `ResultUnusable` when that is found out, so that it is said once and not each time.
        """
        here = self._folder.print_of(name)
        if self._unusable.get(name) == here:
            return None
        try:
            with self._folder.opened(name, BYTES_MAX) as source:
                return parse(source)
        except ResultUnusable:
            self._unusable[name] = here
            raise
