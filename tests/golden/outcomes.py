"""What comes of a case: a claim through the engine, joining through its rules; in golden words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from services.claims.model import Assessment, Brought, Case, Facts, PeriodKey, Refusal, Totals
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.common.errors import Invalid
from services.common.money import Fen, yuan
from services.common.schemes.joining import admitted, fee, pay_by
from services.common.schemes.rulebook import Rulebook
from services.payments.model.payouts import PayoutState
from services.payments.rules.owed import after_failure
from services.payments.rules.refusals import refusal_for
from tests.golden.claiming import Claim, claim_of, latest_day, periods_before
from tests.golden.overlay import laid_over, published
from tests.golden.said import CaseUnreadable, Said

Came = dict[str, str]

_MEMBER: Final = UUID(int=1)
_PACKAGE: Final = "ct.package"
# Rules of the city for all of its plans: asked of the one that everybody may join.
_CITY: Final = "ct.medical"
_SCHEME_OF: Final[Mapping[str, str]] = {
    "cq.comprehensive.medical": "cq.comprehensive",
    "cq.comprehensive.accident": "cq.comprehensive",
}


def outcome(plan: str, inputs: Mapping[str, Any]) -> Came:
    """Work a case out; raises `CaseUnreadable`, and what rules and data raise."""
    said = Said(inputs)
    match plan:
        case "fee":
            came = _fee(said)
        case "ct.enrolment":
            came = _enrolment(said)
        case "ct.sla":
            came = _sla(said)
        case "ct.package":
            came = _package(said)
        case _:
            came = _claim(plan, said, inputs.get("params", {}))
    if said.unread():
        raise CaseUnreadable(f"{plan} knows no {', '.join(said.unread())}")
    return came


def _claim(plan: str, said: Said, params: Mapping[str, object]) -> Came:
    scheme_id = _SCHEME_OF.get(plan, plan)
    rulebook = laid_over(scheme_id, params)
    claim = claim_of(plan, said, rulebook.scheme(scheme_id))
    assessed = _worked_out(claim, rulebook, {})
    came = _told(assessed)
    owed = _owed(assessed)
    if owed and said.has("card_name_matches"):
        came["payout_state"] = _payout_state(owed, matches=said.flag("card_name_matches"))
    return came


def _package(said: Said) -> Came:
    """Work the parts out one after the other, under a cover of the package alone."""
    rulebook = published()
    totals: dict[PeriodKey, Totals] = {}
    assessed: list[Assessment] = []
    for part in said.parts("parts"):
        plan, inputs = part["plan"], Said(part["inputs"])
        claim = claim_of(plan, inputs, rulebook.scheme(plan))
        if inputs.unread():
            raise CaseUnreadable(f"{plan} knows no {', '.join(inputs.unread())}")
        cover = msgspec.structs.replace(claim.cover, scheme_id=_PACKAGE)
        assessed += _worked_out(claim._replace(cover=cover), rulebook, totals)
    return _told(assessed)


def _worked_out(
    claim: Claim, rulebook: Rulebook, totals: dict[PeriodKey, Totals]
) -> Sequence[Assessment]:
    brought = _brought(claim, claim.facts, rulebook)
    for entry in brought.entries:
        if isinstance(entry, Case):
            # What a claim of the same case has left there stays.
            totals |= periods_before(entry, claim.before) | totals
    denied = [_brought(claim, facts, rulebook) for facts in claim.before.denied]
    if any(done.benefit for earlier in assess(denied, totals) for done in earlier):
        raise CaseUnreadable("an earlier claim should have earned nothing")
    (assessed,) = assess([brought], totals)
    return assessed


def _brought(claim: Claim, facts: Facts, rulebook: Rulebook) -> Brought:
    brought = cases(_MEMBER, facts, claim.person, (claim.cover,), rulebook)
    if isinstance(brought, Refusal):
        raise CaseUnreadable(f"refused: {brought.code} {brought.at}")
    return brought


def _told(assessed: Sequence[Assessment]) -> Came:
    """Say in the golden words what a claim earned, or the parts of a package together."""
    owed = _owed(assessed)
    reasons = [done.code for done in assessed if done.code and (done.benefit > 0) == bool(owed)]
    paid = "paid_limited" if reasons else "paid"
    came = {
        "payout": yuan(owed),
        "decision": paid if owed else "denied",
        "payee": "family" if any(done.payee == "family" for done in assessed) else "member",
    }
    return came | {"reason": reasons[0]} if reasons else came


def _owed(assessed: Sequence[Assessment]) -> Fen:
    """Give what payments would pay out: a grant that takes back pays nothing."""
    return Fen(max(0, sum(done.benefit for done in assessed)))


def _payout_state(owed: Fen, *, matches: bool) -> str:
    """Follow a payout to a card of another name: the bank refuses it, and somebody must act."""
    if matches:
        return PayoutState.READY
    state = after_failure(owed, PayoutState.REFUSED, newer_payee=False)
    actor = refusal_for("NAME_DIFFERS").actor
    # It is owed still, and waits for whoever keeps the data of the account.
    held = state is PayoutState.REFUSED and actor in ("unit", "member")
    return "hold_account_info" if held else state


def _fee(said: Said) -> Came:
    rulebook, plans = published(), said.mapping("plans")
    units = {plan: Said(plans).number(plan) for plan in plans}
    day = max(latest_day(rulebook.scheme(plan)) for plan in plans)
    new_member = said.flag("new_member_ct", default=False)
    try:
        due = fee(rulebook, units, new_member=new_member, day=day)
    except Invalid as refused:
        return {"decision": "reject", "reason": refused.code}
    return {
        "decision": "accept",
        "total_fee": yuan(due.total),
        "member_pays": yuan(due.member_pays),
    }


def _enrolment(said: Said) -> Came:
    scheme = published().scheme(_CITY)
    staff, joining = said.number("staff"), said.number("joining")
    if admitted(scheme, staff=staff, joining=joining, day=latest_day(scheme)):
        return {"decision": "accept"}
    return {"decision": "reject", "reason": "PARTICIPATION_RATE"}


def _sla(said: Said) -> Came:
    due = pay_by(published().scheme(_CITY), said.day("accepted_on"))
    return {} if due is None else {"decision": "due", "due_date": due.isoformat()}
