"""What members send and are shown."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from gateway.schemas.words import Asked, Phone, SixDigits, Text, Token, Yuan


class WeChatIn(Asked):
    code: Text


class SmsCodeIn(Asked):
    phone: Phone


class SmsCodeOut(BaseModel):
    """The same for every phone, whether a member has it or not."""

    expires_in: int


class SmsIn(Asked):
    phone: Phone
    code: SixDigits
    bind_ticket: Token | None = None


class TokenRefresh(Asked):
    refresh_token: Token


class MemberTokensOut(BaseModel):
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a kind of token
    expires_in: int


class PhoneProofProblem(BaseModel):
    """409: the WeChat account is bound to no member yet."""

    type: str = "about:blank"
    title: str = "Conflict"
    status: Literal[409] = 409
    code: Literal["PHONE_PROOF_NEEDED"] = "PHONE_PROOF_NEEDED"
    detail: str
    bind_ticket: str
    expires_in: int


class MembersFound(BaseModel):
    member_ids: list[UUID]


class MeOut(BaseModel):
    member_id: UUID
    name: str | None = None
    phone: str | None = None
    unit_code: str | None = None
    unit_name: str | None = None
    card_tail: str | None = None
    card_bank: str | None = None


class Coverage(BaseModel):
    scheme_id: str
    starts_on: date
    ends_on: date | None = None
    units: int = 1


class Coverages(BaseModel):
    coverages: list[Coverage]


class ClaimLine(BaseModel):
    claim_id: UUID
    setl_id: str
    status: str
    benefit: Yuan | None = None
    code: str | None = None
    incurred_on: date | None = None
    hospital: str | None = None


class ClaimLines(BaseModel):
    claims: list[ClaimLine]
    next_cursor: str | None = None


class Why(BaseModel):
    """One step of the working, with the clause as it stood on the day."""

    step: str
    clause: str | None = None
    source: str | None = None
    quote: str | None = None
    since: date | None = None
    amount_in: Yuan | None = None
    amount_out: Yuan | None = None
    text: str | None = None
    text_zh: str | None = None
    text_en: str | None = None


class ClaimPlan(BaseModel):
    """What one plan made of a claim."""

    scheme_id: str
    benefit: str
    amount: Yuan
    code: str | None = None


class Moment(BaseModel):
    at: AwareDatetime
    what: str


class ClaimOut(BaseModel):
    claim_id: UUID
    setl_id: str
    status: str
    code: str | None = None
    benefit: Yuan | None = None
    plans: list[ClaimPlan] = []
    why: list[Why] = []
    timeline: list[Moment] = []


class PayoutLine(BaseModel):
    payout_id: UUID
    claim_id: UUID
    scheme_id: str | None = None
    amount: Yuan
    status: str
    card_tail: str | None = None
    reason: str | None = None
    actor: str | None = None
    created_at: AwareDatetime | None = None
    batched_at: AwareDatetime | None = None
    paid_on: date | None = None
    timeline: list[Moment] = []


class PayoutLines(BaseModel):
    payouts: list[PayoutLine]
    next_cursor: str | None = None


class MessageLine(BaseModel):
    message_id: UUID
    template: str
    text: str | None = None
    status: str
    created_at: AwareDatetime | None = None
    sent_at: AwareDatetime | None = None
    source_id: UUID | None = None


class MessageLines(BaseModel):
    messages: list[MessageLine]
    next_cursor: str | None = None
