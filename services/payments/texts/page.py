"""A month's page as plain text, at most 100 columns wide, a Chinese sign counted as two."""

from collections.abc import Iterator, Sequence
from typing import Final
from unicodedata import east_asian_width

from services.payments.texts.month import Label, MonthPage, Table

WIDTH_MAX: Final = 100
_FIRST: Final = {3: 48, 5: 32, 6: 10}


def width(text: str) -> int:
    """Count the columns that a text takes."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def as_text(page: MonthPage) -> str:
    return "\n".join([*_lines(page), ""])


def _lines(page: MonthPage) -> Iterator[str]:
    yield _label(page.title)
    for label, value in page.facts:
        yield f"{_label(label)}: {value}"
    for fund in page.funds:
        yield ""
        yield "=" * WIDTH_MAX
        yield fund.name
        yield "; ".join(f"{_label(label)} {value}" for label, value in fund.waiting)
        for table in fund.tables:
            yield ""
            yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    columns = len(table.heads)
    first, other = _FIRST[columns], (WIDTH_MAX - _FIRST[columns]) // (columns - 1)
    yield _label(table.title)
    for heads in ([head.zh for head in table.heads], [head.en for head in table.heads]):
        yield _row(heads, first, other)
    yield "-" * WIDTH_MAX
    for label, values in table.rows:
        yield _row([_label(label), *values], first, other)


def _row(cells: Sequence[str], first: int, other: int) -> str:
    name, *values = cells
    return (
        name
        + " " * (first - width(name))
        + "".join(" " * (other - width(value)) + value for value in values)
    ).rstrip()


def _label(label: Label) -> str:
    return f"{label.zh} {label.en}".rstrip()
