"""The bank's file counter: batch files in, result files out, over HTTP."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from re import Pattern
from typing import NamedTuple

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from deploy.sandbox.bank import batchfile, fixedfile
from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.batches import AlreadyTaken, Batch, Outcome, Received, yuan
from deploy.sandbox.bank.batchfile import BatchFile, lines_of
from deploy.sandbox.bank.reasons import FileReason, FileRefused
from deploy.sandbox.bank.spoil import spoil_bytes, spoil_lines
from deploy.sandbox.books import keep_file
from deploy.sandbox.faults import BankResultFault, BankUploadFault, Faults
from deploy.sandbox.settings import SandboxSettings
from deploy.sandbox.wire import HangUp


class Format(NamedTuple):
    """A kind of batch file: how it is called, read and answered, and how the payer is debited."""

    name: Pattern[str]
    read: Callable[[bytes, int], BatchFile]
    write: Callable[[bytes, Iterable[tuple[bytes, Outcome]], int], bytes]
    renamed: Callable[[bytes, int, str], bytes]
    charset: str
    lines_max: int
    one_debit: bool


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


class FileCounter:
    """Keeps every file as it came, by its digest: the result file repeats its lines."""

    def __init__(self, bank: Bank, faults: Faults, settings: SandboxSettings) -> None:
        self._bank = bank
        self._faults = faults
        self._bytes_max = settings.bank_file_bytes_max
        self._kept = bank.folder / "files"
        self._formats = (
            Format(
                name=batchfile.FILE_NAME,
                read=batchfile.read,
                write=batchfile.write,
                renamed=batchfile.renamed,
                charset=batchfile.ENCODING,
                lines_max=settings.bank_file_lines_max,
                one_debit=True,
            ),
            Format(
                name=fixedfile.FILE_NAME,
                read=fixedfile.read,
                write=fixedfile.write,
                renamed=fixedfile.renamed,
                charset=fixedfile.ENCODING,
                lines_max=settings.bank_fixed_file_lines_max,
                one_debit=False,
            ),
        )

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
        return router

    async def put_file(self, name: str, request: Request) -> Response:
        """Take a batch file: 201 new, 200 the same again, 409 taken, 422 refused whole."""
        fault = self._faults.take(BankUploadFault)
        content = await _body(request, self._bytes_max)
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
        hold = fault is not None and fault.kind == "hold"
        answer = await self._answer(name, content, hold=hold)
        if fault and fault.kind == "drop_answer":
            await self._bank.all_processed()
            return HangUp()
        return answer

    async def get_result(self, name: str) -> Response:
        """Give the result file; 404 until the batch is closed, 422 if it was refused whole."""
        received = self._bank.known(name if name.endswith(".txt") else f"{name}.txt")
        if received and received.status == "refused":
            return _state(received, 422)
        if received is None or received.status != "closed":
            return not_found()
        fault = self._faults.take(BankResultFault)
        if fault and fault.kind == "never_ready":
            return not_found()
        form = self._format(received.name)
        kind = fault.kind if fault else ""
        result = await asyncio.to_thread(self._result, form, received, kind)
        return Response(result, media_type=f"text/plain; charset={form.charset}")

    async def get_batch(self, number: str) -> Response:
        received = self._bank.batch(number)
        return _state(received, 200) if received else not_found()

    async def _answer(self, name: str, content: bytes, *, hold: bool) -> Response:
        try:
            received, new = await self._receive(name, content, hold=hold)
        except AlreadyTaken as taken:
            return _refusal(taken.reason, 409)
        except FileRefused as refused:
            return _refusal(refused.reason, 422)
        if received.status == "refused":
            return _state(received, 422)
        return _state(received, 201 if new else 200)

    async def _receive(self, name: str, content: bytes, *, hold: bool) -> tuple[Received, bool]:
        form = self._format(name)
        digest = hashlib.sha256(content).hexdigest()
        known = self._bank.known(name)
        if known and known.digest == digest:
            return known, False
        try:
            file = await asyncio.to_thread(form.read, content, form.lines_max)
        except FileRefused as refused:
            reason = refused.reason
            return await self._bank.turn_away(
                name, digest, refused.batch, reason.code, reason.words
            )
        await asyncio.to_thread(keep_file, self._path(digest), [content])
        batch = Batch(
            name=name,
            digest=digest,
            number=file.number,
            payer=file.payer,
            currency=file.currency,
            count=file.count,
            total_fen=file.total_fen,
            debits=[file.count] if form.one_debit else [],
        )
        return await self._bank.take(batch, file.transfers, hold=hold)

    def _result(self, form: Format, received: Received, kind: str) -> bytes:
        """Write the result file, spoilt where a kind of fault says so."""
        lines = lines_of(self._path(received.digest).read_bytes())
        header = next(lines)
        answered: Iterable[tuple[bytes, Outcome]] = zip(
            lines, self._bank.outcomes(received), strict=True
        )
        if kind:
            answered = spoil_lines(kind, list(answered), form.renamed)
        result = form.write(header, answered, int(kind == "wrong_control_sum"))
        return spoil_bytes(kind, result, form.charset)

    def _format(self, name: str) -> Format:
        for form in self._formats:
            if form.name.fullmatch(name):
                return form
        raise FileRefused(FileReason.NAME)

    def _path(self, digest: str) -> Path:
        return self._kept / digest


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


def not_found() -> Response:
    return JSONResponse({"code": "NOT_FOUND", "reason": "无此记录"}, 404)
