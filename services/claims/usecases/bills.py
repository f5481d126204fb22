"""What several indemnities of one member have made good of what the member paid."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.claims.model import Assessment, Coverage, InPlan, MadeGood, PeriodKey, Totals
from services.common.money import Fen
from services.common.schemes.rulebook import Rulebook


@dataclass(slots=True)
class Bills:
    """The bills that a member's indemnities count, by claim, and what these have granted."""

    costs: dict[UUID, Fen]
    granted: Fen

    def with_bill(self, claim_id: UUID, cost: Fen) -> MadeGood:
        others = sum(self.costs.values()) - self.costs.get(claim_id, 0)
        return MadeGood(Fen(others + cost), self.granted)

    def keep(
        self, claim_id: UUID, cost: Fen, assessed: Iterable[Assessment], rulebook: Rulebook
    ) -> None:
        """Take over what the plans made of a bill; one that is taken back costs nothing."""
        mine = [a for a in assessed if a.key and rulebook.indemnifies(a.scheme_id, a.benefit_name)]
        if mine:
            self.costs[claim_id] = cost
            self.granted = Fen(self.granted + sum(done.benefit for done in mine))


def members_with_several(
    coverages: Mapping[UUID, Sequence[Coverage]], rulebook: Rulebook
) -> list[UUID]:
    """Choose the members who hold several plans that make the same bills good."""
    packages = {scheme.scheme_id for scheme in rulebook if scheme.includes}
    return [
        member_id
        for member_id, covers in coverages.items()
        if covers and (len(covers) > 1 or covers[0].scheme_id in packages)
        if len(indemnities(covers, rulebook)) > 1
    ]


def indemnities(covers: Collection[Coverage], rulebook: Rulebook) -> set[tuple[str, str]]:
    held = {c.scheme_id for c in covers}
    held |= {part for scheme_id in held for part in rulebook.scheme(scheme_id).includes}
    return {
        (scheme_id, benefit)
        for scheme_id in held
        for benefit in rulebook.paying_for(scheme_id, "treatment")
        if rulebook.indemnifies(scheme_id, benefit)
    }


def bills_of(
    members: Collection[UUID],
    counted: Mapping[UUID, Mapping[UUID, tuple[InPlan, ...]]],
    totals: Mapping[PeriodKey, Totals],
    rulebook: Rulebook,
) -> dict[UUID, Bills]:
    """Put together how the indemnities of these members stand; `counted` is by member and claim."""
    bills = {member_id: Bills({}, Fen(0)) for member_id in members}
    for member_id, claims in counted.items():
        for claim_id, plans in claims.items():
            costs = [p.counted.cost for p in plans if p.counted and _indemnity(p, rulebook)]
            if costs:
                bills[member_id].costs[claim_id] = max(costs)
    for key, each in totals.items():
        if key.member_id in bills:
            mine = bills[key.member_id]
            for benefit, granted in each.granted.items():
                if rulebook.indemnifies(key.scheme_id, benefit):
                    mine.granted = Fen(mine.granted + granted)
    return bills


def _indemnity(plan: InPlan, rulebook: Rulebook) -> bool:
    return rulebook.indemnifies(plan.scheme_id, plan.benefit_name)
