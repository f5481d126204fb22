"""The other side's books of a year, line by line: who was paid how much, and told how often."""

from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise
from typing import Final

import httpx
import msgspec

from deploy.bench.year.people import by_card, by_phone

PAID_TEXT: Final = "SMS_PAYOUT_PAID"
_READ_TIMEOUT_S: Final = 600.0
_MEMBERS_PHONES: Final = "138"


class _Booking(msgspec.Struct):
    at: str
    account: str
    amount: str
    status: str
    instruction_id: str


class _Params(msgspec.Struct):
    amount: str = "0"


class _Text(msgspec.Struct):
    at: str
    phone: str
    template: str
    params: _Params


@dataclass
class OtherSide:
    """What bank and provider have of every member, by the member's number."""

    roster: int
    booked_fen: int = 0
    bookings: int = 0
    refusals: int = 0
    texts: int = 0
    booked_twice: int = 0
    last_booking_at: float = 0.0
    last_text_at: float = 0.0
    _paid: "array[int]" = field(init=False)
    _paid_fen: "array[int]" = field(init=False)
    _told: "array[int]" = field(init=False)
    _told_fen: "array[int]" = field(init=False)

    def __post_init__(self) -> None:
        nothing = bytes(8 * (self.roster + 1))
        self._paid, self._paid_fen = array("q", nothing), array("q", nothing)
        self._told, self._told_fen = array("q", nothing), array("q", nothing)

    async def read(self, sandbox: str) -> None:
        decode_booking = msgspec.json.Decoder(_Booking).decode
        decode_text = msgspec.json.Decoder(_Text).decode
        seen = array("Q")
        async for line in _lines(sandbox, "/bank/book"):
            seen.append(self._book(decode_booking(line)))
        ordered = sorted(one for one in seen if one)
        self.booked_twice = sum(a == b for a, b in pairwise(ordered))
        async for line in _lines(sandbox, "/sms/log"):
            self._tell(decode_text(line))

    @property
    def untold(self) -> int:
        """Count the payments of which the member was not told."""
        return sum(max(0, paid - told) for paid, told in zip(self._paid, self._told, strict=True))

    @property
    def told_twice(self) -> int:
        return sum(max(0, told - paid) for paid, told in zip(self._paid, self._told, strict=True))

    @property
    def members_told_otherwise(self) -> int:
        """Count the members whose texts do not add up to what they were paid."""
        return sum(a != b for a, b in zip(self._paid_fen, self._told_fen, strict=True))

    def _book(self, line: _Booking) -> int:
        """Take a line in; give what its instruction is known by, 0 where nothing was booked."""
        self.last_booking_at = _seconds(line.at)
        if line.status != "booked":
            self.refusals += line.status == "refused"
            return 0
        person, amount = by_card(line.account), _fen(line.amount)
        self.bookings += 1
        self.booked_fen += amount
        self._paid[person] += 1
        self._paid_fen[person] += amount
        return int.from_bytes(blake2b(line.instruction_id.encode(), digest_size=8).digest())

    def _tell(self, text: _Text) -> None:
        self.last_text_at = _seconds(text.at)
        if text.template == PAID_TEXT and text.phone.startswith(_MEMBERS_PHONES):
            person = by_phone(text.phone)
            self.texts += 1
            self._told[person] += 1
            self._told_fen[person] += _fen(text.params.amount)


async def _lines(sandbox: str, path: str) -> AsyncIterator[bytes]:
    """Read a book as it comes; the whole of it would fill the memory."""
    async with (
        httpx.AsyncClient(base_url=sandbox, timeout=_READ_TIMEOUT_S) as client,
        client.stream("GET", path) as answer,
    ):
        answer.raise_for_status()
        rest = b""
        async for part in answer.aiter_bytes():
            *whole, rest = (rest + part).split(b"\n")
            for line in whole:
                yield line
        if rest:
            yield rest


def _fen(amount: str) -> int:
    yuan, _, fen = amount.replace(",", "").partition(".")
    return int(yuan) * 100 + int(fen.ljust(2, "0") or 0)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
