"""Batch file profile P1: pipe-separated text in GB18030 with CRLF, its result file, over HTTP.

Batch file:  批次号|单位账号|总笔数|总金额|币种|日期
             序号|账号|户名|金额|开户行|联行号|证件号|摘要|企业流水号
Result file: the header, every line and behind it |状态|原因码|原因|银行流水|记账日,
             and the trailer 成功笔数|成功金额|失败笔数|失败金额.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from http import HTTPStatus
from typing import Final
from uuid import UUID

from services.common.kit import http
from services.common.kit.http import AnswerLost, Client, Unreachable
from services.common.money import Fen, yuan
from services.payments.channels.base import Answer, LineAnswer, Outcome, Payer, Result
from services.payments.errors import PayeeUnusable, ResultUnusable
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee

ENCODING: Final = "gb18030"
CURRENCY: Final = "CNY"
LINE_END: Final = "\r\n"
LINE_FIELDS: Final = 9
OUTCOME_FIELDS: Final = 5

BOOKED: Final = "0"
REFUSED: Final = "1"

# The bank's codes for a line and what they mean to us; any other is for finance to look at.
REASONS: Final[Mapping[str, str]] = {
    "0001": "NAME_DIFFERS",
    "0002": "ACCOUNT_CLOSED",
    "0003": "ACCOUNT_FROZEN",
    "0004": "INSUFFICIENT_FUNDS",
    "0005": "OVER_ACCOUNT_LIMIT",
    "0006": "NO_SUCH_ACCOUNT",
    "0007": "CURRENCY_NOT_TAKEN",
}
# The instruction id has been booked already, in another batch: refused, and yet the money moved.
BOOKED_BEFORE: Final = "0008"
# A file that the bank has looked through and refused whole.
_FILE_REFUSED: Final = re.compile(r"F[0-9]{3}")

_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,12})\.[0-9]{2}")
_COUNT: Final = re.compile(r"0|[1-9][0-9]{0,8}")
# What would end a field or a line, and what no name holds: control characters and half a pair.
_UNWRITABLE: Final = re.compile(r"[|\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CARD: Final = re.compile(r"[0-9]{6,32}")
_NAME_CHARACTERS_MAX: Final = 60


class P1File:
    """The bank's file door."""

    def __init__(self, payer: Payer, client: Client) -> None:
        self._payer = payer
        self._client = client

    def check(self, payee: Payee) -> None:
        name = payee.name.open()
        if (
            not name.strip()
            or len(name) > _NAME_CHARACTERS_MAX
            or _UNWRITABLE.search(name + payee.bank)
            or not _CARD.fullmatch(payee.card.open())
        ):
            raise PayeeUnusable

    def fix(self, batch_id: UUID, day: date, instructions: Sequence[Instruction]) -> BatchFile:
        # From the time-ordered id, so that a restored database never gives a number again.
        batch_no = str(batch_id.int >> 64)
        content = render(batch_no, self._payer, day, instructions)
        return BatchFile(batch_no, f"DF_{self._payer.unit}_{day:%Y%m%d}_{batch_no}.txt", content)

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
        if isinstance(found, Answer) or found.final:
            return found
        # Lines are missing: they were not taken if they are missing once the bank has closed.
        if not await self._closed(batch_no):
            return found
        found = await self._result_file(batch_no, file_name)
        return found if isinstance(found, Answer) else found._replace(final=True)

    async def _result_file(self, batch_no: str, file_name: str) -> Result | Answer:
        try:
            answer = await self._client.request("GET", f"/bank/files/{file_name}.ret")
        except (Unreachable, AnswerLost) as lost:
            return Answer(Outcome.UNKNOWN, lost.code)
        if answer.status == HTTPStatus.OK:
            return parse(batch_no, answer.body)
        return _refused_whole(answer)

    async def _closed(self, batch_no: str) -> bool:
        try:
            answer = await self._client.request("GET", f"/bank/batches/{batch_no}")
        except (Unreachable, AnswerLost):
            return False
        return answer.status == HTTPStatus.OK and _word(answer, "status") == "closed"


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


def render(batch_no: str, payer: Payer, day: date, instructions: Sequence[Instruction]) -> bytes:
    """Write the file with its control totals."""
    total = Fen(sum(instruction.amount_fen for instruction in instructions))
    header = (
        batch_no,
        payer.account,
        str(len(instructions)),
        yuan(total),
        CURRENCY,
        f"{day:%Y%m%d}",
    )
    lines = ["|".join(header)]
    for line, instruction_id, payee, amount_fen in instructions:
        name, card, amount = payee.name.open(), payee.card.open(), yuan(amount_fen)
        lines.append(
            f"{line}|{card}|{name}|{amount}|{payee.bank}|||{payer.remark}|{instruction_id}"
        )
    lines.append("")
    return LINE_END.join(lines).encode(ENCODING)


def parse(batch_no: str, content: bytes) -> Result:
    """Read a result file whole, or refuse it whole: a file that was cut short proves nothing.

    It is final where no line that its header announces is missing.
    """
    try:
        header, *texts, trailer, end = content.decode(ENCODING).split(LINE_END)
        number, _payer, count, *_rest = header.split("|")
    except ValueError as unreadable:
        raise ResultUnusable from unreadable
    if end or number != batch_no or not _COUNT.fullmatch(count):
        raise ResultUnusable
    lines = [_line(text) for text in texts]
    if trailer.split("|") != [*_control_total(lines, BOOKED), *_control_total(lines, REFUSED)]:
        raise ResultUnusable
    answers = [answer for _, answer in lines]
    if len({answer.instruction_id for answer in answers}) != len(answers):
        raise ResultUnusable
    return Result(answers, final=len(answers) >= int(count))


def _control_total(lines: Sequence[tuple[str, LineAnswer]], status: str) -> tuple[str, str]:
    amounts = [answer.amount_fen for found, answer in lines if found == status]
    return str(len(amounts)), yuan(Fen(sum(amounts)))


def _line(text: str) -> tuple[str, LineAnswer]:
    """Read a line: its status as it stands there, and what it means."""
    fields = text.split("|")
    if len(fields) != LINE_FIELDS + OUTCOME_FIELDS or not _AMOUNT.fullmatch(fields[3]):
        raise ResultUnusable
    amount_fen = Fen(int(fields[3].replace(".", "")))
    status, code, _words, serial, day = fields[LINE_FIELDS:]
    answer = LineAnswer(fields[8], amount_fen, Outcome.UNKNOWN, bank_code=code)
    match status:
        case "0":
            paid_on = _day(day)
            answer = answer._replace(
                outcome=Outcome.DONE, bank_code="", bank_serial=serial, paid_on=paid_on
            )
        case "1" if code == BOOKED_BEFORE:
            answer = answer._replace(moved_before=True)
        case "1":
            reason = REASONS.get(code, "OTHER")
            answer = answer._replace(outcome=Outcome.REFUSED, reason=reason)
        case "2":
            pass
        case _:
            raise ResultUnusable
    return status, answer


def _day(text: str) -> date:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as unreadable:
        raise ResultUnusable from unreadable
