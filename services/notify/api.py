"""The HTTP edge of notify: parse, authorise, call, present."""

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.common.kit.auth import CallerDep, require_service, require_staff_or_service
from services.common.kit.problems import TooLarge
from services.notify.schemas import (
    CodeIn,
    MendableOut,
    MendCodeIn,
    MessageOut,
    MessagesOut,
    ReportTaken,
)
from services.notify.settings import Settings
from services.notify.usecases import receipts
from services.notify.usecases.codes import Codes
from services.notify.usecases.mending import Mending
from services.notify.usecases.reading import Reading
from services.notify.usecases.receipts import Receipts

ALIYUN_REPORT: Final = "/provider/aliyun/report"
PAGE_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Door:
    settings: Settings
    codes: Codes
    receipts: Receipts
    reading: Reading
    mending: Mending


def routes(door: Door) -> APIRouter:
    router = APIRouter()

    @router.post("/codes", status_code=202)
    async def send_code(asked: CodeIn, caller: CallerDep) -> Response:
        require_service(caller, "gateway")
        await door.codes.send(asked.asked())
        return Response(status_code=202)

    @router.post("/mend-codes/try")
    async def try_mend_code(asked: MendCodeIn, caller: CallerDep) -> MendableOut:
        require_service(caller, "gateway")
        return MendableOut.of(*await door.mending.try_code(asked.code))

    @router.post("/mend-codes/give-back", status_code=204)
    async def give_try_back(asked: MendCodeIn, caller: CallerDep) -> Response:
        require_service(caller, "gateway")
        await door.mending.give_back(asked.code)
        return Response(status_code=204)

    @router.post("/mend-codes/use", status_code=204)
    async def use_mend_code(asked: MendCodeIn, caller: CallerDep) -> Response:
        require_service(caller, "gateway")
        await door.mending.use(asked.code)
        return Response(status_code=204)

    @router.get("/messages")
    async def messages(
        member_id: UUID,
        caller: CallerDep,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1)] = PAGE_ROWS,
    ) -> MessagesOut:
        shown, following = await door.reading.of_member(caller, member_id, cursor, limit)
        return MessagesOut(messages=[*map(MessageOut.of, shown)], next_cursor=following)

    # The provider posts here without a proof, so a receipt is believed in nothing else.
    @router.post(ALIYUN_REPORT)
    async def report(request: Request) -> ReportTaken:
        body = await _body(request, door.settings.report_bytes_max)
        await door.receipts.keep(receipts.read_aliyun(body))
        return ReportTaken()

    @router.get("/books")
    async def books(caller: CallerDep) -> dict[str, int | dict[str, int]]:
        require_staff_or_service(caller)
        return await door.reading.books()

    return router


async def _body(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise TooLarge
    return bytes(body)
