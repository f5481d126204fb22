"""What whoever tests does to the bank, and sees of it, past every door.

An order of several is carried out whole or not at all.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response, StreamingResponse

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.batches import fen, yuan
from deploy.sandbox.bank.journal import AccountSet, Entry, Released
from deploy.sandbox.bank.ledger import Standing
from deploy.sandbox.bank.movements import Kind, Movement
from deploy.sandbox.bank.reasons import LineReason
from deploy.sandbox.books import keep_file
from deploy.sandbox.clock import now, stamp

Filled = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Text = Annotated[str, StringConstraints(max_length=128)]
Payer = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,32}$")]
Yuan = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,12})\.[0-9]{2}$")]
ReasonCode = Annotated[str, StringConstraints(pattern=r"^000[1-8]$")]
REASONS = {reason.code: reason for reason in LineReason}


class AccountSetting(BaseModel):
    account: Filled
    name: Filled
    status: Standing = Standing.OPEN


class GivenBack(BaseModel):
    """A booked transfer that comes back: return is 退票, reversal is 冲账."""

    instruction_id: Filled
    reason: ReasonCode
    kind: Literal["return", "reversal"] = "return"


class Deposit(BaseModel):
    account: Payer
    amount: Yuan
    party: Filled
    party_account: Text = ""
    remark: Text = ""


class HandedOut(Deposit):
    kind: Literal["transfer", "fee"] = "transfer"


class MovementShown(BaseModel):
    bank_ref: str
    booked_on: str
    kind: Kind
    amount: str


class PayerShown(BaseModel):
    account: str
    balance: str
    movements: int = Field(description="how many there are")


class Hand:
    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._state = bank.state
        self._backup = bank.folder / "backup"

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/bank", tags=["bank, by hand"])
        router.add_api_route("/accounts", self.set_accounts, methods=["POST"])
        router.add_api_route("/book", self.get_book, methods=["GET"], response_class=Response)
        router.add_api_route("/payers/{account}", self.payer, methods=["GET"])
        for path, work in (
            ("/returns", self.give_back),
            ("/deposits", self.pay_in),
            ("/transfers", self.hand_out),
            ("/release", self.release),
            ("/backup", self.back_up),
            ("/restore", self.restore),
        ):
            router.add_api_route(path, work, methods=["POST"])
        return router

    async def set_accounts(self, accounts: list[AccountSetting]) -> dict[str, int]:
        """Open, close, freeze or rename accounts."""
        async with self._state.turn:
            at = stamp(now())
            await self._state.keep(
                [AccountSet(at, one.account, one.name, one.status) for one in accounts]
            )
        return {"set": len(accounts)}

    async def get_book(self) -> Response:
        return StreamingResponse(self._bank.book(), media_type="application/x-ndjson")

    async def payer(self, account: Payer) -> PayerShown:
        """Show a payer's account; the first look at one opens it."""
        book = self._state.ledger.payer(account)
        return PayerShown(account=account, balance=yuan(book.balance_fen), movements=book.count)

    async def give_back(self, returns: list[GivenBack]) -> list[MovementShown]:
        """Give booked transfers back to the payer: 404 never booked, 409 given back already."""
        async with self._state.turn:
            ledger = self._state.ledger
            ids = [one.instruction_id for one in returns]
            if any(ledger.booked_at(one) is None for one in ids):
                raise HTTPException(404, "NOT_FOUND")
            if len(set(ids)) < len(ids) or not ledger.given_back.isdisjoint(ids):
                raise HTTPException(409, "GIVEN_BACK")
            given_back = [self._given_back(one) for one in returns]
            await self._state.keep([entry for pair in given_back for entry in pair])
        return [_shown(movement) for _, movement in given_back]

    async def pay_in(self, deposits: list[Deposit]) -> list[MovementShown]:
        """Credit payers' accounts."""
        async with self._state.turn:
            return await self._keep([self._moved(Kind.DEPOSIT, one) for one in deposits])

    async def hand_out(self, transfers: list[HandedOut]) -> list[MovementShown]:
        """Debit payers' accounts: to somebody, or the bank's fee; 409 above what is there."""
        async with self._state.turn:
            owed_fen: dict[str, int] = {}
            for one in transfers:
                owed_fen[one.account] = owed_fen.get(one.account, 0) + fen(one.amount)
            ledger = self._state.ledger
            if any(ledger.payer(payer).available_fen < owed for payer, owed in owed_fen.items()):
                raise HTTPException(409, "NO_FUNDS")
            return await self._keep([self._moved(Kind(one.kind), one) for one in transfers])

    async def release(self) -> dict[str, int]:
        """Let everything be booked that was held back."""
        async with self._state.turn:
            held = sum(received.held for received in self._state.by_name.values())
            await self._state.keep([Released(stamp(now()))])
            self._state.turn.notify_all()
        return {"released": held}

    async def back_up(self) -> dict[str, int]:
        """Keep the bank as it is now, in place of any backup before."""
        async with self._state.turn:
            size = self._state.journal.size
            keep_file(self._backup, [msgspec.json.encode(size)])
        return {"bytes": size}

    async def restore(self) -> dict[str, int]:
        """Make the bank what it was at the backup: all that came later is forgotten. 404: none."""
        async with self._state.turn:
            if not self._backup.exists():
                raise HTTPException(404, "NO_BACKUP")
            # The journal only ever grows, so what it was is its beginning.
            size = msgspec.json.decode(self._backup.read_bytes(), type=int)
            self._state.journal.cut(size)
            self._state.read()
            self._state.turn.notify_all()
        return {"bytes": size}

    def _given_back(self, order: GivenBack) -> tuple[Entry, Movement]:
        offset = self._state.ledger.booked_at(order.instruction_id)
        assert offset is not None, "what was never booked has been turned away"
        line = self._state.journal.book_line(offset)
        reason = REASONS[order.reason]
        returned = msgspec.structs.replace(
            line, at=stamp(now()), line=0, status="returned", reason=reason.words
        )
        movement = self._state.move(
            self._state.by_number[line.batch].payer,
            Kind(order.kind),
            fen(line.amount),
            batch=line.batch,
            instruction_id=line.instruction_id,
            code=reason.code,
            reason=reason.words,
            party=line.name,
            party_account=line.account,
        )
        return returned, movement

    def _moved(self, kind: Kind, order: Deposit) -> Movement:
        return self._state.move(
            order.account,
            kind,
            fen(order.amount),
            party=order.party,
            party_account=order.party_account,
            remark=order.remark,
        )

    async def _keep(self, movements: Sequence[Movement]) -> list[MovementShown]:
        await self._state.keep(movements)
        return [_shown(movement) for movement in movements]


def _shown(movement: Movement) -> MovementShown:
    return MovementShown(
        bank_ref=str(movement.ref),
        booked_on=movement.booked_on.isoformat(),
        kind=movement.kind,
        amount=yuan(movement.amount_fen),
    )
