"""What one proposes and another confirms."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response

from services.common.kit.auth import CallerDep, require_role
from services.payments.api.door import CHECKERS, MAKERS, MONEY_SEEN
from services.payments.schemas.acts import ActIn, ActProposed, ActsOut
from services.payments.usecases import acts, reading
from services.payments.usecases.desk import Desk


def act_routes(router: APIRouter, desk: Desk) -> None:
    page_rows = desk.settings.page_rows

    @router.post("/acts", status_code=201)
    async def propose(asked: ActIn, caller: CallerDep) -> ActProposed:
        person_id = require_role(caller, *MAKERS)
        act_id = await acts.propose(desk, person_id, asked.act, asked.reason)
        return ActProposed(act_id=act_id)

    @router.get("/acts")
    async def listed(
        caller: CallerDep,
        status: Literal["proposed", "confirmed", "refused"] | None = None,
        cursor: UUID | None = None,
    ) -> ActsOut:
        require_role(caller, *MONEY_SEEN)
        return ActsOut.of(await reading.acts(desk, status, cursor), page_rows)

    @router.post("/acts/{act_id}/confirm", status_code=204)
    async def confirm(act_id: UUID, caller: CallerDep) -> Response:
        await acts.confirm(desk, act_id, require_role(caller, *CHECKERS))
        return Response(status_code=204)

    @router.post("/acts/{act_id}/refuse", status_code=204)
    async def refuse(act_id: UUID, caller: CallerDep) -> Response:
        await acts.refuse(desk, act_id, require_role(caller, *MAKERS, *CHECKERS))
        return Response(status_code=204)
