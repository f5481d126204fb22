"""What may be asked at the API door, field by field: every value is a string, and nothing else.

Lists hold one record, but for the details of a part. What has another shape raises Malformed.
"""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from deploy.sandbox.bank.batches import fen
from deploy.sandbox.bank.cmb.envelope import canonical

DETAILS_MAX = 1_000

Account = Annotated[str, Meta(pattern=r"\A[0-9]{6,32}\Z")]
Amount = Annotated[str, Meta(pattern=r"\A(?:0|[1-9][0-9]{0,12})\.[0-9]{2}\Z")]
Count = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,8}\Z")]
Ref = Annotated[str, Meta(pattern=r"\A(?:0|[1-9][0-9]{0,17})\Z")]
Day = Annotated[str, Meta(pattern=r"\A[0-9]{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])\Z")]
Place = Annotated[str, Meta(pattern=r"\A[0-9]{8}\Z")]
Number = Annotated[str, Meta(pattern=r"\A[0-9]{1,20}\Z")]
Instruction = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_-]{1,40}\Z")]
Flag = Literal["Y", "N"]
Filled = Annotated[str, Meta(pattern=r"\S", max_length=200)]
Text = Annotated[str, Meta(max_length=200)]


class Malformed(Exception):
    """A field is missing, too many, or not of its form."""


class Record(msgspec.Struct, forbid_unknown_fields=True):
    pass


R = TypeVar("R", bound=Record)
One = Annotated[list[R], Meta(min_length=1, max_length=1)]


class Mode(Record):
    buscod: Literal["N03010", "N03020"]
    busmod: Text


class PartHead(Record):
    begtag: Flag
    endtag: Flag
    accnbr: Account
    accnam: Filled
    ttlamt: Amount
    ttlcnt: Count
    ttlnum: Count
    curamt: Amount
    curcnt: Count
    ccynbr: Literal["10"]
    trstyp: Filled
    nusage: Text
    eptdat: Day
    yurref: Number
    chlflg: Literal["Y", "N", "M"]
    reqnbr: Text = ""

    @property
    def whole(self) -> tuple[str, ...]:
        """What every part says of the whole batch, and says alike."""
        return (
            self.accnbr,
            self.accnam,
            self.ttlamt,
            self.ttlcnt,
            self.ttlnum,
            self.trstyp,
            self.nusage,
            self.eptdat,
            self.chlflg,
        )


class Detail(Record, gc=False):
    trxseq: Place
    accnbr: Filled
    accnam: Filled
    trsamt: Amount
    trsdsp: Text
    bnkflg: Flag
    eacbnk: Text
    cprref: Instruction


class Submit(Record):
    """BB6BTHHL: a part of a batch."""

    bb6busmod: One[Mode]
    bb6cdcbhx1: One[PartHead]
    bb6cdcdlx1: Annotated[list[Detail], Meta(min_length=1, max_length=DETAILS_MAX)]

    @property
    def head(self) -> PartHead:
        return self.bb6cdcbhx1[0]

    @property
    def first(self) -> int:
        return int(self.bb6cdcdlx1[0].trxseq)

    @property
    def last(self) -> int:
        return int(self.bb6cdcdlx1[-1].trxseq)

    @property
    def total_fen(self) -> int:
        return sum(fen(detail.trsamt) for detail in self.bb6cdcdlx1)


class BatchQuestion(Record):
    yurref: Number
    trxseq: Place
    reqnbr: Text = ""


class AskBatch(Record):
    """BB6BPDQY: what became of a batch, from one of its transfers on."""

    bb6bpdqyy1: One[BatchQuestion]


class MovesQuestion(Record):
    accnbr: Account
    after: Ref = "0"


class AskReturns(Record):
    """BB6RFDQY: what was given back on an account."""

    bb6rfdqyy1: One[MovesQuestion]


class AskMovements(Record):
    """DCTRSINF: what moved on an account."""

    dctrsinfy1: One[MovesQuestion]


class DayQuestion(Record):
    accnbr: Account
    date: Day
    after: Ref = "0"
    upto: Literal["", "now"] = ""


class AskDay(Record):
    """NTDAYSTM: a day's statement."""

    ntdaystmy1: One[DayQuestion]


def read(body: object, shape: type[R]) -> R:
    try:
        request = msgspec.convert(body, shape)
    except msgspec.ValidationError:
        raise Malformed from None
    if isinstance(request, Submit):
        _check_details(request)
    return request


def content_of(part: Submit) -> bytes:
    """Give what makes a part itself; the bank's own number of the batch is not of it."""
    head = msgspec.structs.replace(part.head, reqnbr="")
    return canonical(msgspec.to_builtins(msgspec.structs.replace(part, bb6cdcbhx1=[head])))


def _check_details(part: Submit) -> None:
    places = [int(detail.trxseq) for detail in part.bb6cdcdlx1]
    first = places[0]
    follow = places == list(range(first, first + len(places)))
    begins = first == 1 if part.head.begtag == "Y" else first > 1
    paid = all(fen(detail.trsamt) for detail in part.bb6cdcdlx1)
    if not (follow and begins and paid):
        raise Malformed
