"""Fills a template with its fields and counts what the carrier will charge for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import yaml

from services.common.money import Fen, yuan
from services.notify.model import Recipient, TemplateName

Field = Literal[
    "name",
    "amount",
    "date",
    "tail",
    "reason",
    "officer",
    "mend",
    "life",
    "days",
    "code",
    "minutes",
]

FIELDS: Final = frozenset(get_args(Field))
ONE_PART_CHARACTERS: Final = 70
LONG_PART_CHARACTERS: Final = 67
TEXT_CHARACTERS_MAX: Final = 500
VARIABLE_CHARACTERS_MAX: Final = 35
SURNAME_CHARACTERS_MAX: Final = 4
# Texts are mostly about the same few days.
DAYS_MAX: Final = 64

_DATA: Final = Path(__file__).parent / "templates.yaml"
_HOLE: Final = re.compile(r"\{([a-z]+)\}")
_SIDE_BY_SIDE: Final = re.compile(r"\}\{")


class BadTemplate(Exception):
    """A template is not one that a provider would approve, or names a field we do not have."""


@dataclass(frozen=True, slots=True)
class Template:
    name: TemplateName
    recipient: Recipient
    words: str
    fields: tuple[str, ...]
    code: str
    # The words' fields in order, and how long the words are without them.
    holes: tuple[str, ...]
    own_characters: int

    def fill(self, values: Mapping[str, str]) -> str:
        """Put each field's value in its place; a value is never read as a template again."""
        return _HOLE.sub(lambda hole: values[hole[1]], self.words)

    def variables(self, values: Mapping[str, str]) -> dict[str, str]:
        """Pick the values that the provider is given, each within its bound."""
        return {field: values[field][:VARIABLE_CHARACTERS_MAX] for field in self.fields}


@dataclass(frozen=True, slots=True)
class Wording:
    """All templates and the words for the bank's reasons."""

    templates: Mapping[TemplateName, Template]
    reasons: Mapping[str, str]
    sign: str

    def content(self, template: TemplateName, variables: Mapping[str, str]) -> str:
        """Give the text as it arrives, the signature in front."""
        return f"【{self.sign}】{self.templates[template].fill(variables)}"

    def parts(self, template: TemplateName, variables: Mapping[str, str]) -> int:
        """Count the parts that the text is charged as, without writing it."""
        words = self.templates[template]
        filled = sum(map(len, map(variables.__getitem__, words.holes)))
        return parts(len(self.sign) + len("【】") + words.own_characters + filled)

    def reason(self, code: str) -> str:
        return self.reasons.get(code, self.reasons["OTHER"])


def load(sign: str, codes: Mapping[str, str] | None = None) -> Wording:
    """Read the templates; `codes` are the provider's codes of this installation."""
    data = yaml.safe_load(_DATA.read_text(encoding="utf-8"))
    entries = cast("dict[TemplateName, dict[str, Any]]", data["templates"])
    if set(entries) != set(get_args(TemplateName)):
        raise BadTemplate(*set(entries).symmetric_difference(get_args(TemplateName)))
    reasons = cast("dict[str, str]", data["reasons"])
    if any(len(words) > VARIABLE_CHARACTERS_MAX for words in reasons.values()):
        raise BadTemplate("reasons")
    unknown = set(codes or {}) - set(entries)
    if unknown:
        raise BadTemplate(*unknown)
    templates: dict[TemplateName, Template] = {
        name: _template(name, entry, (codes or {}).get(name)) for name, entry in entries.items()
    }
    return Wording(templates, reasons, sign)


def _template(name: TemplateName, entry: Mapping[str, Any], code: str | None) -> Template:
    words, aliyun = str(entry["words"]), entry["aliyun"]
    holes = tuple(_HOLE.findall(words))
    filled = _HOLE.sub("", words)
    approved = (
        entry["recipient"] in get_args(Recipient)
        and FIELDS.issuperset(holes)
        and set(aliyun["variables"]) == set(holes)
        and not any(sign in filled for sign in "{}【】")
        and not _SIDE_BY_SIDE.search(words)
        and len(words) <= TEXT_CHARACTERS_MAX
    )
    if not approved:
        raise BadTemplate(name)
    fields = tuple(aliyun["variables"])
    return Template(
        name, entry["recipient"], words, fields, code or aliyun["code"], holes, len(filled)
    )


def parts(characters: int) -> int:
    """Count the parts: one up to 70 characters, above that one per 67 begun."""
    if characters <= ONE_PART_CHARACTERS:
        return 1
    return -(-characters // LONG_PART_CHARACTERS)


def short_name(surname: str) -> str:
    """Say 张* for a surname; whatever is not a plain surname is not repeated to anybody."""
    plain = surname.isalpha() and len(surname) <= SURNAME_CHARACTERS_MAX
    return f"{surname}*" if plain else "会员"


def money(amount_fen: int) -> str:
    return yuan(Fen(amount_fen))


@lru_cache(DAYS_MAX)
def day(moment: date) -> str:
    return f"{moment.month}月{moment.day}日"
