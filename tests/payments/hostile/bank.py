"""The sandbox's bank in this process: its real doors and books, its work and its scans by hand."""

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import msgspec
from fastapi import FastAPI

from deploy.sandbox import faults as orders
from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.cmb import envelope
from deploy.sandbox.bank.cmb.door import CmbDoor
from deploy.sandbox.bank.files import FileCounter
from deploy.sandbox.bank.hand import AccountSetting, Deposit, GivenBack, Hand, HandedOut
from deploy.sandbox.bank.iso.door import IsoDoor
from deploy.sandbox.bank.journal import BookLine
from deploy.sandbox.bank.ledger import Standing
from deploy.sandbox.bank.movements import Movement
from deploy.sandbox.bank.statements import StatementCounter
from deploy.sandbox.settings import SandboxSettings
from services.payments.channels.cmb.envelope import Keys
from services.payments.channels.cmb.sm2 import Signer, Verifier, public_key_of

OPENING_FEN: Final = 10_000_000_000_00
EVERY_MOVEMENT: Final = 1_000_000
# Why the bank refuses or gives back, in our words.
REASONS: Final = {
    "户名不符": "NAME_DIFFERS",
    "账户已销户": "ACCOUNT_CLOSED",
    "账户冻结": "ACCOUNT_FROZEN",
    "余额不足": "INSUFFICIENT_FUNDS",
}
_UID: Final = "HOSTILE001"
_SM4: Final = bytes(range(16))
_OURS, _THEIRS = bytes([0x11] * 32), bytes([0x22] * 32)
# Points of the curve are worked out once.
_OUR_POINT, _THEIR_POINT = (b"\x04" + public_key_of(key) for key in (_OURS, _THEIRS))

F = TypeVar("F", bound=orders.Fault)
_signer = cache(Signer)


def _sign(private_key: bytes, user: bytes, text: bytes) -> bytes:
    return _signer(private_key, user).sign(text)


def _verify(public_key: bytes, user: bytes, text: bytes, signature: bytes) -> bool:
    return Verifier(public_key, user).is_signed(text, signature)


@contextmanager
def quick_signatures() -> Generator[None]:
    """Have the bank reckon its signatures in C: its own take sixty milliseconds for every call.

    That both reckon alike is held elsewhere, by a program of its own on either side.
    """
    before = envelope.sign, envelope.verify
    envelope.sign, envelope.verify = _sign, _verify
    try:
        yield
    finally:
        envelope.sign, envelope.verify = before


@dataclass
class Fact:
    """What the bank's book says of one transfer in its present life."""

    account: str
    amount_fen: int
    booked: int = 0
    returned: int = 0
    refused: bool = False
    reason: str = ""
    day: date = date.min

    @property
    def net_fen(self) -> int:
        return (self.booked - self.returned) * self.amount_fen


class CountedFaults(orders.Faults):
    """Counts what has struck."""

    def __init__(self, struck: Counter[str]) -> None:
        super().__init__()
        self._struck = struck

    def take(self, target: type[F]) -> F | None:
        fault = super().take(target)
        if fault is not None:
            known: Any = fault
            self._struck[f"{known.target}.{known.kind}"] += 1
        return fault


class OtherSide:
    """A bank over a folder of books; `begin` and `end` stand for its process."""

    def __init__(self, folder: Path, struck: Counter[str]) -> None:
        self.folder = folder
        self.wire = folder / "wire"
        self._struck = struck
        self._settings = SandboxSettings(
            data_dir=folder / "books",
            iso_dir=self.wire,
            cmb_sm4_key=_SM4.hex(),
            cmb_bank_private_key=_THEIRS.hex(),
            cmb_client_public_key=_OUR_POINT.hex(),
        )
        self.has_backup = False

    def begin(self) -> None:
        self.faults = CountedFaults(self._struck)
        self.bank = Bank(self._settings)
        self.hand = Hand(self.bank)
        self.iso = IsoDoor(self.bank, self.faults, self.wire)
        app = FastAPI()
        app.include_router(FileCounter(self.bank, self.faults, self._settings).routes())
        app.include_router(StatementCounter(self.bank, self.faults).routes())
        app.include_router(CmbDoor(self.bank, self.faults, self._settings).routes())
        self.door = httpx.ASGITransport(app)
        self._work = asyncio.create_task(self.bank.work())

    async def end(self) -> None:
        async with self.bank.state.turn:
            self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)

    async def killed(self) -> None:
        """Be killed and started over the same books; fault orders end with the process."""
        await self.end()
        self.begin()
        await self.iso.catch_up()

    @staticmethod
    def keys() -> Keys:
        return Keys(_UID, _SM4, _OURS, _THEIR_POINT)

    async def at_rest(self) -> None:
        """Wait until all that may be booked is booked."""
        await self.bank.all_processed()

    async def look(self) -> None:
        """Serve the drop folder: take in, book, report, tell."""
        await self.iso.look()
        await self.at_rest()
        await self.iso.look()
        await self.iso.tell()

    async def order(self, target: str, kind: str) -> None:
        fault = {"target": target, "kind": kind}
        await self.faults.order(orders.FaultOrder.model_validate(fault))

    async def set_account(self, account: str, name: str, standing: Standing) -> None:
        await self.hand.set_accounts([AccountSetting(account=account, name=name, status=standing)])

    async def give_back(self, instruction_id: str, reason: str, *, same_day: bool) -> None:
        kind = "reversal" if same_day else "return"
        order = {"instruction_id": instruction_id, "reason": reason, "kind": kind}
        await self.hand.give_back([GivenBack.model_validate(order)])

    async def pay_in(self, account: str, amount: str) -> None:
        await self.hand.pay_in([Deposit(account=account, amount=amount, party="某单位")])

    async def hand_out(self, account: str, amount: str) -> None:
        await self.hand.hand_out([HandedOut(account=account, amount=amount, party="某单位")])

    def put_before_again(self, batch_no: str) -> bool:
        """Have the bank's operator put an order before the bank that it has taken and forgotten.

        Its customer cannot: the order lies with those taken, and the reports from before with it.
        """
        taken = list((self.wire / "to-bank" / "taken").glob(f"*_{batch_no}.xml"))
        if self.bank.batch(batch_no) is not None or not taken:
            return False
        taken[0].rename(self.wire / "to-bank" / taken[0].name)
        return True

    async def back_up(self) -> None:
        await self.hand.back_up()
        self.has_backup = True

    async def restore(self) -> None:
        await self.hand.restore()
        await self.at_rest()

    def facts(self) -> dict[str, Fact]:
        """Read the book, by instruction id."""
        found: dict[str, Fact] = {}
        decoder = msgspec.json.Decoder(BookLine)
        for text in b"".join(self.bank.book()).splitlines():
            line = decoder.decode(text)
            amount_fen = int(line.amount.replace(".", ""))
            fact = found.setdefault(line.instruction_id, Fact(line.account, amount_fen))
            fact.booked += line.status == "booked"
            fact.returned += line.status == "returned"
            fact.refused = not fact.booked
            fact.reason = REASONS.get(line.reason or "", "OTHER") if line.reason else ""
            fact.day = date.fromisoformat(line.at[:10])
        return found

    def balance_fen(self, account: str) -> int:
        return self.bank.state.ledger.payer(account).balance_fen

    def available_fen(self, account: str) -> int:
        return self.bank.state.ledger.payer(account).available_fen

    async def movements(self, account: str) -> list[Movement]:
        return await self.bank.movements(account, 0, EVERY_MOVEMENT)
