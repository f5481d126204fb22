"""A backtest as a picture: who gets more and who gets less, group by group, as SVG."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from services.claims.backtest.report import Report
from services.claims.backtest.table import TITLES, amount, change, columns, label
from services.claims.backtest.tally import UNITS, Group

UNITS_SHOWN: Final = 10
_WIDTH: Final = 960
_MARGIN: Final = 32
# Where the names of the groups end, where the bars lie, and where the numbers end.
_NAMES_TO: Final = 190
_BARS_FROM: Final = 210
_BARS_TO: Final = 690
_CHANGES_TO: Final = 850
_NUMBERS_TO: Final = _WIDTH - _MARGIN
_HEAD: Final = 150
_ROW: Final = 24
_PANEL_HEAD: Final = 44
_LABEL_COLUMNS: Final = 18
_FONTS: Final = (
    "'Noto Sans SC','Noto Sans CJK SC','Source Han Sans SC','PingFang SC',"
    "'Microsoft YaHei','WenQuanYi Micro Hei',sans-serif"
)
_INK, _FAINT, _LINE = "#1f2933", "#616e7c", "#cbd2d9"
_MORE, _LESS = "#12806a", "#c2571a"


class _Scale(NamedTuple):
    """Where nothing lies, and how many fen a step to the side is worth."""

    zero: int
    fen: int

    @classmethod
    def of(cls, groups: Sequence[Group]) -> "_Scale":
        most = max((group.won for group in groups), default=0)
        least = max((-group.lost for group in groups), default=0)
        room = _BARS_TO - _BARS_FROM
        return cls(_BARS_FROM + room * least // max(1, least + most), max(1, least + most))

    def length(self, fen: int) -> int:
        """Whatever is not nothing is seen."""
        return max(1, fen * (_BARS_TO - _BARS_FROM) // self.fen)


def svg(report: Report) -> str:
    """Draw the changes of all groups on one scale; amounts are yuan."""
    panels = [(TITLES[dimension], _shown(report, dimension)) for dimension in TITLES]
    panels = [(title, rows) for title, rows in panels if rows]
    height = _HEAD + sum(_PANEL_HEAD + _ROW * len(rows) for _, rows in panels) + _MARGIN
    scale = _Scale.of([group for _, rows in panels for _, group in rows])
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
            f' viewBox="0 0 {_WIDTH} {height}" font-family="{_FONTS}">'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        *_head(report),
    ]
    top = _HEAD
    for title, rows in panels:
        parts += _panel(title, rows, top, scale)
        top += _PANEL_HEAD + _ROW * len(rows)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _shown(report: Report, dimension: str) -> list[tuple[str, Group]]:
    found = report.groups(dimension)
    named = [(label(dimension, name), group) for name, group in found]
    if dimension != UNITS or len(named) <= UNITS_SHOWN:
        return named
    others = Group()
    for _, group in named[UNITS_SHOWN:]:
        others.add(group)
    return [*named[:UNITS_SHOWN], (f"其余 {len(named) - UNITS_SHOWN} 个 others", others)]


def _head(report: Report) -> Iterator[str]:
    asked, whole = report.asked, report.tally.whole
    days = f"{asked.days.starts} – {asked.days.ends}"
    of_day = "" if asked.as_of is None else f" · 按 {asked.as_of} 的规定 figures of {asked.as_of}"
    yield _text(_MARGIN, 44, f"回测 {asked.scheme_id}", size=24, weight=700)
    yield _text(_MARGIN, 68, f"Backtest {days}{of_day}", size=13, fill=_FAINT)
    sums = (
        ("已核定 booked", amount(whole.booked)),
        ("按草案 draft", amount(whole.drafted)),
        ("差额 change", change(whole.difference)),
        ("多得 / 少得 / 不变 (人)", f"{whole.winners:,} / {whole.losers:,} / {whole.unchanged:,}"),
    )
    for place, (name, value) in enumerate(sums):
        left = _MARGIN + place * 224
        yield _text(left, 98, name, size=12, fill=_FAINT)
        yield _text(left, 120, value, size=17, weight=700)
    for left, colour, name in (
        (_NUMBERS_TO - 210, _LESS, "少得 less"),
        (_NUMBERS_TO - 95, _MORE, "多得 more"),
    ):
        yield f'<rect x="{left}" y="34" width="12" height="12" fill="{colour}"/>'
        yield _text(left + 18, 44, name, size=12)


def _panel(title: str, rows: list[tuple[str, Group]], top: int, scale: _Scale) -> Iterator[str]:
    zero = scale.zero
    yield f'<line x1="{_MARGIN}" y1="{top}" x2="{_NUMBERS_TO}" y2="{top}" stroke="{_LINE}"/>'
    yield _text(_MARGIN, top + 26, title, size=14, weight=700)
    yield _text(_CHANGES_TO, top + 26, "差额 change", size=12, fill=_FAINT, anchor="end")
    yield _text(_NUMBERS_TO, top + 26, "人 members", size=12, fill=_FAINT, anchor="end")
    first, last = top + _PANEL_HEAD - 6, top + _PANEL_HEAD + _ROW * len(rows) - 10
    yield f'<line x1="{zero}" y1="{first}" x2="{zero}" y2="{last}" stroke="{_LINE}"/>'
    for place, (name, group) in enumerate(rows):
        middle = top + _PANEL_HEAD + place * _ROW
        yield _text(_NAMES_TO, middle + 9, _cut(name), size=13, anchor="end")
        for fen, left, colour in (
            (-group.lost, zero - scale.length(-group.lost), _LESS),
            (group.won, zero, _MORE),
        ):
            if fen:
                width = scale.length(fen)
                yield (
                    f'<rect x="{left}" y="{middle - 3}" width="{width}" height="14"'
                    f' fill="{colour}"/>'
                )
        moved, members = change(group.difference), f"{group.members:,}"
        yield _text(_CHANGES_TO, middle + 9, moved, size=13, anchor="end")
        yield _text(_NUMBERS_TO, middle + 9, members, size=13, anchor="end")


def _cut(name: str) -> str:
    if columns(name) <= _LABEL_COLUMNS:
        return name
    kept = name
    while columns(kept) >= _LABEL_COLUMNS:
        kept = kept[:-1]
    return f"{kept}…"


def _text(
    left: int,
    base: int,
    said: str,
    *,
    size: int,
    weight: int = 400,
    fill: str = _INK,
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{left}" y="{base}" font-size="{size}" font-weight="{weight}" fill="{fill}"'
        f' text-anchor="{anchor}">{escape(said)}</text>'
    )
