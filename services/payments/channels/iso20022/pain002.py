"""Reads status reports (pain.002.001.12), and what those of one batch come to together."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import BinaryIO, Final, NamedTuple

from services.common.money import Fen
from services.payments.channels.base import Answer, LineAnswer, Outcome, Result
from services.payments.channels.iso20022.documents import Part, fen, made_on, need, parts
from services.payments.channels.iso20022.reasons import DUPLICATE, reason
from services.payments.errors import ResultUnusable

MESSAGE: Final = "pain.002.001.12"
_TRANSFER: Final = "OrgnlPmtInfAndSts/TxInfAndSts"
_PAYMENT_ID: Final = "OrgnlPmtInfAndSts/OrgnlPmtInfId"

RECEIVED: Final = "RCVD"
SETTLED: Final = "ACSC"
PARTLY: Final = "PART"
REJECTED: Final = "RJCT"
_LAST_WORDS: Final = (SETTLED, REJECTED)
_FINAL: Final = (*_LAST_WORDS, PARTLY)

NOT_READY: Final = Answer(Outcome.UNKNOWN, "NOT_READY")
# Two reports have said different things of a transfer: which is true, a person has to find out.
CONTRADICTED: Final = "CONTRADICTED"


class Line(NamedTuple):
    """What a report says of one transfer, in the bank's words; no amount where it names none."""

    instruction_id: str
    amount_fen: Fen | None
    status: str
    code: str
    serial: str


class Report(NamedTuple):
    """One report on a batch; without lines it speaks of all its transfers."""

    made_on: date
    status: str
    code: str
    lines: Sequence[Line]

    @property
    def is_of_another_file(self) -> bool:
        """Whether other bytes than the first were refused: ours, or somebody's under our number."""
        return self.status == REJECTED and not self.lines and self.code == DUPLICATE

    @property
    def tells_of_transfers(self) -> bool:
        return bool(self.lines) or self.status in _LAST_WORDS


def parse(source: BinaryIO, batch_no: str) -> Report:
    """Read a report whole, or raise `ResultUnusable`."""
    header: Part = {}
    group: Part = {}
    lines: list[Line] = []
    for path, part in parts(source, MESSAGE, "GrpHdr", "OrgnlGrpInfAndSts", _PAYMENT_ID, _TRANSFER):
        if path == _TRANSFER:
            lines.append(_line(part))
        elif path == _PAYMENT_ID:
            _require(part[""] == batch_no)
        elif path == "GrpHdr":
            header = part
        else:
            group = part
    status = need(group, "GrpSts")
    _require(need(group, "OrgnlMsgId") == batch_no)
    _require(len({line.instruction_id for line in lines}) == len(lines))
    return Report(made_on(header), status, _code(group), lines)


def whole(reports: Sequence[Report]) -> Answer:
    """Tell what became of the batch as a whole: taken (DONE), refused, or not said (yet).

    The reports come in the order of their numbers.
    """
    ours = [report for report in reports if not report.is_of_another_file]
    if not ours:
        taken = bool(reports)
        return NOT_READY._replace(code=DUPLICATE, number_taken=True) if taken else NOT_READY
    last = ours[-1]
    if last.status == REJECTED and not any(
        report.lines or report.status == SETTLED for report in ours
    ):
        return Answer(Outcome.REFUSED, last.code or REJECTED)
    if all(report.status == RECEIVED for report in ours):
        return Answer(Outcome.UNKNOWN, RECEIVED)
    return Answer(Outcome.DONE)


def result(reports: Sequence[Report], sent: Mapping[str, Fen]) -> Result:
    """Put together what the reports say of each transfer, in the order of their numbers.

    `sent` has every id of the batch and its amount. A transfer that a partial report leaves out
    is not known. The first last word on a transfer stands; a different one later makes it unknown.
    """
    known: dict[str, LineAnswer] = {}
    ours = [report for report in reports if not report.is_of_another_file]
    for report in ours:
        for answer in _answers(report, sent):
            before = known.get(answer.instruction_id, answer)
            known[answer.instruction_id] = _together(before, answer)
    final = any(report.status in _FINAL for report in ours) and all(
        instruction_id in known and _is_last_word(known[instruction_id]) for instruction_id in sent
    )
    return Result(list(known.values()), final)


def _answers(report: Report, sent: Mapping[str, Fen]) -> Iterator[LineAnswer]:
    for line in report.lines:
        amount_fen = line.amount_fen
        if amount_fen is None:
            amount_fen = sent.get(line.instruction_id, Fen(0))
        yield _answer(line, amount_fen, report.made_on)
    if report.status in _LAST_WORDS and not _contradicts_itself(report, sent):
        # A report may list only what differs: it speaks of all the others as well.
        listed = {line.instruction_id for line in report.lines}
        for instruction_id, amount_fen in sent.items():
            if instruction_id not in listed:
                line = Line(instruction_id, amount_fen, report.status, report.code, "")
                yield _answer(line, amount_fen, report.made_on)


def _contradicts_itself(report: Report, sent: Mapping[str, Fen]) -> bool:
    """Tell whether all are settled and one is refused, or so: then those not listed are unknown."""
    return any(
        line.status in _LAST_WORDS and line.status != report.status and line.instruction_id in sent
        for line in report.lines
    )


def _answer(line: Line, amount_fen: Fen, made_on: date) -> LineAnswer:
    answer = LineAnswer(line.instruction_id, amount_fen, Outcome.UNKNOWN, line.code)
    if line.status == SETTLED:
        return answer._replace(
            outcome=Outcome.DONE, bank_code="", bank_serial=line.serial, paid_on=made_on
        )
    if line.status != REJECTED:
        return answer
    if line.code == DUPLICATE:
        return answer._replace(moved_before=True)
    return answer._replace(outcome=Outcome.REFUSED, reason=reason(line.code))


def _together(before: LineAnswer, after: LineAnswer) -> LineAnswer:
    if not _is_last_word(after) or before.bank_code == CONTRADICTED:
        return before
    if not _is_last_word(before):
        return after
    if (before.outcome, before.amount_fen) == (after.outcome, after.amount_fen):
        return before
    return LineAnswer(before.instruction_id, before.amount_fen, Outcome.UNKNOWN, CONTRADICTED)


def _is_last_word(answer: LineAnswer) -> bool:
    return answer.outcome is not Outcome.UNKNOWN or answer.moved_before


def _line(part: Part) -> Line:
    amount = "OrgnlTxRef/Amt/InstdAmt"
    return Line(
        need(part, "OrgnlEndToEndId"),
        fen(part, amount) if amount in part else None,
        need(part, "TxSts"),
        _code(part),
        part.get("AcctSvcrRef", ""),
    )


def _code(part: Part) -> str:
    return part.get("StsRsnInf/Rsn/Cd") or part.get("StsRsnInf/Rsn/Prtry", "")


def _require(condition: bool) -> None:  # noqa: FBT001 - it is the one thing said
    if not condition:
        raise ResultUnusable
