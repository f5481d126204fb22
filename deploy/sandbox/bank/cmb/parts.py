"""Batches that come in parts: kept part by part, handed to the bank when the last has come.

A part's file is kept, then a note of it; the last part's note only when the bank has the batch. So
a batch that a kill broke off is asked again by its customer and goes on where it stood.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.batches import AlreadyTaken, Batch, Received, Transfer, fen
from deploy.sandbox.bank.cmb.requests import Detail, Submit, content_of
from deploy.sandbox.books import keep_file
from deploy.sandbox.clock import today

DOOR = "cmb"
FORMAT = "NCB002"
NUMBER_TAKEN = "NCB003"
SUMS_DIFFER = "NCB005"
_PART = msgspec.json.Decoder(Submit)


class CallRefused(Exception):
    """The call is refused with a code of the bank's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PartNote(msgspec.Struct, tag="part", tag_field="what"):
    """A part that was taken: its transfers `first` to `last`; `ended`: the batch has all parts."""

    yurref: str
    reqnbr: str
    whole: tuple[str, ...]
    first: int
    last: int
    total_fen: int
    digest: str
    ended: bool


class RefusedNote(msgspec.Struct, tag="refused", tag_field="what"):
    """A batch that was refused whole, since its sums differ."""

    yurref: str
    reqnbr: str
    whole: tuple[str, ...]


_NOTE = msgspec.json.Decoder(PartNote | RefusedNote)


@dataclass(slots=True)
class Submission:
    """A batch as far as it has come; `whole` is what all its parts say alike."""

    yurref: str
    reqnbr: str
    whole: tuple[str, ...]
    parts: dict[int, PartNote] = field(default_factory=dict[int, PartNote])
    last: int = 0
    total_fen: int = 0
    ended: bool = False
    refused: bool = False


class Parts:
    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._turn = asyncio.Lock()
        self._remember()

    def find(self, number: str) -> Submission | None:
        if self._books is not self._bank.state.by_name:
            # The bank was restored: what it has forgotten is forgotten here.
            self._remember()
        return self._known.get(number)

    async def take(self, part: Submit) -> Submission:
        """Take a part in, or find it again. Raises CallRefused: nothing of it is kept then."""
        async with self._turn:
            number = part.head.yurref
            one = self.find(number) or self._open(part)
            digest = hashlib.sha256(content_of(part)).hexdigest()
            known = one.parts.get(part.first)
            if one.whole != part.head.whole or (known and known.digest != digest):
                raise CallRefused(NUMBER_TAKEN)
            if one.refused:
                raise CallRefused(SUMS_DIFFER)
            if known:
                return one
            if one.ended or part.first <= one.last:
                raise CallRefused(NUMBER_TAKEN)
            follows = part.first == one.last + 1
            if not follows or (one.last and part.head.reqnbr != one.reqnbr):
                raise CallRefused(FORMAT)
            await self._keep(one, part, digest)
            return self._known[number]

    def received(self, one: Submission) -> Received | None:
        """Find what the bank has taken in of a batch: all of it, or its refusal."""
        received = self._bank.batch(one.yurref)
        return received if received and received.name == one.yurref else None

    def details(self, one: Submission, first: int) -> Iterator[Detail]:
        """Read the kept details from a place on."""
        for note in one.parts.values():
            if note.last >= first:
                part = _PART.decode(self._path(one.yurref, note.first).read_bytes())
                yield from part.bb6cdcdlx1[max(0, first - note.first) :]

    def _open(self, part: Submit) -> Submission:
        if self._bank.batch(part.head.yurref) is not None:
            # It came through another door.
            raise CallRefused(NUMBER_TAKEN)
        reqnbr = f"{today():%Y%m%d}{len(self._known) + 1:08d}"
        return Submission(part.head.yurref, reqnbr, part.head.whole)

    async def _keep(self, one: Submission, part: Submit, digest: str) -> None:
        head = part.head
        note = PartNote(
            yurref=one.yurref,
            reqnbr=one.reqnbr,
            whole=one.whole,
            first=part.first,
            last=part.last,
            total_fen=part.total_fen,
            digest=digest,
            ended=head.endtag == "Y",
        )
        right = (int(head.curcnt), fen(head.curamt)) == (len(part.bb6cdcdlx1), note.total_fen)
        if note.ended:
            announced = int(head.ttlcnt), fen(head.ttlamt), int(head.ttlnum)
            come = note.last, one.total_fen + note.total_fen, len(one.parts) + 1
            right = right and announced == come
        if not right:
            await self._refuse(one, note)
        path = self._path(one.yurref, part.first)
        await asyncio.to_thread(keep_file, path, [content_of(part)])
        if note.ended:
            await self._hand_over(one, note)
        await self._bank.note(DOOR, [msgspec.json.encode(note).decode()])
        self._know(note)

    async def _hand_over(self, one: Submission, last: PartNote) -> None:
        parts = [*one.parts.values(), last]
        whole = Submission(one.yurref, one.reqnbr, one.whole, {part.first: part for part in parts})
        batch = Batch(
            name=one.yurref,
            digest=_digest(parts),
            number=one.yurref,
            payer=one.whole[0],
            currency="CNY",
            count=last.last,
            total_fen=one.total_fen + last.total_fen,
            debits=[part.last - part.first + 1 for part in parts],
        )
        try:
            await self._bank.take(batch, map(_transfer, self.details(whole, 1)))
        except AlreadyTaken:
            raise CallRefused(NUMBER_TAKEN) from None

    async def _refuse(self, one: Submission, part: PartNote) -> None:
        digest = _digest([*one.parts.values(), part])
        try:
            await self._bank.turn_away(one.yurref, digest, one.yurref, SUMS_DIFFER, "各段汇总不符")
        except AlreadyTaken:
            raise CallRefused(NUMBER_TAKEN) from None
        note = RefusedNote(one.yurref, one.reqnbr, one.whole)
        await self._bank.note(DOOR, [msgspec.json.encode(note).decode()])
        self._know(note)
        raise CallRefused(SUMS_DIFFER)

    def _remember(self) -> None:
        self._books = self._bank.state.by_name
        self._known: dict[str, Submission] = {}
        for text in self._bank.notes(DOOR):
            self._know(_NOTE.decode(text))

    def _know(self, note: PartNote | RefusedNote) -> None:
        one = self._known.setdefault(note.yurref, Submission(note.yurref, note.reqnbr, note.whole))
        match note:
            case PartNote():
                one.parts[note.first] = note
                one.last = note.last
                one.total_fen += note.total_fen
                one.ended = note.ended
            case RefusedNote():
                one.refused = True

    def _path(self, number: str, first: int) -> Path:
        return self._bank.folder / "cmb" / f"{number}_{first:08d}.json"


def _transfer(detail: Detail) -> Transfer:
    return Transfer(detail.accnbr, detail.accnam, fen(detail.trsamt), detail.cprref, detail.trsdsp)


def _digest(parts: list[PartNote]) -> str:
    return hashlib.sha256("".join(part.digest for part in parts).encode()).hexdigest()
