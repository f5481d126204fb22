"""From a case's inputs to what the engine asks for: names are mapped here, no rule is known."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

from services.claims.model import Case, Coverage, Facts, PeriodKey, Person, Totals
from services.common.identity import Diagnosis
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.figures import named_figures
from services.common.schemes.model import Event, Scheme
from services.common.schemes.terms import ExcessTerms, GradedTerms
from tests.golden.overlay import KIND
from tests.golden.said import CaseUnreadable, Said

_NOTHING: Final = Fen(0)
# Where a case names no day of birth: of working age in all the years of the documents.
_BORN: Final = date(1980, 1, 1)
_SOMEBODY: Final = Person(born=_BORN)
# One accident, or one illness of one person: all that a case tells of it belongs together.
_EVENT_ID: Final = "the-same"


class Before(NamedTuple):
    """What earlier claims have left; amounts in fen."""

    burden: Fen = _NOTHING
    granted: Fen = _NOTHING
    granted_elsewhere: Fen = _NOTHING
    same_accident: Fen = _NOTHING
    paid_claims: int = 0
    paid_claims_last_period: int = 0
    # Claims of the period that earned nothing: they are worked out before this one.
    denied: tuple[Facts, ...] = ()


class Claim(NamedTuple):
    """A claim as the engine takes it, and what was before it."""

    facts: Facts
    person: Person
    cover: Coverage
    before: Before = Before()


def claim_of(plan: str, said: Said, scheme: Scheme) -> Claim:
    """Read a claim under a plan; raises `CaseUnreadable`."""
    reader = _READERS.get(plan)
    if reader is None:
        raise CaseUnreadable(f"no claims under {plan}")
    return reader(said, scheme)


def periods_before(case: Case, before: Before) -> dict[PeriodKey, Totals]:
    """Give the claim's period, and the one before, as the earlier claims have left them."""
    terms, benefit = case.terms, case.terms.benefit
    of_event = f"{benefit}:{case.facts.event_id}"
    sums: dict[str, Fen] = {}
    if isinstance(terms.formula, ExcessTerms):
        kinds = terms.formula.kind_of
        kind = terms.formula.kinds[0] if kinds is None else kinds.get(case.facts.visit)
        if kind is not None:
            sums[kind.kind] = before.burden
    if isinstance(terms.formula, GradedTerms):
        sums = dict.fromkeys((benefit, of_event), before.same_accident)
    this = Totals(
        sums=sums,
        granted={benefit: Fen(before.granted + before.same_accident)},
        paid=dict.fromkeys((benefit, of_event), before.paid_claims),
        grants=before.paid_claims,
        granted_elsewhere=before.granted_elsewhere,
    )
    last = Totals(paid={benefit: before.paid_claims_last_period})
    a_year_ago = case.key._replace(starts=case.key.starts - timedelta(days=365))
    return {a_year_ago: last, case.key: this}


def latest_day(scheme: Scheme) -> date:
    """Give the day that a case means which names none: that of the scheme's last document."""
    return max(document.published for document in scheme.documents.values())


def _mutual(said: Said, scheme: Scheme) -> Claim:
    params = said.mapping("params")
    kind = str(params.get(KIND, ""))
    self_pay_one = said.yuan("selfpay1_this_claim")
    others = said.yuan("selfpay2_this_claim", "0.00") + said.yuan("self_funded_this_claim", "0.00")
    # Payments asks whether the card matches, claims does not.
    said.flag("card_name_matches", default=True)
    same_kind = said.yuan("paid_prior_same_kind_in_year", "0.00")
    all_kinds = said.yuan("paid_prior_all_kinds_in_year", "0.00")
    facts = Facts(
        day=date(said.number("year"), 12, 31),
        visit={"outpatient": "ordinary_outpatient"}.get(kind, kind),
        in_scope=self_pay_one,
        self_pay_one=self_pay_one,
        self_pay_after_insurance=Fen(self_pay_one + others),
        own_cost=Fen(self_pay_one + others),
    )
    before = Before(
        burden=said.yuan("selfpay1_prior_in_year", "0.00"),
        granted=same_kind,
        granted_elsewhere=Fen(max(0, all_kinds - same_kind)),
    )
    standing = (
        "union_member",
        "managed_by_city_union",
        "employer_pays_dues",
        "beijing_basic_insurance",
    )
    return Claim(facts, _SOMEBODY, _cover(said, scheme, *standing), before)


def _allowance(said: Said, scheme: Scheme) -> Claim:
    facts = Facts(
        admission=said.day("admission"),
        day=said.day("discharge"),
        visit="inpatient",
        cause=said.word("cause"),
        hospital_level=said.number("hospital_level"),
    )
    # Without a stay there is nothing that the plan could pay for.
    denied = Facts(day=facts.day, admission=facts.admission, visit="ordinary_outpatient")
    before = Before(
        paid_claims=said.number("prior_paid_claims_in_period", 0),
        paid_claims_last_period=said.number("prior_paid_claims_in_previous_period", 0),
        denied=(denied,) * said.number("prior_denied_claims_in_period", 0),
    )
    return Claim(facts, _born(said), _cover(said, scheme), before)


def _comprehensive_medical(said: Said, scheme: Scheme) -> Claim:
    self_pay, pooled = said.yuan("selfpay_in_scope"), said.yuan("pooled_fund_paid")
    own_cost = Fen(self_pay + said.yuan("self_funded", "0.00"))
    facts = Facts(
        admission=said.day("admission"),
        # The day of discharge is in no case: the stay counts by its admission.
        day=said.day("admission"),
        visit="inpatient",
        cause="disease",
        in_scope=Fen(self_pay + pooled),
        self_pay_one=self_pay,
        pooled_paid=pooled,
        self_pay_after_insurance=own_cost,
        own_cost=own_cost,
    )
    before = Before(paid_claims=said.number("prior_paid_claims_in_period", 0))
    return Claim(facts, _born(said), _cover(said, scheme), before)


def _accident(said: Said, scheme: Scheme) -> Claim:
    facts = Facts(
        day=latest_day(scheme),
        event=_event(said.word("outcome")),
        cause=said.word("cause"),
        in_hospital=said.flag("during_hospital_stay", default=False),
        grade=_grade(said),
        event_id=_EVENT_ID,
    )
    before = Before(same_accident=said.yuan("paid_prior_same_accident", "0.00"))
    return Claim(facts, _SOMEBODY, _cover(said, scheme), before)


def _illness(said: Said, scheme: Scheme) -> Claim:
    facts = Facts(
        day=said.day("diagnosis_date"),
        event="diagnosis",
        diagnosis=Diagnosis(said.word("icd10")),
        self_pay_after_insurance=said.yuan("selfpay_after_insurance", "0.00"),
        confirmed={"first_diagnosis": said.flag("first_diagnosis", default=True)},
    )
    before = Before(paid_claims=int(said.flag("paid_before_in_period", default=False)))
    said.mapping("params")  # all of them figures, laid over the scheme already
    return Claim(facts, Person(born=_BORN, sex=_sex(said)), _cover(said, scheme), before)


def _relief(said: Said, scheme: Scheme) -> Claim:
    confirmed = "critical_paid_in_previous_year"
    facts = Facts(
        day=latest_day(scheme),
        event=_event(said.word("kind")),
        relation=said.word("relation", ""),
        diagnosis=Diagnosis(said.word("icd10")) if said.has("icd10") else None,
        confirmed={confirmed: said.flag(confirmed)} if said.has(confirmed) else {},
        event_id=_EVENT_ID,
    )
    before = Before(paid_claims=int(said.flag("relief_paid_before", default=False)))
    return Claim(facts, _SOMEBODY, _cover(said, scheme), before)


def _period_of_weihai(said: Said, scheme: Scheme) -> Claim:
    burden = said.yuan("burden_this_claim")
    before = Before(
        burden=said.yuan("burden_prior_in_period", "0.00"),
        granted=said.yuan("paid_prior_in_period", "0.00"),
    )
    cover = _cover(said, scheme, "active_employee", "basic_employee_insurance")
    return Claim(_stay_in_weihai(said, burden), _SOMEBODY, cover, before)


def _hardship(said: Said, scheme: Scheme) -> Claim:
    listed = "disease_on_period14_list"
    confirmed = {"listed_illness": said.flag(listed)} if said.has(listed) else {}
    groups = {
        "hardship_family": ("hardship",),
        "hardship_female": ("hardship:women",),
        "none": (),
    }
    group = said.word("group")
    if group not in groups:
        raise CaseUnreadable(f"no such group: {group}")
    facts = _stay_in_weihai(said, said.yuan("remaining_burden"), confirmed)
    return Claim(facts, Person(born=_BORN, groups=groups[group]), _cover(said, scheme))


def _stay_in_weihai(said: Said, burden: Fen, confirmed: Mapping[str, bool] | None = None) -> Facts:
    return Facts(
        day=said.day("discharge"),
        claimed_on=said.day("claim_date"),
        visit="inpatient",
        cause="disease",
        in_scope=burden,
        self_pay_one=burden,
        self_pay_after_insurance=burden,
        own_cost=burden,
        confirmed=confirmed or {},
    )


def _gig(said: Said, scheme: Scheme) -> Claim:
    facts = Facts(
        day=said.day("discharge", latest_day(scheme)),
        admission=said.day("admission") if said.has("admission") else None,
        event=_event(said.word("event")),
        visit="inpatient",
        cause=said.word("cause"),
        grade=_grade(said),
        event_id=_EVENT_ID,
    )
    person = Person(born=_BORN, groups=(f"gig:{said.word('occupation')}",))
    return Claim(facts, person, _cover(said, scheme))


def _city_medical(said: Said, scheme: Scheme) -> Claim:
    pooled = said.yuan("copay_pooled_section")
    large_sum = said.yuan("copay_large_sum_section")
    in_scope = Fen(pooled + large_sum + said.yuan("below_deductible", "0.00"))
    own_cost = Fen(in_scope + said.yuan("self_funded", "0.00") + said.yuan("above_maximum", "0.00"))
    facts = Facts(
        admission=said.day("admission"),
        day=said.day("admission"),
        visit=said.word("visit"),
        cause="disease",
        in_scope=in_scope,
        self_pay_one=in_scope,
        co_pay_pooled=pooled,
        co_pay_large_sum=large_sum,
        self_pay_after_insurance=own_cost,
        own_cost=own_cost,
    )
    return Claim(facts, _SOMEBODY, _cover(said, scheme))


def _cover(said: Said, scheme: Scheme, *standing: str) -> Coverage:
    """Cover somebody as long as the case says, or else as long as the scheme has figures."""
    figures = (figure for named in named_figures(scheme) for figure in named.figures)
    starts = said.day("coverage_start", min(figure.valid_from for figure in figures))
    ends = said.day("coverage_end") if said.has("coverage_end") else None
    return Coverage(
        scheme.scheme_id,
        Days(starts, ends),
        units=said.number("shares", 1),
        unmet=frozenset(name for name in standing if not said.flag(name)),
        # A case with days to wait and not a word on the enrolment is of one who waits them: only
        # who is expressly not enrolled for the first time renews.
        renewed=not said.flag("first_enrolment", default=True),
    )


def _born(said: Said) -> Person:
    return Person(born=said.day("birth_date"))


def _sex(said: Said) -> Literal["F", "M"] | None:
    if not said.has("sex"):
        return None
    sex = said.word("sex")
    if sex not in ("F", "M"):
        raise CaseUnreadable(f"no such sex: {sex}")
    return sex


_EVENTS: Final[Mapping[str, Event]] = {
    "hospital": "treatment",
    "disability": "disability",
    "death": "death",
    "continued_treatment": "continued_treatment",
    "family": "family_illness",
}


def _event(word: str) -> Event:
    if word not in _EVENTS:
        raise CaseUnreadable(f"no such event: {word}")
    return _EVENTS[word]


def _grade(said: Said) -> int | None:
    return said.number("disability_grade") if said.has("disability_grade") else None


_READERS: Final[Mapping[str, Callable[[Said, Scheme], Claim]]] = {
    "bj.mutual": _mutual,
    "cq.allowance": _allowance,
    "cq.comprehensive.medical": _comprehensive_medical,
    "cq.comprehensive.accident": _accident,
    "cq.critical": _illness,
    "cq.relief": _relief,
    "wh.medical": _period_of_weihai,
    "wh.hardship": _hardship,
    "wh.gig": _gig,
    "ct.medical": _city_medical,
    "ct.women": _illness,
    "ct.critical": _illness,
    "ct.accident": _accident,
}
