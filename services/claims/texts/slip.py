"""The slip that a union hands out: one A4 page that explains a claim, as a PDF."""

from pathlib import Path
from typing import Final

from services.claims.texts.page import Explanation, Part, document, page_words, place
from services.common.kit.typeset import typeset
from services.common.money import yuan

_TEMPLATE: Final = Path(__file__).with_suffix(".typ")


async def slip(explained: Explanation) -> bytes:
    """Set the explanation in Chinese as a PDF; the same explanation gives the same bytes."""
    return await typeset(_TEMPLATE, _said(explained))


def _said(explained: Explanation) -> dict[str, object]:
    def word(name: str) -> str:
        return page_words(name, "zh")

    facts = [
        (word("claim"), str(explained.claim_id)),
        (word("hospital"), explained.hospital),
        (word("day"), explained.day.isoformat()),
    ]
    return {
        "title": word("title"),
        "number": word("number"),
        "step": word("step"),
        "result": word("result"),
        "basis": word("basis"),
        "facts": facts,
        "plans": [_plan(part) for part in explained.parts],
        "total": f"{word('total')} {yuan(explained.amount)} {word('yuan')}",
        "wrong": word("wrong"),
    }


def _plan(part: Part) -> dict[str, object]:
    """Name the documents once, and in each line only which of them, where there are several."""
    named = [document(line) for line in part.lines]
    documents = [name for name in dict.fromkeys(named) if name]
    marks = {name: f"[{number}] " for number, name in enumerate(documents, 1)}
    if len(documents) == 1:
        marks.clear()
    return {
        "name": part.name("zh"),
        "amount": f"{yuan(part.amount)} {page_words('yuan', 'zh')}",
        "documents": [f"{marks.get(name, '')}{name}" for name in documents],
        "lines": [
            {
                "text": line.text_zh,
                "place": marks.get(document(line), "") + place(line, "zh"),
                "amount": line.amount_out,
            }
            for line in part.lines
        ],
    }
