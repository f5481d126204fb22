"""What two people do together: proposed by one, decided by another."""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.common.kit.db import Row, Unit
from services.payments.model.acts import ActContent, act_content


class Proposal(NamedTuple):
    act_id: UUID
    content: ActContent
    reason: str
    proposed_by: UUID


async def propose(unit: Unit, proposal: Proposal, at: datetime) -> None:
    await unit.execute(
        """
        insert into act (act_id, kind, content, reason, proposed_by, proposed_at, state)
        values ($1, $2, $3, $4, $5, $6, 'proposed')
        """,
        proposal.act_id,
        proposal.content.kind,
        proposal.content.model_dump_json(),
        proposal.reason,
        proposal.proposed_by,
        at,
    )


async def lock(unit: Unit, act_id: UUID) -> tuple[Proposal, str] | None:
    """Lock a proposal; give it with its state."""
    row = await unit.fetchrow(
        "select act_id, content, reason, proposed_by, state from act where act_id = $1 for update",
        act_id,
    )
    if row is None:
        return None
    content = act_content.validate_python(row["content"])
    return Proposal(row["act_id"], content, row["reason"], row["proposed_by"]), row["state"]


async def decide(
    unit: Unit,
    act_id: UUID,
    state: Literal["confirmed", "refused"],
    person_id: UUID,
    at: datetime,
) -> None:
    await unit.execute(
        "update act set state = $2, decided_by = $3, decided_at = $4 where act_id = $1",
        act_id,
        state,
        person_id,
        at,
    )


async def page(unit: Unit, state: str | None, before: UUID | None, rows_max: int) -> list[Row]:
    """Give proposals, newest first."""
    return await unit.fetch(
        """
        select act_id, kind, content, reason, proposed_by, proposed_at, state, decided_by,
               decided_at
        from act where ($1::text is null or state = $1) and ($2::uuid is null or act_id < $2)
        order by act_id desc limit $3
        """,
        state,
        before,
        rows_max,
    )
