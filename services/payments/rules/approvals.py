"""By whose leave money goes out: the larger the payout, the more people have to look at it.

A person approves once, as maker or as checker, and what they approve is the file's hash: another
file, another approval.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from services.common.money import Fen
from services.payments.settings import Tier

Part = Literal["maker", "checker"]


class Approval(NamedTuple):
    """One person's leave for the bytes with this hash."""

    person_id: UUID
    part: Part
    sha256: bytes


def limits_fen(tiers: Iterable[Tier]) -> list[int]:
    """Give from which amounts on the tiers begin, in order."""
    return sorted(tier.from_yuan * 100 for tier in tiers)


def tier_of(limits: Sequence[int], amount_fen: Fen) -> int:
    """Give the number of the tier that an amount falls in; 0 where nobody has to approve."""
    return bisect_right(limits, amount_fen)


def tier_numbered(tiers: Sequence[Tier], number: int) -> Tier:
    """Give a tier by its number, counted from 1 by amount.

    Where the settings have no longer so many, it is the strictest that is left, or one checker.
    """
    ordered = sorted(tiers, key=lambda tier: tier.from_yuan)
    return ordered[min(number, len(ordered)) - 1] if ordered else Tier(from_yuan=0)


def approved(tier: Tier, sha256: bytes, approvals: Iterable[Approval]) -> bool:
    """Tell whether enough different people have approved exactly these bytes."""
    valid = {one.person_id: one.part for one in approvals if one.sha256 == sha256}
    parts = Counter(valid.values())
    return parts["maker"] >= tier.makers and parts["checker"] >= tier.checkers
