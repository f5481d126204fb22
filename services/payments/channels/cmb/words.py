"""The bank's words: what its codes mean to us, and which shape its answers must have.

A field that is missing, too long or of another kind spoils the whole answer; fields that are not
named here are not read.
"""

from collections.abc import Mapping
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from services.payments.errors import ResultUnusable
from services.payments.model.statements import Direction, MovementKind

TAKEN: Final = "SUC0000"
NUMBER_TAKEN: Final = "NCB003"
NOT_FOUND: Final = "NCB004"
SUMS_DIFFER: Final = "NCB005"

# How far a batch is; only this one says that nothing changes any more.
FINISHED: Final = "FIN"

# Why a transfer was refused or came back; any other is for finance to look at.
REASONS: Final[Mapping[str, str]] = {
    "C001": "NAME_DIFFERS",
    "C002": "ACCOUNT_CLOSED",
    "C003": "ACCOUNT_FROZEN",
    "C004": "INSUFFICIENT_FUNDS",
    "C005": "OVER_ACCOUNT_LIMIT",
    "C006": "NO_SUCH_ACCOUNT",
}
# The instruction id has been booked already, in another batch: refused, and yet the money moved.
BOOKED_BEFORE: Final = "C008"

# What a line on the account is, and on which side it stands.
KINDS: Final[Mapping[str, tuple[MovementKind, Direction]]] = {
    "PAYOUT": (MovementKind.PAYOUT, "debit"),
    "RETURN": (MovementKind.RETURN, "credit"),
    "REVERSAL": (MovementKind.REVERSAL, "credit"),
    "DEPOSIT": (MovementKind.DEPOSIT, "credit"),
    "TRANSFER": (MovementKind.TRANSFER, "debit"),
    "FEE": (MovementKind.FEE, "debit"),
}
DIRECTIONS: Final[Mapping[str, Direction]] = {"C": "credit", "D": "debit"}

PAGE_LINES_MAX: Final = 1_000

Amount = Annotated[str, Meta(pattern=r"\A(?:0|[1-9][0-9]{0,12})\.[0-9]{2}\Z")]
Count = Annotated[str, Meta(pattern=r"\A(?:0|[1-9][0-9]{0,8})\Z")]
DayOrNone = Annotated[str, Meta(pattern=r"\A(?:[0-9]{8})?\Z")]
Place = Annotated[str, Meta(pattern=r"\A[0-9]{8}\Z")]
PlaceOrNone = Annotated[str, Meta(pattern=r"\A(?:[0-9]{8})?\Z")]
Code = Annotated[str, Meta(pattern=r"\A[0-9A-Z]{0,16}\Z")]
Id = Annotated[str, Meta(pattern=r"\A[!-~]{1,40}\Z")]
Serial = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,19}\Z")]
SerialOrNone = Annotated[str, Meta(pattern=r"\A(?:[1-9][0-9]{0,19})?\Z")]
# What strangers may have written: a deposit must not stop the account from being read.
Text = Annotated[str, Meta(max_length=500)]

Shape = TypeVar("Shape", bound=msgspec.Struct)


class Taken(msgspec.Struct):
    reqnbr: Id


class PartTaken(msgspec.Struct):
    """BB6BTHHL: a part of a batch has been taken; `reqnbr` is the bank's name of the batch."""

    taken: Annotated[list[Taken], Meta(min_length=1, max_length=1)] = msgspec.field(
        name="bb6cdcbhz1"
    )


class BatchHead(msgspec.Struct, frozen=True):
    """How far a batch is; sums of what has been paid. `rtnflg` counts once it is finished."""

    yurref: Id
    reqsta: Code
    ttlamt: Amount
    ttlcnt: Count
    sucamt: Amount
    succnt: Count
    rtnflg: Code = ""


class Detail(msgspec.Struct, gc=False):
    """One transfer: stscod S paid, E refused, A registered; the day and number where paid."""

    trxseq: Place
    trsamt: Amount
    stscod: Code
    cprref: Id
    errcod: Code = ""
    bkdat: DayOrNone = ""
    bksn: SerialOrNone = ""


class BatchPage(msgspec.Struct):
    """BB6BPDQY: up to 1,000 transfers of a batch; `nxtseq` is empty where that was all."""

    heads: Annotated[list[BatchHead], Meta(min_length=1, max_length=1)] = msgspec.field(
        name="bb6bpdqyz1"
    )
    details: Annotated[list[Detail], Meta(max_length=PAGE_LINES_MAX)] = msgspec.field(
        name="bb6bpdqyz2"
    )
    nxtseq: PlaceOrNone


class Booking(msgspec.Struct, gc=False):
    """One line on the account; who it came from or went to, and what it is about."""

    bksn: Serial
    bkdat: DayOrNone
    amtcdr: Code
    trsamt: Amount
    trstyp: Code
    yurref: Text = ""
    cprref: Text = ""
    errcod: Code = ""
    rpynam: Text = ""
    rpyacc: Text = ""
    naryur: Text = ""


Bookings = Annotated[list[Booking], Meta(max_length=PAGE_LINES_MAX)]


class BookingPage(msgspec.Struct):
    """DCTRSINF: what was booked on the account behind a number."""

    bookings: Bookings = msgspec.field(name="dctrsinfz1")


class GivenBack(msgspec.Struct, gc=False):
    bksn: Serial
    trsamt: Amount
    yurref: Text = ""
    cprref: Text = ""
    errcod: Code = ""


class ReturnPage(msgspec.Struct):
    """BB6RFDQY: which transfers have been given back behind a number, and why."""

    returns: Annotated[list[GivenBack], Meta(max_length=PAGE_LINES_MAX)] = msgspec.field(
        name="bb6rfdqyz1"
    )


class DayHead(msgspec.Struct, frozen=True):
    """What the account opened and closed with, and how many lines are between."""

    opnbal: Amount
    clsbal: Amount
    cnt: Count


class DayPage(msgspec.Struct):
    """NTDAYSTM: a page of a day's statement."""

    heads: Annotated[list[DayHead], Meta(min_length=1, max_length=1)] = msgspec.field(
        name="ntdaystmz1"
    )
    bookings: Bookings = msgspec.field(name="dctrsinfz1")


def read(body: object, shape: type[Shape]) -> Shape:
    """Give an answer its shape, or raise `ResultUnusable`."""
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError:
        raise ResultUnusable from None


def reason_of(code: str) -> str:
    """Say in our words why a transfer was refused or came back; empty where the bank does not."""
    return REASONS.get(code, "OTHER") if code else ""
