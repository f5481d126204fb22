"""Settlements in, claims out."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from services.claims.model import InPlan, Outcome
from services.claims.store.feeds import Feed
from services.claims.store.settlements import Claim
from services.claims.store.views import GrantSeen
from services.claims.texts.lines import Line
from services.claims.texts.page import Explanation
from services.common.money import Fen, yuan

SETTLEMENTS_MAX = 1_000


class Posted(BaseModel):
    """Settlements in the field names of the national interface; rows are judged one by one."""

    model_config = ConfigDict(extra="forbid")
    settlements: list[dict[str, Any]] = Field(min_length=1, max_length=SETTLEMENTS_MAX)


class Result(BaseModel):
    """What became of one settlement."""

    setl_id: str
    status: str
    code: str | None = None
    benefit: str | None = None
    claim_id: UUID | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> "Result":
        settled = outcome.status in ("settled", "rejected", "reversed", "duplicate")
        return cls(
            setl_id=outcome.setl_id,
            status=outcome.status,
            code=outcome.code,
            benefit=yuan(outcome.benefit) if settled else None,
            claim_id=outcome.claim_id,
        )


class Results(BaseModel):
    """One result per settlement, in the order sent."""

    results: list[Result]


class SettlementOut(BaseModel):
    """A hospital's own settlement as the books hold it."""

    setl_id: str
    claim_id: UUID
    status: str
    code: str | None
    benefit: str

    @classmethod
    def of(cls, claim: Claim) -> "SettlementOut":
        return cls(
            setl_id=claim.key.setl_id,
            claim_id=claim.claim_id,
            status=claim.status,
            code=claim.code,
            benefit=yuan(claim.benefit),
        )


class FeedReceived(BaseModel):
    """The feed is safe and will be worked through."""

    feed_id: UUID


class FeedOut(BaseModel):
    """How far a feed is; at the end the five counts add up to `lines`."""

    feed_id: UUID
    status: str
    code: str | None
    lines: int
    done: int
    settled: int
    rejected: int
    reversed: int
    duplicate: int
    refused: int
    benefit: str

    @classmethod
    def of(cls, feed: Feed) -> "FeedOut":
        return cls(
            feed_id=feed.feed_id,
            status=feed.status,
            code=feed.code,
            lines=feed.lines,
            done=feed.done,
            settled=feed.settled,
            rejected=feed.rejected,
            reversed=feed.reversed,
            duplicate=feed.duplicate,
            refused=feed.refused,
            benefit=yuan(feed.benefit_fen),
        )


class ClaimListed(BaseModel):
    """A claim in a member's list."""

    claim_id: UUID
    setl_id: str
    status: str
    code: str | None
    benefit: str
    incurred_on: date
    hospital: str

    @classmethod
    def of(cls, claim: Claim, hospital: str) -> "ClaimListed":
        return cls(
            claim_id=claim.claim_id,
            setl_id=claim.key.setl_id,
            status=claim.status,
            code=claim.code,
            benefit=yuan(claim.benefit),
            incurred_on=claim.incurred_on,
            hospital=hospital,
        )


class ClaimPage(BaseModel):
    """Newest first; `next_cursor` asks for what follows."""

    claims: list[ClaimListed]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Sequence[tuple[Claim, str]], limit: int) -> "ClaimPage":
        more = len(page) == limit
        return cls(
            claims=[ClaimListed.of(claim, hospital) for claim, hospital in page],
            next_cursor=str(page[-1][0].claim_id) if more else None,
        )


class Why(BaseModel):
    """One step of the working: what went in, the clause as it stood that day, what came out."""

    step: str
    clause: str
    source: str
    quote: str
    since: date | None
    amount_in: str
    amount_out: str
    text: str
    text_zh: str
    text_en: str

    @classmethod
    def of(cls, line: Line) -> "Why":
        return cls(**msgspec.structs.asdict(line))


class Moment(BaseModel):
    """Something that happened to the claim."""

    at: datetime
    what: str


class PlanOut(BaseModel):
    """What one plan made of the claim."""

    scheme_id: str
    benefit: str
    amount: str
    code: str | None

    @classmethod
    def of(cls, plan: InPlan) -> "PlanOut":
        amount = yuan(plan.benefit)
        return cls(
            scheme_id=plan.scheme_id, benefit=plan.benefit_name, amount=amount, code=plan.code
        )


class ClaimOut(ClaimListed):
    """One claim with the reason for its amount, step by step."""

    plans: list[PlanOut]
    why: list[Why]
    timeline: list[Moment]
    grant_ids: list[UUID]

    @classmethod
    def explained(cls, claim: Claim, told: Explanation, grants: Sequence[GrantSeen]) -> "ClaimOut":
        moments = [Moment(at=claim.received_at, what="received")]
        if claim.decided_at is not None:
            moments.append(Moment(at=claim.decided_at, what=claim.status))
        return cls(
            **ClaimListed.of(claim, told.hospital).model_dump(),
            plans=[PlanOut.of(plan) for plan in claim.plans],
            why=[Why.of(line) for part in told.parts for line in part.lines],
            timeline=moments,
            grant_ids=[grant.grant_id for grant in grants],
        )


class Granted(BaseModel):
    """What a member was granted, net of reversals."""

    granted: str

    @classmethod
    def of(cls, amount: Fen) -> "Granted":
        return cls(granted=yuan(amount))


class Owner(BaseModel):
    """Whose claim it is."""

    member_id: UUID
