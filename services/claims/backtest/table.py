"""A backtest in plain text, in Chinese and English: for the screen, for a mail, for the file."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final
from unicodedata import east_asian_width

from services.claims.backtest.report import Report
from services.claims.backtest.tally import AGES, BILLS, LEVELS, UNITS, UNKNOWN, Group
from services.common.money import Fen, yuan

UNITS_SHOWN: Final = 20
TITLES: Final = {
    UNITS: "按单位 by unit",
    AGES: "按年龄 by age",
    LEVELS: "按医院等级 by hospital level",
    BILLS: "按自付一(元) by self-pay one",
}
_LEVELS: Final = {"1": "一级 1", "2": "二级 2", "3": "三级 3"}
_HEAD: Final = ("理赔", "已核定", "按草案", "差额", "多得", "少得", "不变")
_HEAD_EN: Final = ("claims", "booked", "draft", "change", "winners", "losers", "same")

Row = Sequence[str]


def text(report: Report) -> str:
    """Give the whole report; winners and losers are members, amounts yuan."""
    lines = [*_opening(report), "", *_sums(report), ""]
    tables = [_groups(report, dimension) for dimension in TITLES]
    aligned = iter(list(_aligned([row for table in tables for row in table])))
    for table in tables:
        lines += [*islice(aligned, len(table)), ""]
    lines += [*_reasons(report), "", *_largest(report)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def label(dimension: str, name: str) -> str:
    if name == UNKNOWN:
        return "不详 unknown"
    return _LEVELS.get(name, name) if dimension == LEVELS else name


def amount(fen: int) -> str:
    """Write yuan with the thousands apart."""
    whole, _, part = yuan(Fen(fen)).partition(".")
    return f"{int(whole):,}.{part}" if whole != "-0" else f"-0.{part}"


def change(fen: int) -> str:
    return amount(fen) if fen <= 0 else f"+{amount(fen)}"


def columns(words: str) -> int:
    """Count what a text takes of a line: a Chinese character is two wide."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in words)


def _opening(report: Report) -> Iterator[str]:
    asked, days = report.asked, report.asked.days
    yield f"回测 Backtest: {asked.scheme_id}, {days.starts} – {days.ends}"
    if asked.as_of is None:
        yield "按各笔理赔当日的规定 by the figures of each claim's own day"
    else:
        yield f"按 {asked.as_of} 的规定 by the figures of {asked.as_of}"


def _sums(report: Report) -> Iterator[str]:
    tally, whole, fund = report.tally, report.tally.whole, report.asked.fund
    rows = [
        ("理赔 claims", f"{whole.claims:,}", ""),
        ("会员 members", f"{whole.members:,}", ""),
        ("已核定 booked", amount(whole.booked), ""),
        ("按草案 under the draft", amount(whole.drafted), ""),
        ("差额 difference", change(whole.difference), ""),
        ("多得 winners", f"{whole.winners:,}", change(whole.won)),
        ("少得 losers", f"{whole.losers:,}", change(whole.lost)),
        ("不变 unchanged", f"{whole.unchanged:,}", ""),
    ]
    if fund is not None:
        rows += [
            ("期初结余 fund before", amount(fund), ""),
            ("期末结余(已核定) fund at the end, as booked", amount(fund - whole.booked), ""),
            ("期末结余(按草案) fund at the end, by the draft", amount(fund - whole.drafted), ""),
        ]
    check = tally.check
    said = f"{check.differing:,} / {check.claims:,}"
    rows.append(("自检不符 differing when checked", said, change(check.difference)))
    if tally.without_facts:
        rows.append(("缺依据未计 without facts, left out", f"{tally.without_facts:,}", ""))
    yield from _aligned(rows)


def _groups(report: Report, dimension: str) -> list[Row]:
    found = report.groups(dimension)
    shown, rest = found[:UNITS_SHOWN], found[UNITS_SHOWN:]
    rows = [(label(dimension, name), *_cells(group)) for name, group in shown]
    if rest:
        others = Group()
        for _, group in rest:
            others.add(group)
        rows.append((f"其余 others ({len(rest)})", *_cells(others)))
    return [(TITLES[dimension], *_HEAD), ("", *_HEAD_EN), *rows]


def _cells(group: Group) -> tuple[str, ...]:
    return (
        f"{group.claims:,}",
        amount(group.booked),
        amount(group.drafted),
        change(group.difference),
        f"{group.winners:,}",
        f"{group.losers:,}",
        f"{group.unchanged:,}",
    )


def _reasons(report: Report) -> Iterator[str]:
    rows = [
        (code or "全额给付 paid in full", f"{before:,}", f"{after:,}")
        for code, before, after in report.reasons()
    ]
    head = [("原因 reason", "已核定", "按草案"), ("", "booked", "draft")]
    yield from _aligned([*head, *rows])


def _largest(report: Report) -> Iterator[str]:
    rows = [
        (str(one.claim_id), str(one.day), amount(one.booked), amount(one.drafted), change(moved))
        for one in report.tally.largest
        for moved in (one.drafted - one.booked,)
    ]
    title = ("变动最大 largest changes", "日期", "已核定", "按草案", "差额")
    yield from _aligned([title, ("", "day", "booked", "draft", "change"), *rows])


def _aligned(rows: Sequence[Row]) -> Iterator[str]:
    """Put rows under each other: the first column to the left, the others to the right."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first + " " * (widths[0] - columns(first))]
        cells += [
            " " * (width - columns(cell)) + cell
            for cell, width in zip(rest, widths[1:], strict=True)
        ]
        yield "  ".join(cells)
