"""The counter where a payer asks for movements and day statements, over HTTP, in CSV."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from deploy.sandbox.bank import csvpages
from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.files import not_found
from deploy.sandbox.bank.movements import Statement
from deploy.sandbox.bank.spoil import spoil_bytes, spoil_movements
from deploy.sandbox.clock import CHINA, today
from deploy.sandbox.faults import BankMovementsFault, Faults

PAGE_MOVEMENTS_MAX = 1_000

Account = Annotated[str, Path(pattern=r"^[0-9]{6,32}$")]


class StatementCounter:
    def __init__(self, bank: Bank, faults: Faults) -> None:
        self._bank = bank
        self._faults = faults

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/bank/accounts/{account}", tags=["bank"])
        router.add_api_route(
            "/movements.csv", self.get_movements, methods=["GET"], response_class=Response
        )
        router.add_api_route(
            "/statements/{day}.csv", self.get_statement, methods=["GET"], response_class=Response
        )
        return router

    async def get_movements(
        self, account: Account, after: Annotated[int, Query(ge=0)] = 0
    ) -> Response:
        """Give at most a thousand movements behind a 流水号, oldest first; 0: from the first."""
        fault = self._faults.take(BankMovementsFault)
        movements = await self._bank.movements(account, after, PAGE_MOVEMENTS_MAX)
        kind = fault.kind if fault else ""
        return _page(csvpages.movements_page(spoil_movements(kind, movements)), kind)

    async def get_statement(
        self, account: Account, day: str, upto: Literal["now"] | None = None
    ) -> Response:
        """Give a day (yyyymmdd) that is over; `upto=now`: today so far. Else 404."""
        asked = _day(day)
        if asked is None or asked > today() or (asked == today() and upto is None):
            return not_found()
        fault = self._faults.take(BankMovementsFault)
        statement = await self._bank.statement(account, asked)
        kind = fault.kind if fault else ""
        return _page(await asyncio.to_thread(_statement_page, statement, kind), kind)


def _statement_page(statement: Statement, kind: str) -> bytes:
    movements = spoil_movements(kind, list(statement.lines)) if kind else statement.lines
    return csvpages.statement_page(statement, movements)


def _page(content: bytes, kind: str) -> Response:
    content = spoil_bytes(kind, content, csvpages.ENCODING)
    return Response(content, media_type=f"text/csv; charset={csvpages.ENCODING}")


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=CHINA).date()
    except ValueError:
        return None
