"""How XML is written here: as text, piece by piece, so that no file is ever held whole."""

import re
from xml.sax.saxutils import escape

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(tag: str, text: str, length_max: int) -> str:
    """Give an element with a text cut to what its type holds; nothing where there is no text.

    What XML cannot carry is a question mark, as where a bank's own systems lose a character.
    """
    held = NOT_XML.sub("?", text)[:length_max]
    return f"<{tag}>{escape(held)}</{tag}>" if held else ""


def amount(tag: str, amount_fen: int) -> str:
    return f'<{tag} Ccy="CNY">{amount_fen // 100}.{amount_fen % 100:02d}</{tag}>'
