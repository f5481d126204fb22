"""What joining costs, whether enough of a unit join, and until when a claim is to be paid."""

import math
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

from services.common.errors import Invalid
from services.common.money import Fen
from services.common.schemes.errors import SchemeFigureMissing
from services.common.schemes.figures import Figure, in_force
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook

T = TypeVar("T")


def offered(rulebook: Rulebook) -> dict[str, int]:
    """Give the schemes that can be joined, each with the shares that one member may hold at most.

    A scheme none of whose benefits can be worked out takes nobody in; of dated maxima the last
    one holds.
    """
    return {
        scheme.scheme_id: scheme.enrolment.units_max[-1].value
        for scheme in rulebook
        if scheme.enrolment.units_max and (scheme.includes or any(_payable(scheme)))
    }


def _payable(scheme: Scheme) -> Iterator[str]:
    """Name the benefits that lack no figure."""
    lacking = {name.partition(".")[0] for name in scheme.missing}
    return (name for name in scheme.benefits if name not in lacking)


class SharesAboveMaximum(Invalid):
    """More shares than the plan lets one member hold."""

    code = "SHARES_ABOVE_MAXIMUM"

    def __init__(self, scheme_id: str, units: int, most: int) -> None:
        super().__init__(f"{scheme_id}: {units} shares, at most {most}")
        self.scheme_id = scheme_id
        self.units = units
        self.most = most


class FeeDue(NamedTuple):
    """What the shares cost for their terms, in fen, and the part of it that the member pays."""

    total: Fen
    member_pays: Fen


def fee(
    rulebook: Rulebook, units_by_scheme: Mapping[str, int], *, new_member: bool, day: date
) -> FeeDue:
    """Sum the fees of one member who joins these plans on that day, each with at least one share.

    A newcomer enters each association once, however many of its plans are joined. Raises
    `SchemeUnknown`, `SchemeFigureMissing` and `SharesAboveMaximum`.
    """
    _check_shares(rulebook, units_by_scheme, day)
    member_pays = union_pays = 0
    entrances: dict[str, int] = {}
    for scheme_id, units in units_by_scheme.items():
        scheme = rulebook.scheme(scheme_id)
        parts = scheme.enrolment.fee
        member_pays += units * _needed(scheme, "enrolment.fee.member", parts.member, day)
        union = in_force(parts.union, day)
        union_pays += units * (0 if union is None else union.value)
        if new_member and parts.membership is not None:
            amount = parts.membership.amount
            due = _needed(scheme, "enrolment.fee.membership.amount", amount, day)
            entrances[parts.membership.association] = due
    member_pays += sum(entrances.values())
    return FeeDue(Fen(member_pays + union_pays), Fen(member_pays))


def admitted(scheme: Scheme, *, staff: int, joining: int, day: date) -> bool:
    """Say whether a unit with so many staff may join by so many of them.

    A part of a person is a whole one; small units join with everybody. Raises
    `SchemeFigureMissing`.
    """
    rule = scheme.enrolment.participation
    if rule is None:
        return True
    all_below = _needed(scheme, "enrolment.participation.all_below", rule.all_below, day)
    rate = _needed(scheme, "enrolment.participation.rate", rule.rate, day)
    return joining >= (staff if staff < all_below else math.ceil(staff * rate))


def pay_by(scheme: Scheme, accepted_on: date) -> date | None:
    """Give the last day to pay a claim, or None where the scheme promises none.

    It is the same day of a later month, or that month's last day; a holiday does not move it.
    Raises `SchemeFigureMissing`.
    """
    if not scheme.processing_months:
        return None
    months = _needed(scheme, "processing_months", scheme.processing_months, accepted_on)
    years, month = divmod(accepted_on.month - 1 + months, 12)
    year, month = accepted_on.year + years, month + 1
    return date(year, month, min(accepted_on.day, monthrange(year, month)[1]))


def _check_shares(rulebook: Rulebook, units_by_scheme: Mapping[str, int], day: date) -> None:
    """Refuse what is above a maximum; the shares that a package includes are held like others."""
    assert all(units > 0 for units in units_by_scheme.values()), "who joins holds a share"
    held = Counter(units_by_scheme)
    for scheme_id, units in units_by_scheme.items():
        scheme = rulebook.scheme(scheme_id)
        for part, figures in scheme.includes.items():
            held[part] += units * _needed(scheme, f"includes.{part}", figures, day)
    for scheme_id, units in held.items():
        scheme = rulebook.scheme(scheme_id)
        most = _needed(scheme, "enrolment.units_max", scheme.enrolment.units_max, day)
        if units > most:
            raise SharesAboveMaximum(scheme_id, units, most)


def _needed(scheme: Scheme, name: str, figures: tuple[Figure[T], ...], day: date) -> T:
    figure = in_force(figures, day)
    if figure is None:
        raise SchemeFigureMissing(scheme.scheme_id, name, day)
    return figure.value
