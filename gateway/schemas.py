"""What the public sends and is shown; amounts are yuan with two decimals, as text."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel, StringConstraints

Yuan = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,16}\.[0-9]{2}$")]
# A segment of a service's URL: no dot in front, so that it can never mean another folder.
Segment = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,128}$")]
SixDigits = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^(\+86|0086|86)?1[3-9][0-9]{9}$")]
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:=~-]{1,200}$")]
PageSize = Annotated[int, Field(ge=1, le=100)]
SETTLEMENTS_MAX = 1_000


class Asked(BaseModel):
    """What comes in: a field that nobody knows is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Nothing(BaseModel):
    """An answer whose status says it all."""


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
    officers: Annotated[list[OfficerIn], Field(max_length=20)] = []


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


class MembersFound(BaseModel):
    member_ids: list[UUID]


class Granted(BaseModel):
    granted: Yuan


class Paid(BaseModel):
    paid: Yuan
    to_recover: Yuan


class BenefitsOut(BaseModel):
    granted: Yuan
    paid: Yuan
    to_recover: Yuan


class PayoutBatch(BaseModel):
    batch_id: UUID | None = None
    batch_no: str
    status: str
    payouts: int | None = None
    amount: Yuan | None = None
    created_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None


class PayoutBatches(BaseModel):
    batches: list[PayoutBatch]
    next_cursor: str | None = None


class Books(RootModel[dict[str, int | dict[str, int]]]):
    """Sums of one service, amounts in fen; a nested object sums by state or by account."""


class BooksOut(BaseModel):
    enrollment: Books
    claims: Books
    payments: Books
    notify: Books


class SettlementRow(Asked):
    """A settlement under the names of the national interface; amounts are yuan as plain decimals.

    It describes, it does not judge: a wrong row is refused by itself, with its code, and the
    others go on.
    """

    setl_id: str
    mdtrt_id: str = ""
    psn_cert_type: str = ""
    certno: str
    psn_name: str
    insutype: str
    psn_type: str
    fixmedins_code: str
    fixmedins_name: str = ""
    hosp_lv: str
    med_type: str
    begndate: str
    enddate: str
    setl_time: str
    dise_codg: str = ""
    dise_name: str = ""
    medfee_sumamt: str
    fulamt_ownpay_amt: str
    overlmt_selfpay: str
    preselfpay_amt: str
    inscp_scp_amt: str
    act_pay_dedc: str
    hifp_pay: str
    hifob_pay: str
    fund_pay_sumamt: str
    psn_part_amt: str
    copay_pooled: str
    copay_large_sum: str
    refd_setl_flag: str = "0"


def settlements_body() -> dict[str, Any]:
    """Describe the body of a hospital's post, which is passed on as it was signed."""
    rows: dict[str, Any] = {
        "type": "array",
        "minItems": 1,
        "maxItems": SETTLEMENTS_MAX,
        "items": SettlementRow.model_json_schema(),
    }
    body = {"type": "object", "properties": {"settlements": rows}, "required": ["settlements"]}
    return {"required": True, "content": {"application/json": {"schema": body}}}


def file_form(*fields: str) -> dict[str, Any]:
    """Describe a form whose file flows through to a service."""
    properties: dict[str, Any] = {name: {"type": "string"} for name in fields}
    properties["file"] = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": properties, "required": [*fields, "file"]}
    return {"required": True, "content": {"multipart/form-data": {"schema": form}}}


class SettlementResult(BaseModel):
    setl_id: str
    status: str
    code: str | None = None
    benefit: Yuan | None = None
    claim_id: UUID | None = None


class SettlementResults(BaseModel):
    results: list[SettlementResult]


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


class RefreshIn(Asked):
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


class MeOut(BaseModel):
    member_id: UUID
    name: str | None = None
    phone: str | None = None
    unit_code: str | None = None
    unit_name: str | None = None
    card_tail: str | None = None
    card_bank: str | None = None


class MemberUnit(BaseModel):
    unit_code: str


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
    """One step of the working."""

    step: str
    clause: str | None = None
    source: str | None = None
    amount_in: Yuan | None = None
    amount_out: Yuan | None = None
    text: str | None = None


class Moment(BaseModel):
    at: AwareDatetime
    what: str


class ClaimOut(BaseModel):
    claim_id: UUID
    setl_id: str
    status: str
    code: str | None = None
    benefit: Yuan | None = None
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
