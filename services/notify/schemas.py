"""What comes in and goes out over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.common.money import Fen, yuan
from services.notify.model import CodeAsked, Mendable, Shown


class CodeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    phone: Annotated[str, StringConstraints(min_length=11, max_length=16)]
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,8}$")]
    minutes: Annotated[int, Field(ge=1, le=60)]

    def asked(self) -> CodeAsked:
        return CodeAsked(self.phone, self.code, self.minutes)


class MendCodeIn(BaseModel):
    """A code as somebody typed it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class MendableOut(BaseModel):
    """What a code stands for; `reason` in words, `amount` in yuan."""

    member_id: UUID
    payee_version: int
    amount: str
    reason: str

    @classmethod
    def of(cls, mendable: Mendable, reason: str) -> "MendableOut":
        return cls(
            member_id=mendable.member_id,
            payee_version=mendable.payee_version,
            amount=yuan(Fen(mendable.amount_fen)),
            reason=reason,
        )


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
