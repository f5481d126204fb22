"""What the plans of a member made of a claim, as it is kept with the claim."""

from collections.abc import Sequence

import msgspec

from services.claims.model import Assessment, Brought, InPlan
from services.claims.rules.cases import reversal
from services.claims.store.settlements import Claim
from services.common.money import Fen
from services.common.schemes.rulebook import Rulebook

_encode = msgspec.json.Encoder().encode


def in_plan(done: Assessment) -> InPlan:
    starts = None if done.key is None else done.key.starts
    return InPlan(done.scheme_id, done.benefit_name, done.code, done.benefit, starts, done.counted)


def standing(claim: Claim) -> tuple[InPlan, ...]:
    """Give the plans whose sums hold the claim: what they made of it stands."""
    return tuple(plan for plan in claim.plans if plan.counted is not None)


def aid(plans: Sequence[InPlan], rulebook: Rulebook) -> Fen:
    """Sum what these plans made good of the bill itself; allowances and lump sums do not count."""
    return Fen(sum(p.benefit for p in plans if rulebook.indemnifies(p.scheme_id, p.benefit_name)))


def taken_back(claim: Claim, rulebook: Rulebook) -> Brought:
    """Bring a claim out of the sums of all plans that hold it, in the order they judged it."""
    if claim.member_id is None:
        return Brought(())
    entries = [reversal(claim.member_id, p, claim.incurred_on, rulebook) for p in standing(claim)]
    return Brought(tuple(entry for entry in entries if entry is not None))


def code_of(plans: Sequence[InPlan]) -> str | None:
    """Say why a claim earned nothing, or what cut what it earned."""
    paying = [plan for plan in plans if plan.benefit]
    for plan in paying or plans:
        if plan.code is not None:
            return plan.code
    return None


def kept(working: str, plans: Sequence[InPlan]) -> str:
    """Keep of a claim's working what is about these plans."""
    names = {(plan.scheme_id, plan.benefit_name) for plan in plans}
    parts = msgspec.json.decode(working)
    return msgspec.json.encode([part for part in parts if tuple(part[:2]) in names]).decode()


def joined(working: str, assessments: Sequence[Assessment]) -> str:
    parts = [(a.scheme_id, a.benefit_name, a.working) for a in assessments]
    if working != "[]":
        parts = [*msgspec.json.decode(working), *parts]
    return _encode(parts).decode()
