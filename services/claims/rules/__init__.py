"""How a benefit is worked out. Pure: same input, same fen, for ever."""

from services.claims.rules.assess import assess, without_effect
from services.claims.rules.cases import cases, reversal
from services.claims.rules.facts import facts_of

__all__ = ["assess", "cases", "facts_of", "reversal", "without_effect"]
