"""What claims publishes: benefits granted, claims rejected."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from services.common.contracts.event import MemberEvent


class BenefitGranted(MemberEvent, frozen=True, kw_only=True, tag="claims.benefit_granted.v1"):
    """A settled claim's benefit, or a signed correction of what the period was granted.

    The sum of `amount_fen` over a member, scheme and period is what the member is owed for it.
    `claim_id` is the claim that led to it, `cause` what happened to that claim; `version` is the
    grant's number within its period, which is named by the year it begins in.
    """

    topic: ClassVar[str] = "claims.claim.v1"
    grant_id: UUID
    claim_id: UUID
    scheme_id: str
    period: int
    grant_no: int
    amount_fen: int
    cause: Literal["settled", "reversed", "reassessed"]
    incurred_on: date


class ClaimRejected(MemberEvent, frozen=True, kw_only=True, tag="claims.claim_rejected.v1"):
    """A claim was assessed and earned nothing; `code` says why (domain reason codes).

    `version` is always 1: a claim that is judged anew is told again under another event id.
    """

    topic: ClassVar[str] = "claims.claim.v1"
    claim_id: UUID
    code: str
