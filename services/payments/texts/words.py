"""The words of the printed pages, as data."""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from services.common.schemes.errors import SchemeUnknown
from services.common.schemes.load import load_rulebook
from services.common.schemes.model import Words
from services.common.schemes.rulebook import Rulebook


class Dictionary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the words."""

    accounts: dict[str, Words]
    flows: dict[str, Words]
    states: dict[str, Words]
    month: dict[str, Words]
    receipt: dict[str, Words]
    list: dict[str, Words]


WORDS: Final = msgspec.yaml.decode(
    Path(__file__).with_suffix(".yaml").read_bytes(), type=Dictionary
)


def scheme_name(scheme_id: str) -> str:
    """Name a scheme in Chinese; one that this release does not know goes by its id."""
    try:
        return _rulebook().scheme(scheme_id).name.zh
    except SchemeUnknown:
        return scheme_id


@cache
def _rulebook() -> Rulebook:
    return load_rulebook()
