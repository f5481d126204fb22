"""What the bank knows, in memory, exactly as its journal says; and the one way to change that."""

import asyncio
from array import array
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from deploy.sandbox.bank.batches import Received, fen
from deploy.sandbox.bank.journal import (
    Accepted,
    AccountSet,
    BookLine,
    Closed,
    Entry,
    Journal,
    Note,
    Released,
    TurnedAway,
)
from deploy.sandbox.bank.ledger import Ledger
from deploy.sandbox.bank.movements import Kind, Movement
from deploy.sandbox.clock import now, stamp, today
from deploy.sandbox.settings import SandboxSettings


class State:
    """Whoever changes anything holds `turn` meanwhile.

    Balances change as something is decided (`credit`, `post`), so that the next decision knows of
    it; everything else when it is on the disk (`keep`). `read` does both for all there is.
    """

    def __init__(self, settings: SandboxSettings, folder: Path) -> None:
        self._opening_fen = _fen(settings.bank_opening_balance_yuan)
        self._limit_fen = _fen(settings.bank_line_limit_yuan)
        self.journal = Journal(folder / "journal.jsonl")
        self.turn = asyncio.Condition()
        self.read()

    def read(self) -> None:
        """Know what the journal says; what a kill broke off waits to be booked again."""
        self.ledger = Ledger(self._opening_fen, self._limit_fen)
        self.by_name: dict[str, Received] = {}
        self.by_number: dict[str, Received] = {}
        self.waiting: deque[Received] = deque()
        self._last_ref = 0
        # Where the notes of each door lie.
        self.notes: dict[str, array[int]] = {}
        for start, end, entry in self.journal.entries():
            if isinstance(entry, BookLine):
                self._read_line(entry, start, end)
                continue
            if isinstance(entry, Movement):
                self.post(entry)
            self._know(entry, start, end)

    def _read_line(self, line: BookLine, start: int, end: int) -> None:
        received, amount_fen = self.by_number[line.batch], fen(line.amount)
        self.credit(received, line, amount_fen)
        self._know_line(received, line, amount_fen, start, end)

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Put entries on the disk, all or none, then know what they say."""
        offsets = await self.journal.append(entries)
        bounds = pairwise([*offsets, self.journal.size])
        for entry, (start, end) in zip(entries, bounds, strict=True):
            self._know(entry, start, end)

    def credit(self, received: Received, line: BookLine, amount_fen: int) -> None:
        """Pay a payee where the line says so; the payer is debited by a movement."""
        if line.status == "booked":
            self.ledger.credit(
                received.payer, line.account, line.name, amount_fen, line.instruction_id
            )
            received.undebited_fen += amount_fen

    def move(self, payer: str, kind: Kind, amount_fen: int, **facts: str) -> Movement:
        """Move money on a payer's account now; `facts` are the fields of `Movement` that apply."""
        movement = Movement(
            at=stamp(now()),
            ref=self._last_ref + 1,
            payer=payer,
            booked_on=self.ledger.payer(payer).booking_day(today()),
            kind=kind,
            amount_fen=amount_fen,
            **facts,
        )
        self.post(movement)
        return movement

    def post(self, movement: Movement) -> None:
        self.ledger.post(movement)
        self._last_ref = movement.ref
        if movement.kind is Kind.PAYOUT:
            self.by_number[movement.batch].undebited_fen -= movement.amount_fen

    def _know(self, entry: Entry, start: int, end: int) -> None:
        match entry:
            case BookLine():
                received = self.by_number[entry.batch]
                self._know_line(received, entry, fen(entry.amount), start, end)
            case Accepted() | TurnedAway():
                self._file(entry)
            case Movement():
                self.ledger.payer(entry.payer).lies_at(start)
            case Closed():
                received = self.by_number[entry.batch]
                received.status, received.in_hand = "closed", ()
                self.waiting.popleft()
            case Released():
                for received in self.by_name.values():
                    if received.held:
                        received.held = False
                        self.waiting.append(received)
            case AccountSet():
                self.ledger.set_account(entry.account, entry.name, entry.status)
            case Note():
                self.notes.setdefault(entry.door, array("q")).append(start)

    def _know_line(
        self, received: Received, line: BookLine, amount_fen: int, start: int, end: int
    ) -> None:
        if line.status == "booked":
            self.ledger.lies_at(line.instruction_id, start)
            received.booked += 1
            received.booked_fen += amount_fen
        elif line.status == "returned":
            self.ledger.given_back.add(line.instruction_id)
            return
        else:
            received.refused_lines += 1
        received.status = "processing"
        received.lines_from = received.lines_from or start
        received.lines_to = end

    def _file(self, entry: Accepted | TurnedAway) -> None:
        received = Received(
            order=len(self.by_name) + 1,
            name=entry.name,
            digest=entry.digest,
            batch=entry.batch,
            status="received",
        )
        match entry:
            case Accepted():
                received.payer = entry.payer
                received.currency = entry.currency
                received.count = entry.count
                received.total_fen = entry.total_fen
                received.debits = entry.debits
                received.held = entry.held
                if not entry.held:
                    self.waiting.append(received)
            case TurnedAway():
                received.status, received.code = "refused", entry.code
                received.reason = entry.reason
        self.by_name[entry.name] = received
        if entry.batch is not None:
            self.by_number[entry.batch] = received


def _fen(amount: Decimal) -> int:
    return int(amount * 100)
