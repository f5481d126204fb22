"""What claims publishes: benefits granted, claims rejected."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from services.common.contracts.event import MemberEvent


class BenefitGranted(MemberEvent, frozen=True, kw_only=True, tag="claims.benefit_granted.v1"):
    """A settled claim's benefit, or a signed correction of what the period was granted.

    The sum of `amount_fen` over a member, scheme and period is what the member is owed for it.
    `cause` is the claim that led to it; `version` is the grant's number within its period.
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
    """A claim was assessed and earned nothing; `code` says why (domain reason codes)."""

    topic: ClassVar[str] = "claims.claim.v1"
    claim_id: UUID
    code: str


ClaimsEvent = BenefitGranted | ClaimRejected
