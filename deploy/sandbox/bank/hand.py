"""What whoever tests does to the bank, and sees of it, past every door."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response, StreamingResponse

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.journal import AccountSet
from deploy.sandbox.bank.ledger import Standing
from deploy.sandbox.clock import now, stamp

Filled = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class AccountSetting(BaseModel):
    account: Filled
    name: Filled
    status: Standing = Standing.OPEN


class Hand:
    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._state = bank.state

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/bank", tags=["bank, by hand"])
        router.add_api_route("/accounts", self.set_accounts, methods=["POST"])
        router.add_api_route("/book", self.get_book, methods=["GET"], response_class=Response)
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
