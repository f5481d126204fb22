"""What is printed: headings, what each actor saw with names and numbers masked, progress."""

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

WIDTH = 100
_PROGRESS_EVERY_S = 2.0  # where no terminal redraws the line
# What stays on one line: a Chinese character or an unbroken run, its brackets and stops with it.
_UNBROKEN = re.compile(r"[“‘(〔《「]*(?:[!-~]+|.)[,.;:!?)，。；：！？、）”’〕》」…]*\s*")

_NUMBER = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?( ✓)?$|-?$")


def phone(number: str) -> str:
    return f"{number[:3]}****{number[-4:]}"


def name(full: str) -> str:
    return f"{full[:1]}*"


def account(number: str) -> str:
    return f"{number[:4]}****{number[-4:]}"


def path(file: Path) -> str:
    """Give a file's path as whoever stands in the working folder would type it."""
    return os.path.relpath(file)


def heading(english: str, chinese: str) -> None:
    title = f"── {chinese} · {english} "
    print(f"\n{title}{'─' * (WIDTH - _columns(title))}", flush=True)


def line(text: str = "") -> None:
    print(_cut(f"  {text}".rstrip()), flush=True)


def lines(texts: Iterable[str]) -> None:
    for text in texts:
        line(text)


def paragraph(text: str, indent: str = "    ") -> None:
    """Print a long text broken at the width of the terminal, between words and characters."""
    for piece in broken(text, WIDTH - len(indent)):
        print(f"{indent}{piece}", flush=True)


def page(content: str) -> None:
    """Print a page as it is."""
    print(f"\n{content}", flush=True)


def text(sent: Mapping[str, Any]) -> None:
    """Print a text as the provider's log has it."""
    paragraph(f"{phone(sent['phone'])} ← {sent['content']}", "  ")


def table(rows: Sequence[Sequence[object]]) -> None:
    """Print rows under each other; the first is the header. Columns of numbers end alike."""
    cells = [[str(cell) for cell in row] for row in rows]
    columns = list(zip(*cells, strict=True))
    widths = [max(map(_columns, column)) for column in columns]
    numbers = [all(map(_NUMBER.match, column[1:])) for column in columns]
    for row in cells:
        aligned = zip(row, widths, numbers, strict=True)
        line("  ".join(_padded(*cell) for cell in aligned).rstrip())


def check(text: str, *, ok: bool) -> None:
    print(_cut(f"  {'✓' if ok else '✗ FAILED'} {text}"), flush=True)


class Progress:
    """One line that is drawn again while something runs; without a terminal a line now and then."""

    def __init__(self) -> None:
        self._redraws = sys.stdout.isatty()
        self._shown = ""
        self._shown_at = 0.0

    def show(self, text: str) -> None:
        if text == self._shown:
            return
        if self._redraws:
            print(f"\r\x1b[2K{_cut(f'  {text}')}", end="", flush=True)
        elif time.monotonic() - self._shown_at < _PROGRESS_EVERY_S:
            return
        else:
            line(text)
        self._shown, self._shown_at = text, time.monotonic()

    def done(self, text: str) -> None:
        """Leave the last word standing."""
        if self._redraws:
            print("\r\x1b[2K", end="")
        if text != self._shown or self._redraws:
            line(text)


def broken(text: str, room: int) -> Iterator[str]:
    """Break a text into lines of at most so many columns; a longer word is cut."""
    taken = ""
    for word in _UNBROKEN.findall(text):
        if taken and _columns(taken + word.rstrip()) > room:
            yield taken.rstrip()
            taken = ""
        taken += word
        while _columns(taken.rstrip()) > room:
            head = _head(taken, room)
            yield head
            taken = taken[len(head) :]
    if taken:
        yield taken.rstrip()


def _columns(text: str) -> int:
    """Count terminal columns: a Chinese character takes two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, width: int, number: object) -> str:
    space = " " * (width - _columns(text))
    return space + text if number else text + space


def _head(text: str, room: int) -> str:
    taken = 0
    for place, sign in enumerate(text):
        taken += _columns(sign)
        if taken > room:
            return text[:place]
    return text


def _cut(text: str) -> str:
    return text if _columns(text) <= WIDTH else f"{_head(text, WIDTH - 1)}…"
