"""One member's claims once more, in the order they were decided: what was booked, what would be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from services.claims.backtest.bills import Bills
from services.claims.backtest.trial import Trial
from services.claims.model import (
    Assessment,
    Brought,
    Case,
    Coverage,
    Facts,
    InPlan,
    PeriodKey,
    Person,
    Reversal,
    Totals,
)
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.common.money import Fen

# Other plans have judged a claim of the books, so those on trial are asked for themselves alone.
_OTHERS = frozenset({("", "")})
_NOT_HELD = Brought(())
_NOTHING = Fen(0)


class Patient(NamedTuple):
    """A member as a backtest sees one."""

    member_id: UUID
    unit_code: str
    person: Person
    coverages: Sequence[Coverage]


class Past(NamedTuple):
    """A claim that was decided; one that does not stand was taken back later."""

    claim_id: UUID
    facts: Facts
    plans: tuple[InPlan, ...]
    stands: bool = True


class TakenBack(NamedTuple):
    """A claim leaves the books again; `booked` is what that was worth, by scheme."""

    claim_id: UUID
    booked: Mapping[str, Fen]


class Replayed(NamedTuple):
    """What a claim earned, and what it would have earned; a code says why nothing, or less.

    What does not stand moves sums and money, and is no claim.
    """

    claim_id: UUID
    facts: Facts
    booked: Fen
    drafted: Fen
    code_booked: str | None
    code_drafted: str | None
    stands: bool = True


def replay(
    patient: Patient, events: Iterable[Past | TakenBack], trial: Trial
) -> Iterator[Replayed]:
    """Judge a member's claims by the figures on trial; other plans stay as they were booked."""
    books = _Books(patient, trial)
    for event in events:
        found = books.take_back(event) if isinstance(event, TakenBack) else books.judge(event)
        if found is not None:
            yield found


class _Entered(NamedTuple):
    """A claim that is taken back later, and where it entered the sums."""

    past: Past
    reversals: Sequence[Reversal]


class _Books:
    """A member's books as they would stand under the draft."""

    def __init__(self, patient: Patient, trial: Trial) -> None:
        self._member_id = patient.member_id
        self._person = patient.person
        self._covers = trial.covers(patient.coverages)
        self._trial = trial
        self._totals: dict[PeriodKey, Totals] = {}
        self._bills = Bills() if trial.has_several(patient.coverages) else None
        self._entered: dict[UUID, _Entered] = {}

    def judge(self, past: Past) -> Replayed | None:
        """Give what the plans on trial make of a claim; None where it is no matter of theirs."""
        trial, mine = self._trial, past.plans
        if trial.is_alone(mine) and self._bills is None:
            brought = self._brought(past.facts)
            (assessed,) = assess((brought,), self._totals)
        else:
            earlier, later = trial.sets_apart(mine)
            mine = tuple(plan for plan in mine if plan.scheme_id in trial.schemes)
            brought, assessed = self._among_others(past, earlier, later)
        if not past.stands:
            self._entered[past.claim_id] = _Entered(past, _reversals(brought, assessed))
        if not mine and not assessed:
            return None
        return Replayed(
            past.claim_id,
            past.facts,
            Fen(sum([plan.benefit for plan in mine])),
            Fen(sum([done.benefit for done in assessed])),
            code_of(mine),
            code_of(assessed),
            past.stands,
        )

    def _among_others(
        self, past: Past, earlier: Sequence[InPlan], later: Sequence[InPlan]
    ) -> tuple[Brought, tuple[Assessment, ...]]:
        """Judge a claim between what other plans have made of it."""
        claim_id, cost, bills = past.claim_id, past.facts.own_cost, self._bills
        helpers = self._trial.indemnities(earlier)
        brought = self._brought(past.facts)._replace(aided=_sum(helpers))
        self._share(earlier)
        if bills is not None:
            bills.keep(claim_id, cost, helpers)
            brought = brought._replace(bills=bills.with_bill(claim_id, cost))
        (assessed,) = assess((brought,), self._totals)
        self._share(later)
        if bills is not None:
            mine = self._trial.indemnities(map(_in_plan, assessed))
            bills.keep(claim_id, cost, [*mine, *self._trial.indemnities(later)])
        return brought, assessed

    def _brought(self, facts: Facts) -> Brought:
        if not self._covers:
            return _NOT_HELD
        found = cases(
            self._member_id,
            facts,
            self._person,
            self._covers,
            self._trial.rulebook,
            judged=_OTHERS,
        )
        assert isinstance(found, Brought), "the schemes on trial are known"
        return found

    def take_back(self, event: TakenBack) -> Replayed | None:
        entered = self._entered.pop(event.claim_id, None)
        if entered is None:
            return None
        past, reversals = entered
        earlier, later = (_booked(plans, event) for plans in self._trial.sets_apart(past.plans))
        helpers, bills = self._trial.indemnities(earlier), self._bills
        brought = Brought(tuple(reversals), _sum(helpers))
        if bills is not None:
            bills.keep(past.claim_id, _NOTHING, helpers)
            giving_way = self._trial.indemnities(later)
            brought = brought._replace(bills=bills.without(past.claim_id, giving_way))
        (assessed,) = assess((brought,), self._totals)
        if bills is not None:
            mine = self._trial.indemnities(map(_in_plan, assessed))
            bills.keep(past.claim_id, _NOTHING, [*mine, *self._trial.indemnities(later)])
        self._share([*earlier, *later])
        tried = self._trial.schemes
        booked = Fen(sum(amount for scheme, amount in event.booked.items() if scheme in tried))
        drafted = Fen(sum(done.benefit for done in assessed))
        return Replayed(past.claim_id, past.facts, booked, drafted, None, None, stands=False)

    def _share(self, plans: Sequence[InPlan]) -> None:
        """Keep what other plans were granted of a cap that they share with what is tried."""
        for plan in plans:
            if plan.scheme_id in self._trial.sharing and plan.starts is not None and plan.benefit:
                key = PeriodKey(self._member_id, plan.scheme_id, plan.starts)
                granted = self._totals.get(key, Totals()).granted
                whole = Fen(granted.get(plan.benefit_name, 0) + plan.benefit)
                self._totals[key] = Totals(granted={**granted, plan.benefit_name: whole})


def _booked(plans: Sequence[InPlan], event: TakenBack) -> list[InPlan]:
    """Give what taking the claim back was worth to plans that had counted it."""
    by_scheme = {plan.scheme_id: plan for plan in plans if plan.counted is not None}
    return [
        replace(plan, benefit=event.booked.get(scheme_id, _NOTHING))
        for scheme_id, plan in by_scheme.items()
    ]


def _in_plan(done: Assessment) -> InPlan:
    starts = None if done.key is None else done.key.starts
    return InPlan(done.scheme_id, done.benefit_name, done.code, done.benefit, starts)


def _sum(plans: Sequence[InPlan]) -> Fen:
    return Fen(sum(plan.benefit for plan in plans))


def _reversals(brought: Brought, assessed: Sequence[Assessment]) -> list[Reversal]:
    return [
        Reversal(entry.key, entry.terms, done.counted)
        for entry, done in zip(brought.entries, assessed, strict=True)
        if isinstance(entry, Case) and done.counted is not None
    ]


def code_of(parts: Sequence[InPlan] | Sequence[Assessment]) -> str | None:
    """Say why nothing was earned, or what cut what was earned."""
    if len(parts) == 1:
        return parts[0].code
    paying = [part for part in parts if part.benefit]
    return next((part.code for part in paying or parts if part.code is not None), None)
