"""The bank behind its doors: takes batches, books them in the order they came, keeps it on disk.

A batch's transfers are kept and the batch is journalled before it is answered. Its lines, the
debits of the payer and the closing go into the journal a thousand lines at a time, each time whole
or not at all; a bank that was killed anywhere between goes on at the first line that is not there.

A door decodes what it is sent, hands over a `Batch` with its transfers (`take`) or uses up its name
and number (`turn_away`), and encodes what it finds again: `known`, `batch`, `outcomes`,
`movements`, `statement`. What a door must know again after a kill or a restore it keeps as notes.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import accumulate, islice
from pathlib import Path

import msgspec

from deploy.sandbox.bank.batches import AlreadyTaken, Batch, Outcome, Received, Transfer, fen, yuan
from deploy.sandbox.bank.journal import Accepted, BookLine, Closed, Entry, Note, TurnedAway
from deploy.sandbox.bank.movements import Kind, Movement, Statement
from deploy.sandbox.bank.reasons import FileReason, LineReason
from deploy.sandbox.bank.state import State
from deploy.sandbox.books import keep_file
from deploy.sandbox.clock import now, stamp
from deploy.sandbox.settings import SandboxSettings

LINES_AT_A_TIME = 1_000
# What is booked soon is not read from the disk again.
BATCHES_IN_HAND_MAX = 8
LINES_IN_HAND_MAX = 5_000
CODES = {reason.words: reason.code for reason in LineReason}
TRANSFER = msgspec.json.Decoder(Transfer)
ENCODER = msgspec.json.Encoder()


class Bank:
    def __init__(self, settings: SandboxSettings) -> None:
        self.folder = settings.data_dir / "bank"
        self.state = State(settings, self.folder)

    async def take(
        self, batch: Batch, transfers: Iterable[Transfer], *, hold: bool = False
    ) -> tuple[Received, bool]:
        """Take a batch in, or find it again; say whether it is new.

        It is booked later, in its turn; `hold`: not before it is released by hand. `transfers` is
        read once, off the event loop. Raises `AlreadyTaken` where its name or number belongs to
        other content, and whatever `transfers` raises: then nothing was taken.
        """
        async with self.state.turn:
            known = self._find(batch.name, batch.digest, batch.number)
            if known:
                return known, False
            spooled = await asyncio.to_thread(
                _spool, self._spool_of(batch.number), batch.count, transfers
            )
            accepted = Accepted(
                at=stamp(now()),
                name=batch.name,
                digest=batch.digest,
                batch=batch.number,
                payer=batch.payer,
                currency=batch.currency,
                count=batch.count,
                total_fen=batch.total_fen,
                debits=tuple(batch.debits),
                held=hold,
            )
            await self.state.keep([accepted])
            self.state.turn.notify_all()
            received = self.state.by_number[batch.number]
            if len(self.state.waiting) <= BATCHES_IN_HAND_MAX:
                received.in_hand = spooled
            return received, True

    async def turn_away(
        self, name: str, digest: str, number: str | None, code: str, reason: str
    ) -> tuple[Received, bool]:
        """Refuse a whole batch: its name and its number, where it has one, are used up.

        Answers and raises as `take` does.
        """
        async with self.state.turn:
            known = self._find(name, digest, number)
            if known:
                return known, False
            await self.state.keep([TurnedAway(stamp(now()), name, digest, number, code, reason)])
            return self.state.by_name[name], True

    def known(self, name: str) -> Received | None:
        return self.state.by_name.get(name)

    def batch(self, number: str) -> Received | None:
        return self.state.by_number.get(number)

    def outcomes(self, received: Received) -> Iterator[Outcome]:
        """Read from the disk what became of the batch's lines, in order, as far as decided."""
        for line in self.state.journal.book_lines(received.lines_from, received.lines_to):
            if line.batch == received.batch and line.line:
                yield _outcome(line, received.order)

    def payers(self) -> list[str]:
        """Give the accounts that have paid, were moved by hand, or were asked about."""
        return self.state.ledger.payers()

    async def movements(self, payer: str, after: int, limit: int) -> list[Movement]:
        """Give the movements of an account behind a number (0: from the first), oldest first."""
        async with self.state.turn:
            offsets = self.state.ledger.payer(payer).after(after, limit)
            return list(self.state.journal.movements(offsets))

    async def statement(self, payer: str, day: date) -> Statement:
        """Give a day of an account as it is now; whether the day is over, the door must ask."""
        async with self.state.turn:
            opening_fen, closing_fen, offsets = self.state.ledger.payer(payer).day(day)
            lines = self.state.journal.movements(offsets)
            return Statement(day, opening_fen, closing_fen, len(offsets), lines)

    async def note(self, door: str, texts: Sequence[str]) -> None:
        """Keep words of a door, all or none; they are there after a kill, and follow a restore."""
        async with self.state.turn:
            await self.state.keep([Note(door, text) for text in texts])

    def notes(self, door: str) -> Iterator[str]:
        """Read a door's notes from the disk, oldest first."""
        offsets = list(self.state.notes.get(door, ()))
        for note in self.state.journal.notes(offsets):
            yield note.text

    def book(self) -> Iterator[bytes]:
        """Give the book as it is shown, oldest line first, in chunks."""
        return self.state.journal.shown()

    async def work(self) -> None:
        """Book what was taken in, for as long as the bank is open."""
        while True:
            async with self.state.turn:
                await self.state.turn.wait_for(lambda: bool(self.state.waiting))
                await self._book_some(self.state.waiting[0])
                self.state.turn.notify_all()

    async def all_processed(self) -> None:
        """Wait until every batch that is not held is closed."""
        async with self.state.turn:
            await self.state.turn.wait_for(lambda: not self.state.waiting)

    def _find(self, name: str, digest: str, number: str | None) -> Received | None:
        known = self.known(name)
        if known and known.digest == digest:
            return known
        if known:
            raise AlreadyTaken(FileReason.NAME_TAKEN)
        if number in self.state.by_number:
            raise AlreadyTaken(FileReason.BATCH_TAKEN)
        return None

    async def _book_some(self, received: Received) -> None:
        """Book the next lines of a batch; the last ones close it."""
        transfers = self._next_transfers(received)
        at, entries = stamp(now()), list[Entry]()
        debit_ends = set(accumulate(received.debits))
        for place, transfer in enumerate(transfers, received.decided + 1):
            line = self._decide(received, place, transfer, at)
            entries.append(line)
            if not debit_ends and line.status == "booked":
                entries.append(self._debit_one(received, transfer))
            elif place in debit_ends and received.undebited_fen:
                entries.append(self._debit_all(received))
        if received.decided + len(transfers) == received.count:
            entries.append(Closed(at, received.number))
        await self.state.keep(entries)

    def _decide(self, received: Received, place: int, transfer: Transfer, at: str) -> BookLine:
        reason = self.state.ledger.judge(received.payer, received.currency, transfer)
        line = BookLine(
            at=at,
            batch=received.number,
            line=place,
            account=transfer.account,
            name=transfer.name,
            amount=yuan(transfer.amount_fen),
            currency=received.currency,
            status="refused" if reason else "booked",
            reason=reason.words if reason else None,
            instruction_id=transfer.instruction_id,
        )
        self.state.credit(received, line, transfer.amount_fen)
        return line

    def _debit_one(self, received: Received, transfer: Transfer) -> Movement:
        return self.state.move(
            received.payer,
            Kind.PAYOUT,
            transfer.amount_fen,
            batch=received.number,
            instruction_id=transfer.instruction_id,
            party=transfer.name,
            party_account=transfer.account,
            remark=transfer.remark,
        )

    def _debit_all(self, received: Received) -> Movement:
        """Debit the payer for all that is booked and not debited yet."""
        amount_fen = received.undebited_fen
        return self.state.move(received.payer, Kind.PAYOUT, amount_fen, batch=received.number)

    def _next_transfers(self, received: Received) -> Sequence[Transfer]:
        if received.in_hand:
            return received.in_hand[received.decided : received.decided + LINES_AT_A_TIME]
        with self._spool_of(received.number).open("rb") as file:
            if received.decided and not received.spool_at:
                # Taken up after a kill: what is decided already is read past.
                received.spool_at = sum(map(len, islice(file, received.decided)))
            file.seek(received.spool_at)
            lines = list(islice(file, LINES_AT_A_TIME))
        content = b"".join(lines)
        received.spool_at += len(content)
        return TRANSFER.decode_lines(content)

    def _spool_of(self, number: str) -> Path:
        return self.folder / "batches" / f"{number}.jsonl"


def _spool(path: Path, count: int, transfers: Iterable[Transfer]) -> list[Transfer]:
    """Keep the transfers on the disk; give them again, unless they are many."""
    spooled, in_hand = 0, list[Transfer]()

    def lines() -> Iterator[bytes]:
        nonlocal spooled
        one_by_one = iter(transfers)
        while some := list(islice(one_by_one, LINES_AT_A_TIME)):
            spooled += len(some)
            if count <= LINES_IN_HAND_MAX:
                in_hand.extend(some)
            yield ENCODER.encode_lines(some)

    keep_file(path, lines())
    assert spooled == count, "a door counts its transfers"
    return in_hand


def _outcome(line: BookLine, order: int) -> Outcome:
    booked = line.reason is None
    day = line.at[:10].replace("-", "") if booked else ""
    return Outcome(
        amount_fen=fen(line.amount),
        code="" if line.reason is None else CODES[line.reason],
        words=line.reason or "",
        serial=f"{day}{order:08d}{line.line:06d}" if booked else "",
        day=day,
        line=line.line,
        account=line.account,
        name=line.name,
        instruction_id=line.instruction_id,
    )
