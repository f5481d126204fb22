"""The drop folder's door: looks for orders all the time, answers and reports into the folder."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.batches import AlreadyTaken, Batch, Transfer
from deploy.sandbox.bank.iso import pain001
from deploy.sandbox.bank.iso.accounts import Accounts
from deploy.sandbox.bank.iso.folder import Folder, digest_of, number_in
from deploy.sandbox.bank.iso.notes import Forgotten, Memory, Noticed, Reported, Stated
from deploy.sandbox.bank.iso.pain001 import CONTROL_SUM, Order, OrderRefused
from deploy.sandbox.bank.iso.reports import Reports
from deploy.sandbox.faults import Faults, IsoOrderFault

LOOKS_EVERY_S = 0.05
TELLS_EVERY_LOOKS = 4
WORDS = {CONTROL_SUM: "笔数或金额与汇总不符"}
MALFORMED = "报文不合规"


class StatementOrder(BaseModel):
    account: Annotated[str, StringConstraints(pattern=r"^[0-9]{6,32}$")]
    day: date


class IsoDoor:
    def __init__(self, bank: Bank, faults: Faults, root: Path) -> None:
        self._bank = bank
        self._faults = faults
        self._folder = Folder(root)
        self._reports = Reports(bank, self._folder, faults)
        self._accounts = Accounts(bank, self._folder, faults)
        self._memory = Memory(bank)

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/bank/iso", tags=["bank, drop folder"])
        router.add_api_route("/statements", self.order_statement, methods=["POST"])
        return router

    async def order_statement(self, order: StatementOrder) -> dict[str, str]:
        """Write the statement of a day as it is now, as a counter prints one on demand."""
        return {"name": await self._accounts.state_now(order.account, order.day)}

    async def work(self) -> None:
        """Serve the folder for as long as the bank is open."""
        await self.catch_up()
        while True:
            for _ in range(TELLS_EVERY_LOOKS):
                await self.look()
                await asyncio.sleep(LOOKS_EVERY_S)
            await self.tell()

    async def catch_up(self) -> None:
        """Write the files that were announced in the notes when a kill came."""
        for said in self._memory.all():
            if self._folder.has(said.name):
                continue
            match said:
                case Reported():
                    await self._reports.write(said)
                case Noticed():
                    await self._accounts.write_notice(said)
                case Stated():
                    await self._accounts.write_statement(said)

    async def look(self) -> None:
        """Take in what lies in to-bank/, and report on what has been booked."""
        self._remember()
        with suppress(Forgotten):
            for path in self._folder.orders():
                await self._take_in(path)
            await self._reports.finish(self._memory)

    async def tell(self) -> None:
        """Tell what has moved, and state the days that are over."""
        self._remember()
        await self._accounts.tell(self._memory)

    def _remember(self) -> None:
        if not self._memory.holds:
            self._memory = Memory(self._bank)

    async def _take_in(self, path: Path) -> None:
        """Take an order in and answer it; a kill in between leaves it there, to be asked again."""
        digest = await asyncio.to_thread(digest_of, path)
        order_id = number_in(path.name)
        try:
            order = await asyncio.to_thread(_check, path)
        except OrderRefused as refused:
            order_id = refused.message_id or order_id
            words = WORDS.get(refused.code, MALFORMED)
            taking = self._bank.turn_away(
                path.name, digest, refused.message_id, refused.code, words
            )
        else:
            order_id = order.message_id
            hold = self._faults.take(IsoOrderFault) is not None
            batch = _batch(path.name, digest, order)
            taking = self._bank.take(batch, _transfers(path), hold=hold)
        try:
            received, _new = await taking
        except AlreadyTaken as taken:
            await self._reports.refuse_duplicate(self._memory, order_id, taken.reason.words)
            self._folder.set_refused(path, digest)
            return
        await self._reports.answer(self._memory, order_id, received)
        self._folder.set_taken(path)


def _check(path: Path) -> Order:
    with path.open("rb") as file:
        return pain001.check(file)


def _batch(name: str, digest: str, order: Order) -> Batch:
    return Batch(
        name=name,
        digest=digest,
        number=order.message_id,
        payer=order.payer,
        currency=order.currency,
        count=order.count,
        total_fen=order.total_fen,
        debits=[order.count],
    )


def _transfers(path: Path) -> Iterator[Transfer]:
    with path.open("rb") as file:
        for one in pain001.transactions(file):
            yield Transfer(one.account, one.name, one.amount_fen, one.instruction_id, one.remark)
