"""A bank that does what the test tells it, behind the same interface as the real channels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.common.money import Fen
from services.payments.channels.base import Answer, LineAnswer, Outcome, Payer, Result
from services.payments.channels.p1_file import P1File
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee
from services.payments.model.statements import DayStatement, Movement, Movements

DAY = date(2026, 11, 22)


@dataclass
class Line:
    """A line as the bank has it: what it decides is told in the result."""

    instruction_id: str
    card: str
    name: str
    amount_fen: int
    outcome: Outcome = Outcome.UNKNOWN
    bank_code: str = ""
    reason: str = ""

    def pay(self) -> None:
        self.outcome = Outcome.DONE

    def refuse(self, reason: str = "NAME_DIFFERS") -> None:
        self.outcome, self.bank_code, self.reason = Outcome.REFUSED, "0001", reason

    def answer(self) -> LineAnswer:
        return LineAnswer(
            self.instruction_id,
            Fen(self.amount_fen),
            self.outcome,
            self.bank_code,
            self.reason,
            bank_serial=f"S{self.instruction_id}" if self.outcome is Outcome.DONE else "",
            paid_on=DAY if self.outcome is Outcome.DONE else None,
        )


@dataclass
class ToldBank:
    """Keeps files by name; books nothing that it was not told to."""

    writer: P1File
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    lines: dict[str, list[Line]] = field(default_factory=dict[str, list[Line]])
    sent: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    # What happens to the next uploads; when the list is used up, all is well.
    request_lost: int = 0
    answer_lost: int = 0
    file_refused: str = ""
    # What the bank says beside its lines, and whether it has closed its batches.
    spoil: Callable[[Sequence[LineAnswer]], Sequence[LineAnswer]] = tuple
    closed: bool = False
    pays_at_once: bool = False
    lines_max: int = 1_000
    # What has been booked on the account of the payer, oldest first.
    moved: list[Movement] = field(default_factory=list[Movement])
    opening_fen: int = 0

    def check(self, payee: Payee) -> None:
        self.writer.check(payee)

    def fix(self, batch_id: UUID, day: date, instructions: Sequence[Instruction]) -> BatchFile:
        return self.writer.fix(batch_id, day, instructions)

    async def submit(self, file: BatchFile) -> Answer:
        self.sent.append((file.name, file.content))
        if self.file_refused:
            return Answer(Outcome.REFUSED, self.file_refused)
        if self.request_lost:
            self.request_lost -= 1
            return Answer(Outcome.UNKNOWN, "PEER_UNREACHABLE")
        known = self.files.setdefault(file.name, file.content)
        assert known == file.content, "other bytes under the same name"
        lines = self.lines.setdefault(file.name, _lines_of(file.content))
        if self.pays_at_once:
            for line in lines:
                line.pay()
        if self.answer_lost:
            self.answer_lost -= 1
            return Answer(Outcome.UNKNOWN, "PEER_ANSWER_LOST")
        return Answer(Outcome.DONE)

    async def result(self, batch_no: str, file_name: str) -> Result | Answer:
        assert batch_no in file_name
        if file_name not in self.lines:
            return Answer(Outcome.UNKNOWN, "NOT_FOUND")
        answers = self.spoil([line.answer() for line in self.lines[file_name]])
        whole = len(answers) == len(self.lines[file_name])
        return Result(answers, final=self.closed or whole)

    async def movements(self, mark: str) -> Movements:
        behind = [line for line in self.moved if int(line.bank_ref) > int(mark or 0)]
        return Movements(behind, behind[-1].bank_ref if behind else mark)

    async def statement(self, day: date, *, upto_now: bool = False) -> DayStatement | None:
        before = sum(line.signed_fen for line in self.moved if line.booked_on < day)
        lines = [line for line in self.moved if line.booked_on == day]
        opening = self.opening_fen + before
        closing = opening + sum(line.signed_fen for line in lines)
        if not (lines or upto_now):
            return None
        return DayStatement(day, Fen(opening), Fen(closing), lines)

    @property
    def all_lines(self) -> list[Line]:
        return [line for lines in self.lines.values() for line in lines]

    @property
    def booked_fen(self) -> int:
        return sum(line.amount_fen for line in self.all_lines if line.outcome is Outcome.DONE)


PAYER = Payer("110000000001", "职工互助会", "UNION01", "职工医疗互助金")


def _lines_of(content: bytes) -> list[Line]:
    _header, *lines, end = content.decode("gb18030").split("\r\n")
    assert end == ""
    fields = [line.split("|") for line in lines]
    return [Line(f[8], f[1], f[2], int(f[3].replace(".", ""))) for f in fields]
