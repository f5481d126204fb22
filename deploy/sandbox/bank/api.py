"""The bank's counter: what it answers over HTTP."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, StringConstraints
from starlette.responses import JSONResponse, Response, StreamingResponse

from deploy.sandbox.bank.bank import AlreadyTaken, Bank, Received
from deploy.sandbox.bank.batchfile import yuan
from deploy.sandbox.bank.ledger import Standing
from deploy.sandbox.bank.reasons import FileReason, FileRefused
from deploy.sandbox.bank.spoil import spoil
from deploy.sandbox.faults import BankResultFault, BankUploadFault, Faults
from deploy.sandbox.wire import HangUp

Filled = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class AccountSetting(BaseModel):
    account: Filled
    name: Filled
    status: Standing = Standing.OPEN


class BatchState(BaseModel):
    """status is received, processing, closed, or refused (whole; code and reason say why)."""

    batch: str | None
    name: str
    status: str
    code: str | None
    reason: str | None
    count: int
    total: str
    booked: int
    refused_lines: int


class Counter:
    def __init__(self, bank: Bank, faults: Faults, file_bytes_max: int) -> None:
        self._bank = bank
        self._faults = faults
        self._file_bytes_max = file_bytes_max

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/bank", tags=["bank"])
        router.add_api_route(
            "/files/{name}", self.put_file, methods=["PUT"], response_model=BatchState
        )
        router.add_api_route(
            "/files/{name}.ret", self.get_result, methods=["GET"], response_class=Response
        )
        router.add_api_route(
            "/batches/{number}", self.get_batch, methods=["GET"], response_model=BatchState
        )
        router.add_api_route("/accounts", self.set_accounts, methods=["POST"])
        router.add_api_route("/book", self.get_book, methods=["GET"], response_class=Response)
        return router

    async def put_file(self, name: str, request: Request) -> Response:
        """Take a batch file: 201 new, 200 the same again, 409 taken, 422 refused whole."""
        fault = self._faults.take(BankUploadFault)
        content = await _body(request, self._file_bytes_max)
        if content is None:
            return JSONResponse({"code": "TOO_LARGE", "reason": "文件过大"}, 413)
        match fault and fault.kind:
            case "drop_request":
                return HangUp()
            case "status_500":
                return JSONResponse({"code": "SYSTEM_ERROR", "reason": "系统繁忙"}, 500)
            case "delay":
                assert fault
                await asyncio.sleep(fault.delay_s)
            case _:
                pass
        answer = await self._receive(name, content)
        if fault and fault.kind == "drop_answer":
            await self._bank.all_processed()
            return HangUp()
        return answer

    async def get_result(self, name: str) -> Response:
        """Give the result file; 404 until the batch is closed, 422 if it was refused whole."""
        received = self._bank.file(name if name.endswith(".txt") else f"{name}.txt")
        if received and received.status == "refused":
            return _state(received, 422)
        if received is None or received.status != "closed":
            return _not_found()
        fault = self._faults.take(BankResultFault)
        if fault and fault.kind == "never_ready":
            return _not_found()
        result = await self._bank.result(received)
        if fault:
            result = spoil(fault.kind, result)
        return Response(result, media_type="text/plain; charset=gb18030")

    async def get_batch(self, number: str) -> Response:
        received = self._bank.batch(number)
        return _state(received, 200) if received else _not_found()

    async def set_accounts(self, accounts: list[AccountSetting]) -> dict[str, int]:
        """Open, close, freeze or rename accounts: the hand of whoever tests."""
        await self._bank.set_accounts([(one.account, one.name, one.status) for one in accounts])
        return {"set": len(accounts)}

    async def get_book(self) -> Response:
        return StreamingResponse(self._bank.book(), media_type="application/x-ndjson")

    async def _receive(self, name: str, content: bytes) -> Response:
        try:
            received, new = await self._bank.receive(name, content)
        except AlreadyTaken as taken:
            return _refusal(taken.reason, 409)
        except FileRefused as refused:
            return _refusal(refused.reason, 422)
        if received.status == "refused":
            return _state(received, 422)
        return _state(received, 201 if new else 200)


async def _body(request: Request, bytes_max: int) -> bytes | None:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > bytes_max:
            return None
    return bytes(content)


def _state(received: Received, status: int) -> Response:
    state = BatchState(
        batch=received.batch,
        name=received.name,
        status=received.status,
        code=received.code,
        reason=received.reason,
        count=received.count,
        total=yuan(received.total_fen),
        booked=received.booked,
        refused_lines=received.refused_lines,
    )
    return JSONResponse(state.model_dump(), status)


def _refusal(reason: FileReason, status: int) -> Response:
    return JSONResponse({"code": reason.code, "reason": reason.words}, status)


def _not_found() -> Response:
    return JSONResponse({"code": "NOT_FOUND", "reason": "无此记录"}, 404)
