"""Sets one-page documents as PDFs, by templates in typst and a font that comes along."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec


async def typeset(template: Path, data: object) -> bytes:
    """Set `data` (JSON under `sys.inputs.data`); the same data gives the same bytes."""
    return await asyncio.to_thread(lambda: _typesetter()(template, data))


@cache
def _typesetter() -> Callable[[Path, object], bytes]:
    """Load the typesetter and its font, on the first page and not when a service starts."""
    import typst  # noqa: PLC0415 (see above)
    from pylopdf_fonts_zh_cn import sans_path  # noqa: PLC0415 (see above)

    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(sans_path().parent)],
    )

    def pdf(template: Path, data: object) -> bytes:
        told = {"data": msgspec.json.encode(data).decode()}
        # Threads may share the fonts, but not a compiler.
        made = typst.Compiler(template, font_paths=fonts, sys_inputs=told).compile()
        assert isinstance(made, bytes), "what has no output file and one document comes as bytes"
        return made

    return pdf
