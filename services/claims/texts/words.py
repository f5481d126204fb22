"""The words that a working is told in, as data."""

from pathlib import Path
from typing import Final, Literal

import msgspec

from services.common.schemes.model import Words

Language = Literal["zh", "en"]


class Dictionary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the words; it says itself how its sentences are chosen and filled in."""

    steps: dict[str, dict[str, Words]]
    missing: Words
    rounded: Words
    exact: Words
    code: Words
    names: dict[str, dict[str, Words]]
    page: dict[str, Words]


WORDS: Final = msgspec.yaml.decode(
    (Path(__file__).parent / "words.yaml").read_bytes(), type=Dictionary
)
