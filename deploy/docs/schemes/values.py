"""The value of a figure with its unit, in Chinese and in English."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

from deploy.docs.schemes import names
from deploy.docs.schemes.words import (
    DICTIONARY,
    Told,
    count,
    joined,
    listed,
    money,
    over_time,
    percent,
    put,
    same,
)
from services.common.schemes.figures import Amount, Figure
from services.common.schemes.model import (
    Ages,
    Band,
    Confirmation,
    Groups,
    ShareCap,
    Supplement,
    Window,
    Words,
)

T = TypeVar("T")

# What a figure's codes are called, where the list has another name than the figure.
_NAMES: Final = {"base": "bases", "hospital_level_min": "levels"}
_ALONE: Final = same("{value}")


def leaf(name: str) -> str:
    """Give the last part of a figure's name; all that a package includes are of one kind."""
    return "includes" if name.startswith("includes.") else name.rpartition(".")[2]


def rule(name: str, figures: Sequence[Figure[T]], **parts: Words) -> Words:
    """Tell a figure in a sentence, with all its editions; nothing where there is no figure."""
    return over_time(figures, lambda value: _told(name, value), **parts)


def alone(name: str, figures: Sequence[Figure[T]]) -> Words:
    """Tell the editions of a figure without a sentence around them."""
    return over_time(figures, lambda value: Told(_ALONE, in_words(name, value)))


def _told(name: str, value: object) -> Told:
    """Choose the sentence for a value; where it says the value itself, none is put in."""
    key, known = leaf(name), DICTIONARY.sentences
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    own = f"{key}.{value}" if isinstance(value, str) else f"{key}.{number}"
    if own in known:
        return Told(known[own], same(""))
    if isinstance(value, bool):
        return Told(known[key], same("") if value else DICTIONARY.values["no"])
    return Told(known.get(key, _ALONE), in_words(name, value))


def in_words(name: str, value: object) -> Words:
    """Write a value of the figure of that name."""
    key = leaf(name)
    match value:
        case Amount():
            return money(value)
        case Decimal():
            return percent(value)
        case bool():
            return DICTIONARY.values["yes" if value else "no"]
        case int():
            return count(value, key) if key in DICTIONARY.counts else _coded(str(value), key)
        case str():
            return _text(value, key)
        case tuple():
            return _several(key, cast("tuple[Any, ...]", value))
        case _:
            return _structured(value)


def _text(value: str, key: str) -> Words:
    if key == "illnesses":
        return put(DICTIONARY.values["list"], name=same(f"`{value}`"))
    if key == "periods":
        return put(DICTIONARY.values["named_period"], name=same(value))
    if key in {"base", "sex"}:
        return _coded(value, key)
    return DICTIONARY.values[value]


def _coded(value: str, key: str) -> Words:
    return names.called(value, _NAMES.get(key, key))


def _several(key: str, values: tuple[Any, ...]) -> Words:
    match values[:1]:
        case ():
            none = key == "confirmed"
            return DICTIONARY.values["not_confirmed" if none else "nothing"]
        case (Confirmation(),):
            return listed(_confirmation(one) for one in values)
        case (Band(),):
            return _bands(values)
        case (Decimal(),):
            grades = DICTIONARY.values["grade"]
            shares = enumerate(cast("tuple[Decimal, ...]", values), 1)
            return listed(put(grades, grade=same(n), rate=percent(rate)) for n, rate in shares)
        case _ if key not in names.LISTS and key not in _NAMES:
            return put(DICTIONARY.values["codes"], n=same(len(values)))
        case _:
            coded = [_coded(code, key) for code in values]
            # All that is needed on joining, but any one of everything else.
            return listed(coded) if key == "standing" else joined(coded, DICTIONARY.values["or"])


def _confirmation(one: Confirmation) -> Words:
    what = names.called(one.what, "confirmed")
    if not one.groups:
        return put(DICTIONARY.values["confirmed"], what=what)
    groups = listed(names.called(group, "groups") for group in one.groups)
    return put(DICTIONARY.values["confirmed_of"], what=what, groups=groups)


def _bands(bands: tuple[Band, ...]) -> Words:
    if len(bands) == 1:
        return percent(bands[0].rate)
    to, above = DICTIONARY.values["band_to"], DICTIONARY.values["band_above"]
    each = (
        put(above, rate=percent(band.rate))
        if band.to is None
        else put(to, to=money(band.to), rate=percent(band.rate))
        for band in bands
    )
    return joined(each, DICTIONARY.values["and"])


def _structured(value: object) -> Words:
    words = DICTIONARY.values
    match value:
        case Ages(youngest=youngest, oldest=oldest):
            return put(words["age"], youngest=same(youngest), oldest=same(oldest))
        case Groups(any_of=any_of):
            return joined((names.called(group, "groups") for group in any_of), words["or"])
        case Supplement(of=of, above=above, amount=amount):
            base = names.called(of, "bases")
            return put(words["supplement"], of=base, above=money(above), amount=money(amount))
        case ShareCap(of=of, rate=rate):
            return put(words["share_of"], of=names.called(of, "bases"), rate=percent(rate))
        case Window(after=after, days=days):
            return put(words["window"], after=names.called(after, "window"), days=same(days))
        case _:
            raise AssertionError(f"{value!r} is a value without words")
