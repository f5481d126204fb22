"""A span of days, as reports are asked for it: `?from=2026-11-01&to=2026-11-30`."""

from datetime import date
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Query

from services.payments.errors import BadSpan

DAYS_MAX: Final = 366
# Those that a month may be of; the calendar itself ends too near to 0001 and 9999.
YEARS: Final = (2000, 2099)


class Span(NamedTuple):
    """Both days belong to it."""

    first: date
    last: date


async def _span(
    first: Annotated[date, Query(alias="from")], last: Annotated[date, Query(alias="to")]
) -> Span:
    of_books = YEARS[0] <= first.year and last.year <= YEARS[1]
    if not of_books or not 0 <= (last - first).days < DAYS_MAX:
        raise BadSpan
    return Span(first, last)


# Ask for it in a route: `async def report(span: SpanDep) -> …`.
SpanDep = Annotated[Span, Depends(_span)]
