"""A claim explained as one page: the words around its lines, and the page as plain text."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from services.claims.model import Step
from services.claims.texts.lines import ASSUMED, Line, why
from services.claims.texts.words import WORDS, Language
from services.common.money import Fen, yuan
from services.common.schemes.errors import SchemeUnknown
from services.common.schemes.model import Words
from services.common.schemes.rulebook import Rulebook

_PARAGRAPH: Final = re.compile(r"para\. (\d+)")


class Part(msgspec.Struct, frozen=True):
    """What one plan makes of a claim; it has no name where no plan covers it.

    The amount is signed fen.
    """

    names: tuple[Words, ...]
    amount: Fen
    lines: tuple[Line, ...]

    def name(self, language: Language) -> str:
        names = [getattr(words, language) for words in self.names]
        return " · ".join(names) or page_words("no_plan", language)


class Explanation(msgspec.Struct, frozen=True):
    """A claim, explained plan by plan."""

    claim_id: UUID
    hospital: str
    day: date
    parts: tuple[Part, ...]

    @property
    def amount(self) -> Fen:
        return Fen(sum(part.amount for part in self.parts))


def part(
    scheme_id: str, benefit_name: str, working: Sequence[Step], amount: Fen, rulebook: Rulebook
) -> Part:
    """Explain what one plan makes of a claim; `amount` is signed fen."""
    lines = tuple(why(working, scheme_id, rulebook))
    try:
        scheme = rulebook.scheme(scheme_id)
    except SchemeUnknown:
        return Part((Words(zh=scheme_id, en=scheme_id),) if scheme_id else (), amount, lines)
    benefit = scheme.benefits.get(benefit_name)
    return Part((scheme.name,) if benefit is None else (scheme.name, benefit.name), amount, lines)


def as_text(explained: Explanation) -> str:
    """Give the explanation as a plain page, in Chinese and then in English."""
    return "\n".join([*_page(explained, "zh"), "", *_page(explained, "en"), ""])


def page_words(name: str, language: Language) -> str:
    """Give a word of the frame that an explanation stands in."""
    return getattr(WORDS.page[name], language)


def document(line: Line) -> str:
    """Name the document that a line's figure stands in, without the remark that it is assumed."""
    return line.source.partition(ASSUMED)[0].removesuffix(" (")


def place(line: Line, language: Language) -> str:
    """Say where in its document a line's figure stands, since when it holds, in which words."""
    clause = line.clause if language == "en" else _PARAGRAPH.sub(r"第\1段", line.clause)
    said = [clause]
    if line.since:
        said.append(page_words("since", language).format(since=line.since))
    if line.quote:
        # A quotation inside a quotation.
        quote = line.quote.replace("“", "‘").replace("”", "’")
        said.append(page_words("quote", language).format(quote=quote))
    if ASSUMED in line.source:
        said.append(page_words("sample", language))
    return ("；" if language == "zh" else "; ").join(filter(None, said))


def _page(explained: Explanation, language: Language) -> Iterator[str]:
    def word(name: str) -> str:
        return page_words(name, language)

    colon = "：" if language == "zh" else ": "
    yield word("title")
    yield f"{word('claim')}{colon}{explained.claim_id}"
    yield f"{word('hospital')}{colon}{explained.hospital}"
    yield f"{word('day')}{colon}{explained.day}"
    for each in explained.parts:
        yield ""
        yield f"{word('plan')}{colon}{each.name(language)}"
        for number, line in enumerate(each.lines, 1):
            yield f"{number}. {line.words(language)}"
            written = " ".join(filter(None, (document(line), place(line, language))))
            if written:
                yield f"   {word('basis')}{colon}{written}"
        yield f"{word('amount')}{colon}{yuan(each.amount)}{word('yuan')}"
    yield ""
    yield f"{word('total')}{colon}{yuan(explained.amount)}{word('yuan')}"
    yield word("wrong")
