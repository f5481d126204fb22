"""The plans of all scheme files as tests meet them: who holds one, and claims that it takes."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace

from services.claims.model import Coverage, Facts, Person
from services.common.identity import Diagnosis
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.errors import SchemeFigureMissing
from services.common.schemes.figures import Amount, Figure, named_figures
from services.common.schemes.load import load_rulebook
from services.common.schemes.model import Daily, Event, LumpSum, Scheme
from services.common.schemes.rulebook import Rulebook
from services.common.schemes.terms import DailyTerms, ExcessTerms, Terms
from tests.claims.rules.books import Books

_YEAR: Final = timedelta(days=364)
_EVENTS: Final = ("", "first", "second")
_AMOUNT: Final = Figure(value=Amount(100_00), valid_from=date(2015, 1, 1), assumed="made up")


def _completed(scheme: Scheme) -> Scheme:
    """Give plans that cannot run an amount, so that all else about them is tried too."""
    benefits = dict(scheme.benefits)
    for name, benefit in benefits.items():
        match benefit.formula:
            case Daily(per_day=amounts) as formula if not amounts:
                formula = replace(
                    formula, per_day={"disease": (_AMOUNT,)}, same_day=(replace(_AMOUNT, value=1),)
                )
            case LumpSum(per_unit=()) as formula:
                formula = replace(formula, per_unit=(_AMOUNT,))
            case _:
                continue
        benefits[name] = replace(benefit, formula=formula)
    return replace(scheme, benefits=benefits)


RULEBOOK: Final = Rulebook(map(_completed, load_rulebook()))


class Plan(NamedTuple):
    """One benefit in one of its editions; all days lie in one period of a cover since then."""

    scheme_id: str
    benefit: str
    since: date

    def __str__(self) -> str:
        return f"{self.scheme_id}:{self.benefit}@{self.since}"

    @property
    def terms(self) -> Terms:
        return RULEBOOK.terms(self.scheme_id, self.benefit, self.since)

    @property
    def events(self) -> tuple[Event, ...]:
        return RULEBOOK.scheme(self.scheme_id).benefits[self.benefit].events

    def asked(self, condition: str) -> Any:  # noqa: ANN401 (the condition's own value)
        """Give what the plan asks under that name, or None."""
        found = [c.rule.value for c in (*self.terms.who, *self.terms.what) if c.name == condition]
        return found[0] if found else None


def _plans(scheme: Scheme) -> Iterator[Plan]:
    days = {figure.valid_from for named in named_figures(scheme) for figure in named.figures}
    for benefit in scheme.benefits:
        for day in sorted(days):
            try:
                RULEBOOK.terms(scheme.scheme_id, benefit, day)
            except SchemeFigureMissing:
                continue
            yield Plan(scheme.scheme_id, benefit, day)


PLANS: Final = [plan for scheme in RULEBOOK for plan in _plans(scheme)]
INDEMNITIES: Final = [plan for plan in PLANS if plan.terms.indemnity]
ACCUMULATING: Final = [plan for plan in PLANS if isinstance(plan.terms.formula, ExcessTerms)]


def a_member(*plans: Plan, units: int = 1) -> tuple[Person, list[Coverage]]:
    """Give somebody whom all the plans admit, and their covers since the plans' first days."""
    ages = [plan.asked("ages") for plan in plans]
    sexes = [plan.asked("sex") for plan in plans]
    groups = [plan.asked("groups") for plan in plans]
    person = Person(
        born=plans[0].since.replace(year=plans[0].since.year - 40, day=1) if any(ages) else None,
        sex=next((sex for sex in sexes if sex), None),
        groups=tuple(group.any_of[0] for group in groups if group),
    )
    covers = [Coverage(plan.scheme_id, Days(plan.since), units) for plan in plans]
    return person, covers


def books(*plans: Plan, units: int = 1) -> Books:
    person, covers = a_member(*plans, units=units)
    return Books(RULEBOOK, covers, person)


@st.composite
def claims(draw: st.DrawFn, *plans: Plan) -> Facts:
    """Make a claim that the first of the plans takes, on a day on which all of them cover."""
    plan, since = plans[0], max(each.since for each in plans)
    stay = draw(st.integers(plan.asked("stay_days_min") or 0, 120))
    day = since + timedelta(days=draw(st.integers(stay, _YEAR.days)))
    event = draw(st.sampled_from(plan.events))
    return Facts(
        day=day,
        admission=day - timedelta(days=stay),
        event=event,
        visit=draw(st.sampled_from(_visits(plan))),
        cause=draw(st.sampled_from(_causes(plan))),
        diagnosis=draw(_diagnoses(plan)),
        hospital_level=plan.asked("hospital_level_min"),
        grade=draw(st.integers(1, 10)) if event == "disability" else None,
        relation=(plan.asked("relations") or ("",))[0],
        event_id=draw(st.sampled_from(_EVENTS[1:] if plan.terms.once else _EVENTS)),
        confirmed={c.what: True for c in plan.asked("confirmed") or ()},
        **draw(bills),
    )


def _visits(plan: Plan) -> Sequence[str]:
    formula = plan.terms.formula
    if isinstance(formula, ExcessTerms) and formula.kind_of is not None:
        return sorted(formula.kind_of)
    return plan.asked("visits") or ("inpatient",)


def _causes(plan: Plan) -> Sequence[str]:
    formula = plan.terms.formula
    if isinstance(formula, DailyTerms):
        return sorted(formula.per_day)
    return plan.asked("causes") or ("disease",)


def _diagnoses(plan: Plan) -> st.SearchStrategy[Diagnosis | None]:
    prefixes = plan.terms.illness_prefixes
    if not prefixes:
        return st.none()
    return st.sampled_from(prefixes).map(lambda codes: Diagnosis(codes.partition("-")[0]))


# Most bills are small, some reach a cap alone.
amounts = st.one_of(st.integers(0, 5_000_00), st.integers(0, 300_000_00)).map(Fen)


@st.composite
def _bills(draw: st.DrawFn) -> dict[str, Any]:
    """Make the amounts of a bill: the co-pays are parts of self-pay one, that of the own cost."""
    pooled, large_sum, rest, beside, fund = (draw(amounts) for _ in range(5))
    self_pay = Fen(pooled + large_sum + rest)
    return {
        "in_scope": Fen(self_pay + fund),
        "self_pay_one": self_pay,
        "pooled_paid": fund,
        "co_pay_pooled": pooled,
        "co_pay_large_sum": large_sum,
        "self_pay_after_insurance": Fen(self_pay + beside),
        "own_cost": Fen(self_pay + beside),
    }


bills = _bills()


def histories(*plans: Plan, at_least: int = 0) -> st.SearchStrategy[list[Facts]]:
    return st.lists(claims(*plans), min_size=at_least, max_size=8)
