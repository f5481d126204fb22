"""What comes in and goes out over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.notify.model import CodeAsked, Shown


class CodeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    phone: Annotated[str, StringConstraints(min_length=11, max_length=16)]
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,8}$")]
    minutes: Annotated[int, Field(ge=1, le=60)]

    def asked(self) -> CodeAsked:
        return CodeAsked(self.phone, self.code, self.minutes)


class MessageOut(BaseModel):
    message_id: UUID
    template: str
    text: str | None
    status: str
    receipt: str | None
    created_at: datetime
    sent_at: datetime | None
    source_id: UUID

    @classmethod
    def of(cls, shown: Shown) -> "MessageOut":
        return cls.model_validate(shown, from_attributes=True)


class MessagesOut(BaseModel):
    messages: list[MessageOut]
    next_cursor: str | None


class ReportTaken(BaseModel):
    """The answer that the provider waits for; anything else makes it report again."""

    code: int = 0
    msg: str = "接收成功"
