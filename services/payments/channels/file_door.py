"""The bank's file door over HTTP, for every file profile: in goes a file, out come its answers."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import ClassVar, Final
from uuid import UUID

from services.common.kit import http
from services.common.kit.http import AnswerLost, Client, Unreachable
from services.payments.channels.base import (
    Answer,
    Outcome,
    Payer,
    Result,
    batch_no_of,
    check_payee,
)
from services.payments.channels.csv_statement import read_movements, read_statement
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee
from services.payments.model.statements import DayStatement, Movements

# A file that the bank has looked through and refused whole.
_FILE_REFUSED: Final = re.compile(r"F[0-9]{3}")


class FileDoor(ABC):
    """A `BankChannel`; the profiles built on it say what their files look like."""

    # What the names of its files begin with.
    prefix: ClassVar[str]
    lines_max: int

    def __init__(self, payer: Payer, client: Client) -> None:
        self._payer = payer
        self._client = client

    @abstractmethod
    def render(self, batch_no: str, day: date, instructions: Sequence[Instruction]) -> bytes:
        """Write the batch file with its control totals; the payees have passed `check`."""

    @abstractmethod
    def parse(self, batch_no: str, content: bytes) -> Result:
        """Read a result file whole, or raise `ResultUnusable`: cut short it proves nothing."""

    def check(self, payee: Payee) -> None:
        check_payee(payee)

    def fix(self, batch_id: UUID, day: date, instructions: Sequence[Instruction]) -> BatchFile:
        batch_no = batch_no_of(batch_id)
        name = f"{self.prefix}_{self._payer.unit}_{day:%Y%m%d}_{batch_no}.txt"
        return BatchFile(batch_no, name, self.render(batch_no, day, instructions))

    async def submit(self, file: BatchFile) -> Answer:
        try:
            answer = await self._client.request(
                "PUT", f"/bank/files/{file.name}", content=file.content
            )
        except (Unreachable, AnswerLost) as lost:
            return Answer(Outcome.UNKNOWN, lost.code)
        if answer.status in (HTTPStatus.OK, HTTPStatus.CREATED):
            return Answer(Outcome.DONE)
        return _refused_whole(answer)

    async def result(self, batch_no: str, file_name: str) -> Result | Answer:
        found = await self._result_file(batch_no, file_name)
        if found.final if isinstance(found, Result) else not found.not_found:
            return found
        batch = await self._get(f"/bank/batches/{batch_no}")
        if isinstance(found, Answer):
            # No result yet is one thing, no such batch another.
            unheard_of = batch is not None and batch.status == HTTPStatus.NOT_FOUND
            return found._replace(not_found=unheard_of)
        # Lines are missing: they were not taken if they are missing once the bank has closed.
        if batch is None or batch.status != HTTPStatus.OK or _word(batch, "status") != "closed":
            return found
        found = await self._result_file(batch_no, file_name)
        if isinstance(found, Result):
            return found._replace(final=True)
        return found._replace(not_found=False)

    async def movements(self, mark: str) -> Movements | None:
        path = f"/bank/accounts/{self._payer.account}/movements.csv"
        answer = await self._get(path, after=mark or "0")
        if answer is None or answer.status != HTTPStatus.OK:
            return None
        return read_movements(answer.body, mark)

    async def statement(self, day: date, *, upto_now: bool = False) -> DayStatement | None:
        path = f"/bank/accounts/{self._payer.account}/statements/{day:%Y%m%d}.csv"
        answer = await self._get(path, **({"upto": "now"} if upto_now else {}))
        if answer is None or answer.status != HTTPStatus.OK:
            return None
        return await asyncio.to_thread(read_statement, answer.body, day)

    async def _result_file(self, batch_no: str, file_name: str) -> Result | Answer:
        """Fetch the result file; `not_found` says here that there is none (yet)."""
        try:
            answer = await self._client.request("GET", f"/bank/files/{file_name}.ret")
        except (Unreachable, AnswerLost) as lost:
            return Answer(Outcome.UNKNOWN, lost.code)
        if answer.status == HTTPStatus.OK:
            # 100,000 lines take the better part of a second: the loop goes on meanwhile.
            return await asyncio.to_thread(self.parse, batch_no, answer.body)
        missing = answer.status == HTTPStatus.NOT_FOUND
        return _refused_whole(answer)._replace(not_found=missing)

    async def _get(self, path: str, **params: str) -> http.Answer | None:
        """Ask what may be asked as often as one likes; None where nothing whole comes back."""
        try:
            return await self._client.request("GET", path, params=params)
        except (Unreachable, AnswerLost):
            return None


def _refused_whole(answer: http.Answer) -> Answer:
    """Read a refusal of the whole file; anything but the bank's own word for it is not known."""
    code = _word(answer, "code")
    if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and _FILE_REFUSED.fullmatch(code):
        return Answer(Outcome.REFUSED, code)
    taken = answer.status == HTTPStatus.CONFLICT
    return Answer(Outcome.UNKNOWN, code or str(int(answer.status)), number_taken=taken)


def _word(answer: http.Answer, field: str) -> str:
    try:
        body = answer.json()
        word = body.get(field)
    except (ValueError, AttributeError):
        return ""
    return word[:32] if isinstance(word, str) else ""
