"""The bank itself: takes files, books them in the order they came, and keeps what it did on disk.

A file is kept and journalled before it is answered; its lines go into the book in one append, then
the result file is kept, then the batch is closed. A bank that was killed anywhere between takes the
batch up again at the first line that is not in the book.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec

from deploy.sandbox.bank import batchfile
from deploy.sandbox.bank.batchfile import BatchFile, Outcome, yuan
from deploy.sandbox.bank.journal import (
    AccountSet,
    BatchClosed,
    BookLine,
    FileAccepted,
    FileEntry,
    FileTurnedAway,
)
from deploy.sandbox.bank.ledger import Ledger, Standing
from deploy.sandbox.bank.reasons import FileReason, FileRefused, LineReason
from deploy.sandbox.books import Book, keep_file
from deploy.sandbox.clock import now, stamp
from deploy.sandbox.settings import SandboxSettings

CODES = {reason.words: reason.code for reason in LineReason}


@dataclass(slots=True)
class Received:
    """A file the bank has taken in, and how far it got with it."""

    order: int
    name: str
    sha256: str
    batch: str | None
    status: str
    payer: str = ""
    code: str | None = None
    reason: str | None = None
    count: int = 0
    total_fen: int = 0
    booked: int = 0
    refused_lines: int = 0


class AlreadyTaken(Exception):
    """The name or the batch number belongs to another file."""

    def __init__(self, reason: FileReason) -> None:
        super().__init__(reason.words)
        self.reason = reason


class Bank:
    def __init__(self, settings: SandboxSettings) -> None:
        folder = settings.data_dir / "bank"
        self._files = folder / "files"
        self._lines_max = settings.bank_file_lines_max
        self._ledger = Ledger(
            _fen(settings.bank_opening_balance_yuan), _fen(settings.bank_line_limit_yuan)
        )
        self._journal = Book(folder / "files.jsonl")
        self._accounts = Book(folder / "accounts.jsonl")
        self._book = Book(folder / "book.jsonl")
        self._by_name: dict[str, Received] = {}
        self._by_batch: dict[str, Received] = {}
        self._begun: defaultdict[str, list[BookLine]] = defaultdict(list)
        self._door = asyncio.Lock()
        self._queue: asyncio.Queue[Received] = asyncio.Queue()
        self._read_books()

    async def receive(self, name: str, content: bytes) -> tuple[Received, bool]:
        """Take a file in, or find it again; say whether it is new."""
        if not batchfile.FILE_NAME.fullmatch(name):
            raise FileRefused(FileReason.NAME)
        sha256 = hashlib.sha256(content).hexdigest()
        async with self._door:
            known = self._by_name.get(name)
            if known and known.sha256 == sha256:
                return known, False
            if known:
                raise AlreadyTaken(FileReason.NAME_TAKEN)
            entry = self._look_through(name, sha256, content)
            if entry.batch in self._by_batch:
                raise AlreadyTaken(FileReason.BATCH_TAKEN)
            await asyncio.to_thread(keep_file, self._files / name, content)
            await self._journal.append([msgspec.json.encode(entry)])
            received = self._file(entry)
            if received.status == "received":
                self._queue.put_nowait(received)
            return received, True

    async def work(self) -> None:
        """Book what was taken in, for as long as the bank is open."""
        while True:
            received = await self._queue.get()
            await self._process(received)
            self._queue.task_done()

    async def all_processed(self) -> None:
        await self._queue.join()

    def batch(self, number: str) -> Received | None:
        return self._by_batch.get(number)

    def file(self, name: str) -> Received | None:
        return self._by_name.get(name)

    async def result(self, received: Received) -> bytes:
        return await asyncio.to_thread(self._result_path(received).read_bytes)

    def book(self) -> Iterator[bytes]:
        return self._book.chunks()

    async def set_accounts(self, accounts: Sequence[tuple[str, str, Standing]]) -> None:
        for account, name, standing in accounts:
            self._ledger.set_account(account, name, standing)
        at = stamp(now())
        await self._accounts.append(
            [msgspec.json.encode(AccountSet(at, *account)) for account in accounts]
        )

    def _look_through(
        self, name: str, sha256: str, content: bytes
    ) -> FileAccepted | FileTurnedAway:
        at = stamp(now())
        try:
            file = batchfile.read(content, self._lines_max)
        except FileRefused as refusal:
            reason = refusal.reason
            return FileTurnedAway(at, name, sha256, refusal.batch, reason.code, reason.words)
        count = len(file.transfers)
        return FileAccepted(at, name, sha256, file.number, file.payer, count, file.total_fen)

    def _file(self, entry: FileAccepted | FileTurnedAway) -> Received:
        order = len(self._by_name) + 1
        match entry:
            case FileAccepted():
                received = Received(
                    order=order,
                    name=entry.name,
                    sha256=entry.sha256,
                    batch=entry.batch,
                    status="received",
                    payer=entry.payer,
                    count=entry.count,
                    total_fen=entry.total_fen,
                )
            case FileTurnedAway():
                received = Received(
                    order=order,
                    name=entry.name,
                    sha256=entry.sha256,
                    batch=entry.batch,
                    status="refused",
                    code=entry.code,
                    reason=entry.reason,
                )
        self._by_name[entry.name] = received
        if entry.batch is not None:
            self._by_batch[entry.batch] = received
        return received

    async def _process(self, received: Received) -> None:
        received.status = "processing"
        content = await asyncio.to_thread((self._files / received.name).read_bytes)
        file = batchfile.read(content, self._lines_max)
        lines = self._begun.pop(file.number, [])
        fresh = self._decide(file, begun=len(lines))
        await self._book.append([msgspec.json.encode(line) for line in fresh])
        outcomes = [_outcome(line, received.order) for line in (*lines, *fresh)]
        result = batchfile.write_result(file, outcomes)
        await asyncio.to_thread(keep_file, self._result_path(received), result)
        booked = sum(outcome.booked for outcome in outcomes)
        closed = BatchClosed(stamp(now()), received.name, booked, len(outcomes) - booked)
        await self._journal.append([msgspec.json.encode(closed)])
        _close(received, closed)

    def _decide(self, file: BatchFile, begun: int) -> list[BookLine]:
        """Decide every line that is not in the book yet, each after the one before it."""
        at = stamp(now())
        lines: list[BookLine] = []
        for place, transfer in enumerate(file.transfers[begun:], begun + 1):
            reason = self._ledger.judge(file.payer, file.currency, transfer)
            line = BookLine(
                at=at,
                batch=file.number,
                line=place,
                account=transfer.account,
                name=transfer.name,
                amount=yuan(transfer.amount_fen),
                currency=file.currency,
                status="refused" if reason else "booked",
                reason=reason.words if reason else None,
                instruction_id=transfer.instruction_id,
            )
            self._credit(file.payer, line)
            lines.append(line)
        return lines

    def _credit(self, payer: str, line: BookLine) -> None:
        if line.status == "booked":
            amount_fen = batchfile.fen(line.amount)
            self._ledger.credit(payer, line.account, line.name, amount_fen, line.instruction_id)

    def _result_path(self, received: Received) -> Path:
        return self._files / f"{received.name}.ret"

    def _read_books(self) -> None:
        """Know again what was known before; go on where a kill broke off."""
        entries = msgspec.json.Decoder(FileEntry)
        for _, text in self._journal.lines():
            entry = entries.decode(text)
            if isinstance(entry, BatchClosed):
                _close(self._by_name[entry.name], entry)
            else:
                self._file(entry)
        book_lines = msgspec.json.Decoder(BookLine)
        for _, text in self._book.lines():
            line = book_lines.decode(text)
            received = self._by_batch[line.batch]
            self._credit(received.payer, line)
            if received.status != "closed":
                self._begun[line.batch].append(line)
        # Set by hand goes last: a credit never changes an account that is there.
        accounts = msgspec.json.Decoder(AccountSet)
        for _, text in self._accounts.lines():
            account = accounts.decode(text)
            self._ledger.set_account(account.account, account.name, account.status)
        for received in self._by_name.values():
            if received.status == "received":
                self._queue.put_nowait(received)


def _outcome(line: BookLine, order: int) -> Outcome:
    amount_fen = batchfile.fen(line.amount)
    if line.reason is not None:
        return Outcome(amount_fen, CODES[line.reason], line.reason)
    day = line.at[:10].replace("-", "")
    return Outcome(amount_fen, serial=f"{day}{order:08d}{line.line:06d}", day=day)


def _close(received: Received, closed: BatchClosed) -> None:
    received.status = "closed"
    received.booked = closed.booked
    received.refused_lines = closed.refused_lines


def _fen(amount: Decimal) -> int:
    return int(amount * 100)
