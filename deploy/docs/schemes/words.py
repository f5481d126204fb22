"""Chinese and English side by side: sentences with values in them, lists, editions of a figure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec

from services.common.money import Fen, yuan
from services.common.schemes.figures import Figure
from services.common.schemes.model import Words

T = TypeVar("T")

# Behind what no document gives, or not wholly; the table of figures says why it stands there.
SAMPLE: Final = "†"
NOTHING: Final = Words(zh="", en="")


class Illness(msgspec.Struct, frozen=True):
    zh: str
    en: str
    codes: tuple[str, ...]


class _Dictionary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cities: dict[str, Words]
    rows: dict[str, Words]
    sentences: dict[str, Words]
    values: dict[str, Words]
    counts: dict[str, Words]
    events: dict[str, Words]
    days: dict[str, Words]
    aids: dict[str, Words]
    formulas: dict[str, Words]
    inputs: dict[str, Words]
    refusals: dict[str, Words]
    joining: dict[str, Words]
    illnesses: tuple[Illness, ...]


DICTIONARY: Final = msgspec.yaml.decode(
    (Path(__file__).parent / "words.yaml").read_bytes(), type=_Dictionary
)


class Told(NamedTuple):
    """A value in words, and the template of the sentence that it belongs into."""

    template: Words
    value: Words


def same(text: object) -> Words:
    """Give what both languages write alike."""
    return Words(zh=str(text), en=str(text))


def put(template: Words, **parts: Words) -> Words:
    """Put words into the braces of a sentence, each language into its own."""
    return Words(
        zh=template.zh.format(**{name: part.zh for name, part in parts.items()}),
        en=template.en.format(**{name: part.en for name, part in parts.items()}),
    )


def joined(parts: Iterable[Words], between: Words) -> Words:
    some = [part for part in parts if part != NOTHING]
    return Words(
        zh=between.zh.join(part.zh for part in some), en=between.en.join(part.en for part in some)
    )


def listed(parts: Iterable[Words]) -> Words:
    return joined(parts, Words(zh="、", en=", "))


def sentences(parts: Iterable[Words]) -> Words:
    return joined(parts, Words(zh="；", en="; "))


def money(amount: int) -> Words:
    return Words(zh=f"{yuan(Fen(amount))}元", en=f"{yuan(Fen(amount))} yuan")


def percent(rate: Decimal) -> Words:
    whole = f"{(rate * 100).normalize():f}"
    return Words(zh=f"{whole}%", en=f"{whole} %")


def count(number: int, counted: str) -> Words:
    """Say how many of what a figure of that name counts."""
    words = DICTIONARY.counts[counted]
    one, many = words.en.split()
    return Words(zh=f"{number}{words.zh}", en=f"{number} {one if number == 1 else many}")


def days_of(figure: Figure[Any]) -> Words:
    starts = same(figure.valid_from)
    if figure.valid_to is None:
        return put(DICTIONARY.formulas["since"], starts=starts)
    return put(DICTIONARY.formulas["until"], starts=starts, ends=same(figure.valid_to))


def over_time(figures: Sequence[Figure[T]], tell: Callable[[T], Told], **parts: Words) -> Words:
    """Put the editions of a figure into a sentence, each with its days where there are several."""
    told = [(tell(figure.value), figure) for figure in figures]
    dated = len(figures) > 1 or any(figure.valid_to is not None for figure in figures)
    by_template: dict[Words, list[Words]] = {}
    for (template, value), figure in told:
        shown = value if figure.assumed is None else _sample(value)
        if dated:
            shown = put(DICTIONARY.formulas["edition"], value=shown, days=days_of(figure))
        by_template.setdefault(template, []).append(shown)
    return sentences(
        put(template, value=listed(values), **parts) for template, values in by_template.items()
    )


def latest(part: T) -> T:
    """Leave of every figure of a scheme the last edition alone, as if it had no end."""
    return cast("T", _latest(part))


def _latest(part: object) -> object:
    if isinstance(part, Figure):
        return msgspec.structs.replace(cast("Figure[Any]", part), valid_to=None)
    if isinstance(part, msgspec.Struct):
        inner = {field: _latest(getattr(part, field)) for field in part.__struct_fields__}
        return msgspec.structs.replace(part, **inner)
    if isinstance(part, dict):
        items = cast("dict[str, object]", part).items()
        return {key: _latest(value) for key, value in items}
    if isinstance(part, tuple):
        several = cast("tuple[object, ...]", part)
        if several and isinstance(several[0], Figure):
            editions = cast("tuple[Figure[Any], ...]", several)
            return (_latest(max(editions, key=_first_day)),)
        return several
    return part


def _first_day(figure: Figure[Any]) -> date:
    return figure.valid_from


def _sample(value: Words) -> Words:
    return Words(zh=value.zh + SAMPLE, en=value.en + SAMPLE)


def both(words: Words) -> str:
    """Put both languages into one cell of a table, Chinese first; what is alike once."""
    return "<br>".join(dict.fromkeys(cells(words)))


def cells(words: Words) -> tuple[str, str]:
    """Make both languages fit for a table, the English one with a capital."""
    return in_table(words.zh), in_table(capital(words).en)


def capital(words: Words) -> Words:
    return Words(zh=words.zh, en=words.en[:1].upper() + words.en[1:])


def in_table(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table of Markdown, with an empty line behind it."""
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return [*lines, ""]
