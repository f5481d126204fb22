"""What takes two people: how it is proposed and shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from services.payments.model.acts import ActContent, act_content

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=r"^[^\x00]*$"),
]


class ActIn(BaseModel):
    """What is to be done, and why: a paper's number, who has said so."""

    model_config = ConfigDict(extra="forbid")

    act: ActContent
    reason: Reason


class ActProposed(BaseModel):
    act_id: UUID


class ActOut(BaseModel):
    act_id: UUID
    act: ActContent
    reason: str
    status: Literal["proposed", "confirmed", "refused"]
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "ActOut":
        told = {"act": act_content.validate_python(row["content"]), "status": row["state"]}
        return cls.model_validate({**row, **told})


class ActsOut(BaseModel):
    acts: list[ActOut]
    next_cursor: UUID | None

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], page_rows: int) -> "ActsOut":
        acts = [ActOut.of(row) for row in rows]
        return cls(acts=acts, next_cursor=acts[-1].act_id if len(acts) == page_rows else None)
