"""What a member's several indemnities have made good of the same bills, as a replay goes on."""

from collections.abc import Collection, Sequence
from uuid import UUID

from services.claims.model import InPlan, MadeGood
from services.common.money import Fen


class Bills:
    """The bills that any of them counts, and what each has granted: booked, or by the draft."""

    def __init__(self) -> None:
        self._costs: dict[UUID, Fen] = {}
        self._granted: dict[object, int] = {}

    def with_bill(self, claim_id: UUID, cost: Fen) -> MadeGood:
        others = sum(self._costs.values()) - self._costs.get(claim_id, 0)
        return MadeGood(Fen(others + cost), Fen(sum(self._granted.values())))

    def without(self, claim_id: UUID, later: Collection[InPlan]) -> MadeGood:
        """Take a bill out; what plans hold that are asked after the one at hand gives way to it."""
        made_good = self.with_bill(claim_id, Fen(0))
        held = sum(self._granted.get(_held_by(plan), 0) for plan in later)
        return MadeGood(made_good.cost, Fen(made_good.granted - held))

    def keep(self, claim_id: UUID, cost: Fen, plans: Sequence[InPlan]) -> None:
        """Take over what plans made of a bill; one that is taken back costs nothing."""
        for plan in plans:
            if plan.starts is not None:
                self._costs[claim_id] = cost
                key = _held_by(plan)
                self._granted[key] = self._granted.get(key, 0) + plan.benefit


def _held_by(plan: InPlan) -> tuple[object, ...]:
    return plan.scheme_id, plan.benefit_name, plan.starts
