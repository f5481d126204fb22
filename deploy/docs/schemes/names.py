"""What codes are called: the names that stand in a working."""

from collections.abc import Mapping
from typing import Final

from services.claims.texts.words import WORDS
from services.common.schemes.model import Words

LISTS: Final[Mapping[str, Mapping[str, Words]]] = WORDS.names


def called(code: str, names: str) -> Words:
    """Look a code up in one of the lists; a code without a name stays as it is."""
    return LISTS[names].get(code) or Words(zh=f"`{code}`", en=f"`{code}`")


def figure_called(name: str) -> Words:
    """Say what a figure is about, by any part of its name."""
    figures = LISTS["figures"]
    parts = (name, *reversed(name.split(".")), "*")
    return next(figures[part] for part in parts if part in figures)
