"""What a backtest is asked with, how far it is, and what it found."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.claims.backtest.report import Asked, Report
from services.claims.backtest.tally import DIMENSIONS, Change, Group
from services.claims.schemas.editions import Dated
from services.claims.store.backtest import Backtest
from services.common.money import Fen, parse_yuan, yuan
from services.common.period import Days

Yuan = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,10}(\.[0-9]{1,2})?$")]


class BacktestIn(Dated):
    """Try a draft on the claims of these days; with `as_of` by the draft's figures of that day."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)
    draft_id: UUID
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date = Field(validation_alias="to", serialization_alias="to")
    as_of: date | None = None
    fund: Yuan | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "BacktestIn":
        if self.ends < self.starts:
            raise ValueError("the last day is before the first")
        return self

    def asked(self, scheme_id: str) -> Asked:
        fund = None if self.fund is None else parse_yuan(self.fund)
        return Asked(scheme_id, Days(self.starts, self.ends), self.as_of, fund)


class BacktestAsked(BaseModel):
    """The backtest is queued."""

    backtest_id: UUID


class Moved(BaseModel):
    """So many members, and what their claims change in all."""

    members: int
    change: str


class Sums(BaseModel):
    """Winners and losers are members: the changes of all claims of one are summed first."""

    claims: int
    members: int
    booked: str
    drafted: str
    difference: str
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
    booked: str
    drafted: str
    change: str
    code_booked: str | None
    code_drafted: str | None

    @classmethod
    def of(cls, change: Change) -> "LargeChange":
        return cls(
            claim_id=change.claim_id,
            day=change.day,
            booked=yuan(change.booked),
            drafted=yuan(change.drafted),
            change=yuan(Fen(change.drafted - change.booked)),
            code_booked=change.code_booked,
            code_drafted=change.code_drafted,
        )


class ReasonCount(BaseModel):
    """How many claims have a code; null means that nothing cut them."""

    code: str | None
    booked: int
    drafted: int


class FundOut(BaseModel):
    """What the fund held before these claims, and holds after them."""

    before: str
    after_booked: str
    after_drafted: str


class CheckOut(BaseModel):
    """The figures in force tried like a draft on some of the claims: the difference must be 0."""

    claims: int
    differing: int
    difference: str


class ReportOut(Dated):
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

    @classmethod
    def of(cls, report: Report) -> "ReportOut":
        asked, tally = report.asked, report.tally
        check = tally.check
        return cls(
            scheme_id=asked.scheme_id,
            starts=asked.days.starts,
            ends=asked.days.ends or date.max,
            as_of=asked.as_of,
            read_from=report.read.starts,
            read_to=report.read.ends or date.max,
            sums=Sums(**_sums(tally.whole)),
            groups=[
                GroupOut(by=dimension, group=name, **_sums(group))
                for dimension in DIMENSIONS
                for name, group in report.groups(dimension)
            ],
            reasons=[
                ReasonCount(code=code or None, booked=before, drafted=after)
                for code, before, after in report.reasons()
            ],
            largest=[LargeChange.of(change) for change in tally.largest],
            fund=None if asked.fund is None else _fund(asked.fund, tally.whole),
            check=CheckOut(
                claims=check.claims,
                differing=check.differing,
                difference=yuan(Fen(check.difference)),
            ),
            without_facts=tally.without_facts,
        )


class BacktestOut(Dated):
    """How far a backtest is, in parts, and what it found once it is done."""

    backtest_id: UUID
    scheme_id: str
    draft_id: UUID
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date = Field(validation_alias="to", serialization_alias="to")
    as_of: date | None
    asked_by: UUID
    asked_at: datetime
    finished_at: datetime | None
    status: str
    code: str | None
    done: int
    parts: int
    report: ReportOut | None

    @classmethod
    def of(cls, found: Backtest, report: Report | None) -> "BacktestOut":
        return cls(
            backtest_id=found.backtest_id,
            scheme_id=found.scheme_id,
            draft_id=found.draft_id,
            starts=found.starts_on,
            ends=found.ends_on,
            as_of=found.as_of,
            asked_by=found.asked_by,
            asked_at=found.asked_at,
            finished_at=found.finished_at,
            status=found.status,
            code=found.code,
            done=found.done,
            parts=found.parts,
            report=None if report is None else ReportOut.of(report),
        )


def _sums(group: Group) -> dict[str, Any]:
    return {
        "claims": group.claims,
        "members": group.members,
        "booked": yuan(Fen(group.booked)),
        "drafted": yuan(Fen(group.drafted)),
        "difference": yuan(Fen(group.difference)),
        "winners": Moved(members=group.winners, change=yuan(Fen(group.won))),
        "losers": Moved(members=group.losers, change=yuan(Fen(group.lost))),
        "unchanged": group.unchanged,
    }


def _fund(before: Fen, whole: Group) -> FundOut:
    return FundOut(
        before=yuan(before),
        after_booked=yuan(Fen(before - whole.booked)),
        after_drafted=yuan(Fen(before - whole.drafted)),
    )
