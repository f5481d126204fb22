"""A member's books in small: claims go in and are taken back, and the sums are kept."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Literal
from uuid import UUID

from services.claims.model import (
    Assessment,
    Brought,
    Case,
    Coverage,
    Facts,
    MadeGood,
    PeriodKey,
    Person,
    Reason,
    Refusal,
    Reversal,
    Step,
    Totals,
    Verdict,
)
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.claims.usecases.bills import indemnities
from services.common.money import Fen, yuan
from services.common.schemes.rulebook import Rulebook

MEMBER = UUID(int=7)
NOBODY_ASKS = Person()


class Books:
    """One member under some schemes; `totals` stand as after the last claim."""

    def __init__(
        self, rulebook: Rulebook, covers: Sequence[Coverage], person: Person = NOBODY_ASKS
    ) -> None:
        self.totals: dict[PeriodKey, Totals] = {}
        self.cost = Fen(0)
        self._rulebook = rulebook
        self._covers = covers
        self._person = person

    def bring(self, facts: Facts, aided: int = 0) -> Brought:
        brought = cases(MEMBER, facts, self._person, self._covers, self._rulebook)
        assert isinstance(brought, Brought), brought
        return self.among_bills(Brought(brought.entries, Fen(aided)), facts.own_cost)

    def among_bills(self, brought: Brought, cost: Fen) -> Brought:
        """Tell what all bills cost, with this one, where several plans make the same ones good."""
        if len(indemnities(self._covers, self._rulebook)) < 2:
            return brought
        granted = sum(
            amount
            for key, totals in self.totals.items()
            for benefit, amount in totals.granted.items()
            if self._rulebook.indemnifies(key.scheme_id, benefit)
        )
        return brought._replace(bills=MadeGood(Fen(self.cost + cost), Fen(granted)))

    def refused(self, facts: Facts) -> Refusal:
        brought = cases(MEMBER, facts, self._person, self._covers, self._rulebook)
        assert isinstance(brought, Refusal), brought
        return brought

    def claim_all(self, facts: Facts, aided: int = 0) -> tuple[Assessment, ...]:
        (assessed,) = assess([self.bring(facts, aided)], self.totals)
        if any(done.key is not None for done in assessed):
            self.cost = Fen(self.cost + facts.own_cost)
        return assessed

    def claim(self, facts: Facts, aided: int = 0) -> Assessment:
        """Bring a claim that one plan alone looks at."""
        (done,) = self.claim_all(facts, aided)
        return done

    def earns(self, facts: Facts, aided: int = 0) -> tuple[int, str | None]:
        """Give what a claim under one plan earns, in fen, and the code that says why not more."""
        done = self.claim(facts, aided)
        return done.benefit, done.code

    def take_back(self, brought: Brought, assessed: Sequence[Assessment]) -> tuple[Assessment, ...]:
        taken_back = reversal(brought, assessed)
        costs = [e.counted.cost for e in taken_back.entries if isinstance(e, Reversal)]
        cost = Fen(-max(costs, default=0))
        (done,) = assess([self.among_bills(taken_back, cost)], self.totals)
        self.cost = Fen(self.cost + cost)
        return done

    def granted(self) -> int:
        return granted(self.totals.values())


def reversal(brought: Brought, assessed: Sequence[Assessment]) -> Brought:
    """Give the reversal of a claim under each plan where it entered the sums."""
    pairs = zip(brought.entries, assessed, strict=True)
    return Brought(
        tuple(
            Reversal(entry.key, entry.terms, done.counted)
            for entry, done in pairs
            if isinstance(entry, Case) and done.counted is not None
        )
    )


def granted(totals: Iterable[Totals]) -> int:
    return sum(sum(each.granted.values()) for each in totals)


def paid(assessed: Iterable[Sequence[Assessment]]) -> int:
    return sum(done.benefit for each in assessed for done in each)


def a_claim(**said: Any) -> Facts:  # noqa: ANN401 (facts by name)
    """Give a stay of eight days that left 2300.00 in scope to the member, and 10.00 beside it."""
    stay: dict[str, Any] = {
        "day": date(2024, 3, 9),
        "admission": date(2024, 3, 1),
        "visit": "inpatient",
        "cause": "disease",
        "self_pay_one": Fen(2300_00),
        "own_cost": Fen(2310_00),
    }
    return Facts(**(stay | said))


def rejected(
    reason: Reason,
    *working: Step,
    scheme_id: str = "made.up",
    benefit: str = "benefit",
    payee: Literal["member", "family"] = "member",
) -> Assessment:
    """Give the assessment of a claim that earns nothing and enters no sum."""
    return Assessment(
        scheme_id, benefit, Verdict.REJECTED, Fen(0), working, code=reason, payee=payee
    )


def told(done: Assessment) -> list[tuple[object, ...]]:
    """Give the working in short: step, figure without its day, yuan in and out, what was found."""
    return [_in_short(step) for step in done.working]


def _in_short(step: Step) -> tuple[object, ...]:
    figure = step.figure.partition("@")[0]
    return (step.step, figure, yuan(step.amount_in), yuan(step.amount_out), *step.facts)
