"""The slip that a union hands out: one A4 page that explains a claim, as a PDF."""

import asyncio
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from services.claims.texts.page import Explanation, Part, document, page_words, place
from services.common.money import yuan

_TEMPLATE: Final = Path(__file__).with_suffix(".typ")


async def slip(explained: Explanation) -> bytes:
    """Set the explanation in Chinese as a PDF; the same explanation gives the same bytes."""
    return await asyncio.to_thread(_set, explained)


def _set(explained: Explanation) -> bytes:
    return _typesetter()(json.dumps(_said(explained)))


@cache
def _typesetter() -> Callable[[str], bytes]:
    """Load the typesetter and its font, on the first slip and not when a service starts."""
    import typst  # noqa: PLC0415 (see above)
    from pylopdf_fonts_zh_cn import sans_path  # noqa: PLC0415 (see above)

    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(sans_path().parent)],
    )

    def pdf(said: str) -> bytes:
        # Threads may share the fonts, but not a compiler.
        made = typst.Compiler(_TEMPLATE, font_paths=fonts, sys_inputs={"slip": said}).compile()
        assert isinstance(made, bytes), "what has no output file and one document comes as bytes"
        return made

    return pdf


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
