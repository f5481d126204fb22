"""What the API door tells of batches and accounts, in pages of a thousand."""

import asyncio
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.batches import Outcome, Received, yuan
from deploy.sandbox.bank.cmb.parts import CallRefused, Parts, Submission
from deploy.sandbox.bank.cmb.requests import (
    AskBatch,
    AskDay,
    AskMovements,
    AskReturns,
    Detail,
    Malformed,
)
from deploy.sandbox.bank.movements import Kind, Movement
from deploy.sandbox.clock import CHINA, today

PAGE = 1_000
NOT_FOUND = "NCB004"
GIVEN_BACK = (Kind.RETURN, Kind.REVERSAL)

Row = dict[str, str]
Body = dict[str, "list[Row] | str"]


class Answers:
    def __init__(self, bank: Bank, parts: Parts) -> None:
        self._bank = bank
        self._parts = parts
        # Where the reader of a long result stopped: the next page goes on there.
        self._reading: tuple[str, int, Iterator[Outcome]] | None = None

    def state_of(self, one: Submission) -> str:
        """Say how far a batch is: OPR receiving, BNK at the bank, FIN done."""
        received = self._parts.received(one)
        if received and received.status in ("closed", "refused"):
            return "FIN"
        return "BNK" if one.ended else "OPR"

    async def batch(self, asked: AskBatch) -> Body:
        question = asked.bb6bpdqyy1[0]
        one = self._parts.find(question.yurref)
        if one is None or question.reqnbr not in ("", one.reqnbr):
            raise CallRefused(NOT_FOUND)
        first = max(1, int(question.trxseq))
        received = self._parts.received(one)
        head = self._head(one, received)
        rows: list[Row] = []
        if received and received.status == "closed":
            rows = await asyncio.to_thread(self._decided, received, first)
        elif head["reqsta"] != "FIN":
            details = islice(self._parts.details(one, first), PAGE)
            rows = await asyncio.to_thread(lambda: [_waiting(detail) for detail in details])
        following = first + len(rows)
        more = rows and following <= one.last
        return {
            "bb6bpdqyz1": [head],
            "bb6bpdqyz2": rows,
            "nxtseq": f"{following:08d}" if more else "",
        }

    async def movements(self, asked: AskMovements) -> Body:
        question = asked.dctrsinfy1[0]
        movements = await self._bank.movements(question.accnbr, int(question.after), PAGE)
        return {"dctrsinfz1": [_movement(one) for one in movements]}

    async def returns(self, asked: AskReturns) -> Body:
        question = asked.bb6rfdqyy1[0]
        after, rows = int(question.after), list[Row]()
        while len(rows) < PAGE:
            movements = await self._bank.movements(question.accnbr, after, PAGE)
            rows += [_return(one) for one in movements if one.kind in GIVEN_BACK]
            if len(movements) < PAGE:
                break
            after = movements[-1].ref
        return {"bb6rfdqyz1": rows[:PAGE]}

    async def day(self, asked: AskDay) -> Body:
        question = asked.ntdaystmy1[0]
        day = _day(question.date)
        if day > today() or (day == today() and question.upto != "now"):
            raise CallRefused(NOT_FOUND)
        statement = await self._bank.statement(question.accnbr, day)
        behind = (one for one in statement.lines if one.ref > int(question.after))
        rows = await asyncio.to_thread(lambda: [_movement(one) for one in islice(behind, PAGE)])
        head = {
            "opnbal": yuan(statement.opening_fen),
            "clsbal": yuan(statement.closing_fen),
            "cnt": str(statement.count),
        }
        return {"ntdaystmz1": [head], "dctrsinfz1": rows}

    def _head(self, one: Submission, received: Received | None) -> Row:
        booked, booked_fen = (received.booked, received.booked_fen) if received else (0, 0)
        return {
            "reqnbr": one.reqnbr,
            "yurref": one.yurref,
            "reqsta": self.state_of(one),
            "rtnflg": _outcome_of(received),
            "ttlamt": one.whole[2],
            "ttlcnt": one.whole[3],
            "sucamt": yuan(booked_fen),
            "succnt": str(booked),
        }

    def _decided(self, received: Received, first: int) -> list[Row]:
        match self._reading:
            case (number, place, outcomes) if (number, place) == (received.number, first):
                pass
            case _:
                outcomes = islice(self._bank.outcomes(received), first - 1, None)
        rows = [_decided(outcome) for outcome in islice(outcomes, PAGE)]
        self._reading = (received.number, first + len(rows), outcomes)
        return rows


def _outcome_of(received: Received | None) -> str:
    if received is None or received.status not in ("closed", "refused"):
        return ""
    if received.status == "refused":
        return "R"
    if not received.refused_lines:
        return "S"
    return "P" if received.booked else "F"


def _waiting(detail: Detail) -> Row:
    return {
        "trxseq": detail.trxseq,
        "accnbr": detail.accnbr,
        "trsamt": detail.trsamt,
        "stscod": "A",
        "errcod": "",
        "errtxt": "",
        "cprref": detail.cprref,
        "bkdat": "",
        "bksn": "",
    }


def _decided(outcome: Outcome) -> Row:
    return {
        "trxseq": f"{outcome.line:08d}",
        "accnbr": outcome.account,
        "trsamt": yuan(outcome.amount_fen),
        "stscod": "S" if outcome.booked else "E",
        "errcod": _code(outcome.code),
        "errtxt": outcome.words,
        "cprref": outcome.instruction_id,
        "bkdat": outcome.day,
        # The field holds 20 digits: two of the batch's place stay behind.
        "bksn": outcome.serial[:8] + outcome.serial[10:],
    }


def _movement(one: Movement) -> Row:
    return {
        "bksn": str(one.ref),
        "bkdat": f"{one.booked_on:%Y%m%d}",
        "amtcdr": "C" if one.credit else "D",
        "trsamt": yuan(one.amount_fen),
        "trstyp": one.kind.value.upper(),
        "yurref": one.batch,
        "cprref": one.instruction_id,
        "errcod": _code(one.code),
        "errtxt": one.reason,
        "rpynam": one.party,
        "rpyacc": one.party_account,
        "naryur": one.remark,
    }


def _return(one: Movement) -> Row:
    return {
        "bksn": str(one.ref),
        "yurref": one.batch,
        "cprref": one.instruction_id,
        "trsamt": yuan(one.amount_fen),
        "rtndat": f"{one.booked_on:%Y%m%d}",
        "errcod": _code(one.code),
        "errtxt": one.reason,
    }


def _code(digits: str) -> str:
    return f"C{digits[1:]}" if digits else ""


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=CHINA).date()
    except ValueError:
        raise Malformed from None
