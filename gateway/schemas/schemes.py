"""Schemes as they stand, drafts of them, what drafts were tried on, and what was published."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from gateway.schemas.benefits import Name
from gateway.schemas.words import Asked, Yuan


class SchemeListed(BaseModel):
    """A scheme; it runs today unless figures are `missing`. Edition 0 is the release's own."""

    scheme_id: str
    order: int
    name: Name
    edition: int
    runs: bool
    missing: list[str]


class Schemes(BaseModel):
    """In their declared order."""

    schemes: list[SchemeListed]


class FigureOut(BaseModel):
    """A figure from one day to another, where it is written, or why it is assumed."""

    figure: str
    value: Any
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date | None = Field(validation_alias="to", serialization_alias="to")
    clause: str
    document: str | None
    quote: str | None
    assumed: str | None


class DocumentOut(BaseModel):
    """A document that figures are taken from, under the short name that they use."""

    document: str
    title: str
    publisher: str
    published: date


class CaseOut(BaseModel):
    """A worked case; the figures that it `shows`, and why it comes out as it does."""

    id: str
    shows: list[str]
    why: str
    cover: dict[str, Any]
    person: dict[str, Any]
    claims: list[dict[str, Any]]
    joining: dict[str, Any]


class EditionOut(BaseModel):
    """What was published, by whom, and the backtest that was known then."""

    scheme_id: str
    number: int
    draft_id: UUID
    first_day: date | None
    drafted_by: UUID
    drafted_at: AwareDatetime
    published_by: UUID
    published_at: AwareDatetime
    backtest_id: UUID


class DraftListed(BaseModel):
    """A draft and its author."""

    draft_id: UUID
    scheme_id: str
    drafted_by: UUID
    drafted_at: AwareDatetime


class SchemeOut(SchemeListed):
    """A scheme with all its figures and worked cases, its editions and the newest drafts."""

    documents: list[DocumentOut]
    figures: list[FigureOut]
    cases: list[CaseOut]
    editions: list[EditionOut]
    drafts: list[DraftListed]


class DraftIn(Asked):
    """The text of the whole scheme file, as YAML."""

    content: str


class ChangeOut(BaseModel):
    """A figure that is another one on these days; null where there is none."""

    figure: str
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date | None = Field(validation_alias="to", serialization_alias="to")
    was: Any
    becomes: Any


class CaseDisagrees(BaseModel):
    """A claim of a worked case that gives something else by the draft's figures."""

    case_id: str
    claim: int
    expected: dict[str, Any]
    came: dict[str, Any]


class DraftOut(DraftListed):
    """What a draft changes; it can be published only where `touches_the_past` names nothing."""

    first_day: date | None
    changes: list[ChangeOut]
    cases_disagreeing: list[CaseDisagrees]
    touches_the_past: list[str]


class DraftSeen(DraftOut):
    """A draft with its text."""

    content: str


class BacktestIn(Asked):
    """Try a draft on the claims of these days; with `as_of` by the draft's figures of that day.

    `fund` is what the fund held before these claims.
    """

    draft_id: UUID
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date = Field(validation_alias="to", serialization_alias="to")
    as_of: date | None = None
    fund: Yuan | None = None


class BacktestAsked(BaseModel):
    """The backtest is queued; its id tells how far it is."""

    backtest_id: UUID


class Moved(BaseModel):
    """So many members, and what their claims change in all."""

    members: int
    change: Yuan


class Sums(BaseModel):
    """Winners and losers are members: the changes of all claims of one are summed first."""

    claims: int
    members: int
    booked: Yuan
    drafted: Yuan
    difference: Yuan
    winners: Moved
    losers: Moved
    unchanged: int


class GroupOut(Sums):
    """The same for the claims of one group; `?` is the group of those of whom it is not known."""

    by: Literal["unit", "age", "hospital_level", "bill"]
    group: str


class LargeChange(BaseModel):
    """One claim, without anything that names its member."""

    claim_id: UUID
    day: date
    booked: Yuan
    drafted: Yuan
    change: Yuan
    code_booked: str | None
    code_drafted: str | None


class ReasonCount(BaseModel):
    """How many claims have a code; null means that nothing cut them."""

    code: str | None
    booked: int
    drafted: int


class FundOut(BaseModel):
    """What the fund held before these claims, and holds after them."""

    before: Yuan
    after_booked: Yuan
    after_drafted: Yuan


class CheckOut(BaseModel):
    """The figures in force tried like a draft on some of the claims: the difference must be 0."""

    claims: int
    differing: int
    difference: Yuan


class ReportOut(BaseModel):
    """What a backtest found; `read_from` and `read_to` hold the whole periods that were judged."""

    scheme_id: str
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date = Field(validation_alias="to", serialization_alias="to")
    as_of: date | None
    read_from: date
    read_to: date
    sums: Sums
    groups: list[GroupOut]
    reasons: list[ReasonCount]
    largest: list[LargeChange]
    fund: FundOut | None
    check: CheckOut
    without_facts: int


class BacktestOut(BaseModel):
    """How far a backtest is, in parts, and what it found once it is done."""

    backtest_id: UUID
    scheme_id: str
    draft_id: UUID
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date = Field(validation_alias="to", serialization_alias="to")
    as_of: date | None
    asked_by: UUID
    asked_at: AwareDatetime
    finished_at: AwareDatetime | None
    status: Literal["queued", "running", "done", "failed"]
    code: str | None
    done: int
    parts: int
    report: ReportOut | None


def body_of(asked: type[Asked]) -> dict[str, Any]:
    """Describe a body that is passed on as it came: the service says what is wrong with it."""
    schema = asked.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
