"""What is left of each plan, and what a bill would earn."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from gateway.schemas.member import ClaimOut, Why
from gateway.schemas.words import Asked, Yuan


class Name(BaseModel):
    zh: str
    en: str


class FloorLeft(BaseModel):
    """How much self-pay of a kind of care is still to come before the plan pays."""

    kind: Name
    floor: Yuan
    burden: Yuan
    left: Yuan


class BenefitLeft(BaseModel):
    """One benefit in its present period; null where the plan has no such limit.

    `missing` names the figure without which the plan pays nothing.
    """

    scheme_id: str
    scheme: Name
    benefit: Name
    period_starts: date | None
    period_ends: date | None
    granted: Yuan
    floors: list[FloorLeft]
    cap: Yuan | None
    cap_left: Yuan | None
    claims_max: int | None
    claims_left: int | None
    missing: str | None


class LeftOut(BaseModel):
    day: date
    benefits: list[BenefitLeft]


class ExpectedPlan(BaseModel):
    """What one plan would pay for the bill, and why."""

    scheme_id: str
    scheme: Name | None
    benefit: Name | None
    expected: Yuan
    code: str | None
    payee: Literal["member", "family"]
    why: list[Why]


class ExpectedOut(BaseModel):
    """What all plans would pay for a bill; entering it has no effect."""

    expected: Yuan
    plans: list[ExpectedPlan]


class Bill(Asked):
    """A bill to try, in the words of the rules; amounts in yuan, `day` of discharge or event.

    It describes, it does not judge: the service refuses what it cannot read.
    """

    day: date
    event: str = "treatment"
    admission: date | None = None
    visit: str = ""
    cause: str = ""
    diagnosis: str | None = None
    hospital_level: int | None = None
    in_scope: str = "0"
    self_pay_one: str = "0"
    pooled_paid: str = "0"
    co_pay_pooled: str = "0"
    co_pay_large_sum: str = "0"
    self_pay_after_insurance: str = "0"
    own_cost: str | None = None
    grade: int | None = None
    in_hospital: bool = False
    relation: str = ""
    confirmed: dict[str, bool] | None = None


class StaffClaimOut(ClaimOut):
    """A claim as staff see it."""

    member_id: UUID


class Owner(BaseModel):
    member_id: UUID


def bill_body() -> dict[str, Any]:
    """Describe the body of a trial, which is passed on as it came."""
    schema = Bill.model_json_schema()
    return {"required": True, "content": {"application/json": {"schema": schema}}}
