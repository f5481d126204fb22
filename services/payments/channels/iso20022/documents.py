"""ISO 20022 documents read as streams: no DTD, no entities, no network, valid by their XSD."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

from lxml import etree

from services.common.kit.clock import BUSINESS_ZONE
from services.common.money import Fen
from services.payments.errors import ResultUnusable

CURRENCY: Final = "CNY"
# About twice what 100,000 transfers need in the longest of the messages.
BYTES_MAX: Final = 128 * 1024 * 1024

_SCHEMAS: Final = Path(__file__).with_name("schemas")
_CHUNK_BYTES: Final = 64 * 1024
# Far above what a valid document needs; they bound what a hostile one can make us keep.
_PATH_MAX: Final = 1_000
_TEXT_MAX: Final = 10_000
_PATHS_MAX: Final = 1_000
_ENVELOPES: Final = 2

_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,14})\.[0-9]{2}")

# The texts of an element by their paths below it, as `Amt`, `Amt@Ccy`, `NtryDtls/Btch/PmtInfId`.
# What stands there a second time has `[2]` behind its name; an element without text is "".
Part: TypeAlias = Mapping[str, str]


def namespace(message: str) -> str:
    return f"urn:iso:std:iso:20022:tech:xsd:{message}"


def parts(source: BinaryIO, message: str, *paths: str) -> Iterator[tuple[str, Part]]:
    """Give path and texts of the elements at these paths (below the message) as they come.

    Raises `ResultUnusable`, as late as at the end: nothing may be believed before that.
    """
    reading = _Reading(message, paths)
    parser = _parser(message, reading)
    try:
        while chunk := source.read(_CHUNK_BYTES):
            parser.feed(chunk)
            _refuse_invalid(parser)
            yield from reading.done
            reading.done.clear()
        parser.close()
    except etree.LxmlError:
        # Its words quote the document, names and accounts and all.
        raise ResultUnusable from None
    _refuse_invalid(parser)


def need(part: Part, path: str) -> str:
    """Give the text at a path; raises `ResultUnusable` where there is none."""
    text = part.get(path, "")
    if not text.strip():
        raise ResultUnusable
    return text


def fen(part: Part, path: str) -> Fen:
    """Read an amount of yuan with two decimals, as it must stand on the wire."""
    text = part.get(path, "")
    if not _AMOUNT.fullmatch(text) or part.get(f"{path}@Ccy") != CURRENCY:
        raise ResultUnusable
    return Fen(int(text.replace(".", "")))


def day(part: Part, path: str) -> date:
    try:
        return date.fromisoformat(part.get(path, ""))
    except ValueError:
        raise ResultUnusable from None


def made_on(header: Part) -> date:
    """Read the business day on which a document was made; without a zone it is China's time."""
    try:
        made_at = datetime.fromisoformat(header.get("CreDtTm", ""))
        return made_at.astimezone(BUSINESS_ZONE).date() if made_at.tzinfo else made_at.date()
    except (ValueError, OverflowError):
        raise ResultUnusable from None


class _Reading:
    """What the parser tells, kept for the parts asked for: no tree is built, whatever comes."""

    def __init__(self, message: str, paths: tuple[str, ...]) -> None:
        self.done: list[tuple[str, Part]] = []
        self._namespace = f"{{{namespace(message)}}}"
        self._wanted = frozenset(paths)
        # Where we are: the path of each open element, from the part on if there is one.
        self._open: list[str] = []
        self._part: dict[str, str] | None = None
        self._part_path = ""
        self._part_depth = 0
        self._text: list[str] = []
        self._text_length = 0

    def doctype(self, *_: object) -> None:
        raise ResultUnusable

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        above = self._open[-1] if self._open else ""
        name = tag.removeprefix(self._namespace)
        path = f"{above}/{name}" if above else name
        if len(path) > _PATH_MAX:
            raise ResultUnusable
        if len(self._open) < _ENVELOPES:
            path = ""
        elif self._part is not None:
            path = self._note(self._part, path, attributes)
        elif path in self._wanted:
            self._part, self._part_path, self._part_depth = {}, path, len(self._open)
            path = ""
        self._open.append(path)
        self._drop_text()

    def _note(self, part: dict[str, str], path: str, attributes: Mapping[str, str]) -> str:
        if path in part:
            path += "[2]"
        part.setdefault(path, "")
        if "Ccy" in attributes:
            part[f"{path}@Ccy"] = attributes["Ccy"]
        if len(part) > _PATHS_MAX:
            raise ResultUnusable
        return path

    def data(self, text: str) -> None:
        if self._part is not None:
            self._text_length += len(text)
            if self._text_length > _TEXT_MAX:
                raise ResultUnusable
            self._text.append(text)

    def end(self, _tag: str) -> None:
        path = self._open.pop()
        if self._part is None:
            return
        if len(self._open) == self._part_depth:
            # A part that is a text itself has it under the empty path.
            self._part[""] = "".join(self._text)
            self.done.append((self._part_path, self._part))
            self._part = None
        elif self._text and not self._part[path]:
            self._part[path] = "".join(self._text)
        self._drop_text()

    def _drop_text(self) -> None:
        self._text.clear()
        self._text_length = 0

    def close(self) -> None:
        """Be closed: the parser asks for this name."""


def _parser(message: str, target: Any) -> Any:  # noqa: ANN401 - lxml's stubs know another target
    return etree.XMLParser(
        target=target,
        schema=_schema(message),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


@cache
def _schema(message: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(_SCHEMAS / f"{message}.xsd"))


def _refuse_invalid(parser: Any) -> None:  # noqa: ANN401 - as above
    """Refuse what the XSD does not allow: with a target, lxml lists it and raises nothing."""
    if len(parser.feed_error_log):
        raise ResultUnusable
