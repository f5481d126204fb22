"""What is left of a plan, and what a bill would earn."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.claims.model import Assessment, Facts
from services.claims.rules.left import FloorLeft, Left
from services.claims.schemas.claims import Why
from services.claims.texts.lines import why
from services.common.identity import Diagnosis
from services.common.money import Fen, parse_yuan, yuan
from services.common.schemes.model import Cause, Event, Visit, Words
from services.common.schemes.rulebook import Rulebook

Yuan = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}(\.[0-9]{1,2})?$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z_0-9]{1,32}$")]


class Name(BaseModel):
    """What a scheme or benefit is called."""

    zh: str
    en: str

    @classmethod
    def of(cls, words: Words) -> "Name":
        return cls(zh=words.zh, en=words.en)


class FloorOut(BaseModel):
    """How much self-pay of a kind of care is still to come before the plan pays."""

    kind: Name
    floor: str
    burden: str
    left: str

    @classmethod
    def of(cls, floor: FloorLeft, name: Words) -> "FloorOut":
        amounts = {part: yuan(getattr(floor, part)) for part in ("floor", "burden", "left")}
        return cls(kind=Name.of(name), **amounts)


class BenefitLeft(BaseModel):
    """One benefit in its present period; null where the plan has no such limit.

    `missing` names the figure without which the plan pays nothing.
    """

    scheme_id: str
    scheme: Name
    benefit: Name
    period_starts: date | None
    period_ends: date | None
    granted: str
    floors: list[FloorOut]
    cap: str | None
    cap_left: str | None
    claims_max: int | None
    claims_left: int | None
    missing: str | None

    @classmethod
    def of(cls, one: Left, rulebook: Rulebook) -> "BenefitLeft":
        scheme = rulebook.scheme(one.scheme_id)
        benefit = scheme.benefits[one.benefit]
        kinds = getattr(benefit.formula, "kinds", {})
        return cls(
            scheme_id=one.scheme_id,
            scheme=Name.of(scheme.name),
            benefit=Name.of(benefit.name),
            period_starts=None if one.days is None else one.days.starts,
            period_ends=None if one.days is None else one.days.ends,
            granted=yuan(one.granted),
            floors=[FloorOut.of(floor, kinds[floor.kind].name) for floor in one.floors],
            cap=None if one.cap is None else yuan(one.cap),
            cap_left=None if one.cap_left is None else yuan(one.cap_left),
            claims_max=one.claims_max,
            claims_left=one.claims_left,
            missing=one.missing or None,
        )


class LeftOut(BaseModel):
    """What is left to a member of every benefit that covers the day, in the declared order."""

    day: date
    benefits: list[BenefitLeft]

    @classmethod
    def of(cls, day: date, benefits: Sequence[Left], rulebook: Rulebook) -> "LeftOut":
        return cls(day=day, benefits=[BenefitLeft.of(one, rulebook) for one in benefits])


class BillIn(BaseModel):
    """A bill to try, in the words of the rules; amounts in yuan, `day` of discharge or event."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    day: date
    event: Event = "treatment"
    admission: date | None = None
    visit: Visit | Literal[""] = ""
    cause: Cause | Literal[""] = ""
    diagnosis: (
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z][0-9A-Za-z.+*]{1,9}$")] | None
    ) = None
    hospital_level: Annotated[int, Field(ge=1, le=3)] | None = None
    in_scope: Yuan = "0"
    self_pay_one: Yuan = "0"
    pooled_paid: Yuan = "0"
    co_pay_pooled: Yuan = "0"
    co_pay_large_sum: Yuan = "0"
    self_pay_after_insurance: Yuan = "0"
    own_cost: Yuan | None = None
    grade: Annotated[int, Field(ge=1, le=10)] | None = None
    in_hospital: bool = False
    relation: Word | Literal[""] = ""
    confirmed: dict[Word, bool] = Field(default={}, max_length=20)

    def facts(self) -> Facts:
        said: dict[str, Any] = self.model_dump(exclude={"diagnosis", "own_cost", *_AMOUNTS})
        said |= {name: parse_yuan(getattr(self, name)) for name in _AMOUNTS}
        # Who does not say what all of it cost has paid self-pay one at least.
        said["own_cost"] = parse_yuan(self.own_cost or self.self_pay_one)
        said["diagnosis"] = None if self.diagnosis is None else Diagnosis(self.diagnosis)
        # One illness of one person, as far as a trial can tell.
        said["event_id"] = "entered" if self.event == "family_illness" else ""
        return Facts(**said, claimed_on=self.day)


_AMOUNTS = (
    "in_scope",
    "self_pay_one",
    "pooled_paid",
    "co_pay_pooled",
    "co_pay_large_sum",
    "self_pay_after_insurance",
)


class ExpectedPlan(BaseModel):
    """What one plan would pay for the bill, and why."""

    scheme_id: str
    scheme: Name | None
    benefit: Name | None
    expected: str
    code: str | None
    payee: Literal["member", "family"]
    why: list[Why]

    @classmethod
    def of(cls, done: Assessment, rulebook: Rulebook) -> "ExpectedPlan":
        scheme = rulebook.scheme(done.scheme_id) if done.scheme_id else None
        benefit = scheme.benefits.get(done.benefit_name) if scheme else None
        lines = why(done.working, done.scheme_id, rulebook)
        return cls(
            scheme_id=done.scheme_id,
            scheme=None if scheme is None else Name.of(scheme.name),
            benefit=None if benefit is None else Name.of(benefit.name),
            expected=yuan(done.benefit),
            code=done.code,
            payee=done.payee,
            why=[Why.of(line) for line in lines],
        )


class ExpectedOut(BaseModel):
    """What the plans of a member would pay for a bill; entering it has no effect."""

    expected: str
    plans: list[ExpectedPlan]

    @classmethod
    def of(cls, assessed: Sequence[Assessment], rulebook: Rulebook) -> "ExpectedOut":
        total = Fen(sum(done.benefit for done in assessed))
        plans = [ExpectedPlan.of(done, rulebook) for done in assessed]
        return cls(expected=yuan(total), plans=plans)
