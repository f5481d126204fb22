"""The bank's API for bulk payouts (代发): a batch in parts, its result and the account in pages.

Whatever is not the bank's own signed word leaves things as they are: not known, and asked again.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from http import HTTPStatus
from typing import Final
from uuid import UUID

import msgspec

from services.common.ids import new_id
from services.common.kit.http import AnswerLost, Client, Unreachable
from services.common.money import Fen, yuan
from services.payments.channels.base import (
    Answer,
    Outcome,
    Payer,
    Result,
    batch_no_of,
    check_payee,
)
from services.payments.channels.cmb import reading, words
from services.payments.channels.cmb.envelope import Envelope, Keys, canonical
from services.payments.errors import PayeeUnusable, ResultUnusable
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee
from services.payments.model.statements import DayStatement, Movement, Movements

PART_LINES_MAX: Final = 1_000

# Every request is lists of flat records, and every field of a record is text.
Body = dict[str, list[dict[str, str]]]

_OTHER_THAN_SALARIES: Final = {"buscod": "N03020", "busmod": "00001"}
_PATH: Final = "/bank/cmb"
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
_OWN_BANK: Final = "招商银行"
_CODE: Final = re.compile(r"[0-9A-Z]{1,16}")

_NAME_CHARACTERS_MAX: Final = 60

# The only two words that say more of a batch than "ask again".
_SUBMIT_ANSWERS: Final = {
    words.NUMBER_TAKEN: Answer(Outcome.UNKNOWN, words.NUMBER_TAKEN, number_taken=True),
    words.SUMS_DIFFER: Answer(Outcome.REFUSED, words.SUMS_DIFFER),
}


class Cmb:
    """A `BankChannel` for one account; `client` calls the bank, `keys` are agreed with it."""

    lines_max: int = 5_000

    def __init__(self, payer: Payer, keys: Keys, client: Client) -> None:
        self._payer = payer
        self._envelope = Envelope(keys)
        self._client = client

    def check(self, payee: Payee) -> None:
        check_payee(payee)
        if len(payee.name.open()) > _NAME_CHARACTERS_MAX:
            raise PayeeUnusable

    def fix(self, batch_id: UUID, day: date, instructions: Sequence[Instruction]) -> BatchFile:
        batch_no = batch_no_of(batch_id)
        written = b",".join(map(canonical, parts(batch_no, self._payer, day, instructions)))
        return BatchFile(batch_no, f"{batch_no}.json", b"[" + written + b"]")

    async def submit(self, file: BatchFile) -> Answer:
        """Hand over part by part; the bank answers a part that it has as it did before."""
        reqnbr = ""
        for written in msgspec.json.decode(file.content, type=list[msgspec.Raw]):
            part = msgspec.json.decode(written, type=Body)
            if reqnbr:
                part["bb6cdcbhx1"][0]["reqnbr"] = reqnbr
            body = await self._call("BB6BTHHL", part)
            if isinstance(body, Answer):
                return _SUBMIT_ANSWERS.get(body.code, body)
            try:
                taken = words.read(body, words.PartTaken).taken[0]
            except ResultUnusable as unusable:
                return Answer(Outcome.UNKNOWN, unusable.code)
            if reqnbr not in ("", taken.reqnbr):
                # The bank has torn the batch apart; it is asked again from the first part on.
                return Answer(Outcome.UNKNOWN, ResultUnusable.code)
            reqnbr = taken.reqnbr
        return Answer(Outcome.DONE)

    async def result(self, batch_no: str, file_name: str) -> Result | Answer:
        del file_name  # the bank knows a batch by its number
        details: list[words.Detail] = []
        while True:
            asked = {"yurref": batch_no, "trxseq": _place(len(details) + 1)}
            body = await self._call("BB6BPDQY", {"bb6bpdqyy1": [asked]})
            if isinstance(body, Answer):
                return body._replace(not_found=body.code == words.NOT_FOUND)
            page = words.read(body, words.BatchPage)
            head = page.heads[0]
            if head.yurref != batch_no:
                raise ResultUnusable
            if head.reqsta != words.FINISHED:
                return reading.in_process(head)
            places = [_place(place) for place, _ in enumerate(page.details, len(details) + 1)]
            details += page.details
            if places != [detail.trxseq for detail in page.details]:
                raise ResultUnusable
            if len(details) > int(head.ttlcnt):
                raise ResultUnusable
            if not page.nxtseq:
                return reading.batch(head, details)
            if not places or page.nxtseq != _place(len(details) + 1):
                raise ResultUnusable

    async def movements(self, mark: str) -> Movements | None:
        asked = {"accnbr": self._payer.account, "after": mark or "0"}
        body = await self._call("DCTRSINF", {"dctrsinfy1": [asked]})
        if isinstance(body, Answer):
            return None
        lines = reading.movements(words.read(body, words.BookingPage).bookings, mark)
        if any(map(reading.lacks_why, lines)):
            body = await self._call("BB6RFDQY", {"bb6rfdqyy1": [asked]})
            if isinstance(body, Answer):
                return None
            returns = {found.bksn: found for found in words.read(body, words.ReturnPage).returns}
            lines = [reading.with_why(line, returns) for line in lines]
        return Movements(lines, lines[-1].bank_ref if lines else mark)

    async def statement(self, day: date, *, upto_now: bool = False) -> DayStatement | None:
        asked = {"accnbr": self._payer.account, "date": f"{day:%Y%m%d}"}
        if upto_now:
            asked["upto"] = "now"
        lines: list[Movement] = []
        while True:
            body = await self._call("NTDAYSTM", {"ntdaystmy1": [asked]})
            if isinstance(body, Answer):
                return None
            page = words.read(body, words.DayPage)
            lines += reading.movements(page.bookings, asked.get("after", ""))
            # A day that is still going on may have grown since the first page: the last one counts.
            head = page.heads[0]
            if len(lines) == int(head.cnt):
                return reading.statement(day, head, lines)
            if not page.bookings or len(lines) > int(head.cnt):
                raise ResultUnusable
            asked["after"] = lines[-1].bank_ref

    async def _call(self, funcode: str, body: Body) -> object:
        """Ask the bank and give its answer's body; anything else is an `Answer`: not known."""
        reqid = new_id().hex
        form = self._envelope.seal(funcode, reqid, body)
        try:
            answer = await self._client.request("POST", _PATH, content=form, headers=_FORM)
            if answer.status != HTTPStatus.OK:
                return Answer(Outcome.UNKNOWN, str(int(answer.status)))
            reply = self._envelope.open(funcode, reqid, answer.body)
        except (Unreachable, AnswerLost) as lost:
            return Answer(Outcome.UNKNOWN, lost.code)
        if reply.code == words.TAKEN:
            return reply.body
        return Answer(Outcome.UNKNOWN, reply.code if _CODE.fullmatch(reply.code) else "UNLISTED")


def parts(
    batch_no: str, payer: Payer, day: date, instructions: Sequence[Instruction]
) -> Iterator[Body]:
    """Write the bodies of a batch's parts, all but the number that the bank will give it."""
    total = Fen(sum(one.amount_fen for one in instructions))
    starts = range(0, len(instructions), PART_LINES_MAX)
    for start in starts:
        lines = instructions[start : start + PART_LINES_MAX]
        head = {
            "begtag": _flag(start == 0),
            "endtag": _flag(start == starts[-1]),
            "accnbr": payer.account,
            "accnam": payer.holder,
            "ttlamt": yuan(total),
            "ttlcnt": str(len(instructions)),
            "ttlnum": str(len(starts)),
            "curamt": yuan(Fen(sum(one.amount_fen for one in lines))),
            "curcnt": str(len(lines)),
            "ccynbr": "10",
            "trstyp": "BYSA",
            "nusage": payer.remark,
            "eptdat": f"{day:%Y%m%d}",
            "yurref": batch_no,
            "chlflg": "M",
        }
        details = [_detail(one, payer.remark) for one in lines]
        yield {"bb6busmod": [_OTHER_THAN_SALARIES], "bb6cdcbhx1": [head], "bb6cdcdlx1": details}


def _detail(one: Instruction, remark: str) -> dict[str, str]:
    return {
        "trxseq": _place(one.line),
        "accnbr": one.payee.card.open(),
        "accnam": one.payee.name.open(),
        "trsamt": yuan(one.amount_fen),
        "trsdsp": remark,
        "bnkflg": _flag(one.payee.bank.startswith(_OWN_BANK)),
        "eacbnk": one.payee.bank,
        "cprref": one.instruction_id,
    }


def _place(line: int) -> str:
    return f"{line:08d}"


def _flag(true: bool) -> str:  # noqa: FBT001 - it is the word for it
    return "Y" if true else "N"
