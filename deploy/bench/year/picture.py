"""Growth as a picture: what a settlement costs in each run, program by program, as SVG.

Below it stands what the largest of our own programs took of memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_WIDTH: Final = 880
_HEIGHT: Final = 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 230, 60, 80
_BAR_SHARE: Final = 0.6
_GRID_US: Final = 100
_INK, _FAINT, _LINE = "#1f2933", "#616e7c", "#cbd2d9"
_COLOURS: Final = {
    "postgres": "#2f6690",
    "claims-feed": "#12806a",
    "claims": "#58a58f",
    "payments": "#c2571a",
    "notify": "#e0a13b",
    "kafka": "#7a5195",
    "sandbox": "#9aa5b1",
}
_NOT_OURS: Final = ("postgres", "kafka", "sandbox")
_OTHERS: Final = "#52606d"
_FONTS: Final = "'Noto Sans','Noto Sans SC',sans-serif"


def svg(runs: Sequence[Mapping[str, Any]]) -> str:
    """Draw a bar for each run; the costs are microseconds of processor a settlement."""
    costs = [_costs(run) for run in runs]
    most = max(sum(cost.values()) for cost in costs)
    scale = (_HEIGHT - _TOP - _BOTTOM) / (most * 1.08)
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}"'
                f' viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="{_FONTS}" font-size="13">'
            ),
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            _text(_LEFT, 30, "µs CPU a settlement, by program · 每笔结算的 CPU 微秒", size=16),
            *_grid(most, scale),
            *_bars(runs, costs, scale),
            *_legend(costs),
            "</svg>\n",
        ]
    )


def largest_service_mb(run: Mapping[str, Any]) -> float:
    """Give the peak of the service that took most memory."""
    peaks: Mapping[str, float] = run["rss_mb"]
    return max(mb for name, mb in peaks.items() if name not in _NOT_OURS)


def _costs(run: Mapping[str, Any]) -> dict[str, float]:
    """Give the costs by program in the order of the colours, the small ones as one."""
    told: Mapping[str, float] = run["cpu_us_per_settlement"]
    named = {name: told.get(name, 0.0) for name in _COLOURS}
    return {**named, "others": told["together"] - sum(named.values())}


def _grid(most: float, scale: float) -> Iterator[str]:
    for us in range(0, int(most) + 1, _GRID_US):
        y = _HEIGHT - _BOTTOM - us * scale
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
            f' stroke="{_LINE}"/>'
        )
        yield _text(_LEFT - 10, y + 4, str(us), anchor="end", ink=_FAINT)


def _bars(
    runs: Sequence[Mapping[str, Any]], costs: Sequence[Mapping[str, float]], scale: float
) -> Iterator[str]:
    step = (_WIDTH - _LEFT - _RIGHT) / len(runs)
    width = step * _BAR_SHARE
    for place, (run, cost) in enumerate(zip(runs, costs, strict=True)):
        x, y = _LEFT + step * place + (step - width) / 2, float(_HEIGHT - _BOTTOM)
        for name, us in cost.items():
            y -= us * scale
            yield (
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{us * scale:.1f}"'
                f' fill="{_COLOURS.get(name, _OTHERS)}"/>'
            )
        middle = x + width / 2
        yield _text(middle, y - 8, f"{sum(cost.values()):.0f}", anchor="middle")
        yield _text(middle, _HEIGHT - 56, f"{run['years']:g} years", anchor="middle")
        counted = f"{run['settlements']:,} in {run['seconds']:.0f} s"
        yield _text(middle, _HEIGHT - 36, counted, anchor="middle", ink=_FAINT)
        memory = f"services ≤ {largest_service_mb(run):.0f} MB"
        yield _text(middle, _HEIGHT - 16, memory, anchor="middle", ink=_FAINT)


def _legend(costs: Sequence[Mapping[str, float]]) -> Iterator[str]:
    for place, name in enumerate(reversed(list(costs[0]))):
        y = _TOP + 24 * place
        colour = _COLOURS.get(name, _OTHERS)
        x = _WIDTH - _RIGHT + 30
        yield f'<rect x="{x}" y="{y}" width="14" height="14" fill="{colour}"/>'
        yield _text(x + 22, y + 12, name)


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", ink: str = _INK, size: int = 13
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}"'
        f' font-size="{size}">{words}</text>'
    )
