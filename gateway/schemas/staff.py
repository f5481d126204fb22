"""What union staff send and are shown."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, RootModel, StringConstraints

from gateway.schemas.words import Asked, SixDigits, Text, Yuan


class StaffLoginIn(Asked):
    username: Text
    password: Text
    totp: SixDigits


class StaffLoginOut(BaseModel):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a kind of token
    expires_in: int


class OfficerIn(Asked):
    name: Text
    phone: Text


class UnitIn(Asked):
    name: Text
    staff_count: Annotated[int, Field(ge=0, le=10_000_000)]
    officers: list[OfficerIn] = Field(default=[], max_length=20)


class OfficerOut(BaseModel):
    """Shown as masks."""

    name: str
    phone: str


class UnitOut(BaseModel):
    code: str
    name: str
    staff_count: int
    officers: list[OfficerOut] = []


class Accepted(BaseModel):
    """An upload that lies safely where it belongs; its id tells how far it is."""


class RosterAccepted(Accepted):
    roster_id: UUID


class RowError(BaseModel):
    row: int
    column: str | None = None
    code: str


class RosterOut(BaseModel):
    status: Literal["queued", "running", "done", "refused"]
    code: str | None = None
    rows: int = 0
    accepted: int = 0
    refused: int = 0
    unchanged: int = 0
    errors: list[RowError] = []


class FeedAccepted(Accepted):
    feed_id: UUID


class FeedOut(BaseModel):
    status: Literal["queued", "running", "done", "refused"]
    code: str | None = None
    lines: int = 0
    done: int = 0
    settled: int = 0
    rejected: int = 0
    reversed: int = 0
    duplicate: int = 0
    refused: int = 0
    benefit: Yuan = "0.00"


class RefusedPayout(BaseModel):
    payout_id: UUID
    member_id: UUID
    name: str | None = None
    card_tail: str | None = None
    unit_code: str | None = None
    amount: Yuan
    reason: str
    actor: str | None = None
    since: AwareDatetime | None = None


class RefusedPayouts(BaseModel):
    payouts: list[RefusedPayout]
    next_cursor: str | None = None


class PayeeIn(Asked):
    card_number: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    card_bank: Text | None = None
    account_name: Text | None = None


class PayeeOut(BaseModel):
    member_id: UUID
    payee_version: int
    card_tail: str | None = None


class MemberSearchIn(Asked):
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class MemberFound(BaseModel):
    member_id: UUID


class MemberUnit(BaseModel):
    unit_code: str


class Granted(BaseModel):
    granted: Yuan


class Paid(BaseModel):
    paid: Yuan
    to_recover: Yuan


class BenefitsOut(BaseModel):
    granted: Yuan
    paid: Yuan
    to_recover: Yuan


class Books(RootModel[dict[str, int | dict[str, int]]]):
    """Sums of one service, amounts in fen; a nested object sums by state or by account."""


class BooksOut(BaseModel):
    enrollment: Books
    claims: Books
    payments: Books
    notify: Books


def file_form(*fields: str) -> dict[str, Any]:
    """Describe a form whose file flows through to a service."""
    properties: dict[str, Any] = {name: {"type": "string"} for name in fields}
    properties["file"] = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": properties, "required": [*fields, "file"]}
    return {"required": True, "content": {"multipart/form-data": {"schema": form}}}
