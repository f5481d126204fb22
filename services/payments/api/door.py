"""Who may see whose payouts, and who may act in finance."""

from typing import Annotated, Final

from fastapi import Query

from services.common.kit.auth import WHOLE_UNION, Caller, NotAllowed
from services.payments.model.shown import Place

Cursor = Annotated[str | None, Query(max_length=64)]

MAKERS: Final = ("admin", "finance_maker")
CHECKERS: Final = ("admin", "finance_checker")
MONEY_SEEN: Final = ("admin", "finance_maker", "finance_checker", "auditor")


def unit_in_reach(caller: Caller, unit: str | None) -> str | None:
    """Give the unit whose payouts are shown: an officer sees no other than their own."""
    if caller.kind != "staff":
        raise NotAllowed
    if caller.unit == WHOLE_UNION:
        return unit
    if unit not in (None, caller.unit):
        raise NotAllowed
    return caller.unit


def place(cursor: str | None) -> Place | None:
    return None if cursor is None else Place.parse(cursor)
