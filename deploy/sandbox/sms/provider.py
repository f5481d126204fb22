"""The SMS provider itself: sends texts into its log, and knows what it sent to whom.

Like the real one it does not recognise a text it has sent before: asked twice, it sends twice.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from deploy.sandbox.books import Book
from deploy.sandbox.clock import now, stamp
from deploy.sandbox.sms.templates import SmsRefused, Templates, parts

PROVIDER = "aliyun"
LINES_PER_CHUNK = 1_000
MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9]\d{9})", re.ASCII)


class SentText(msgspec.Struct, gc=False):
    """One text to one phone, as the log shows it."""

    at: str
    provider: str
    phone: str
    sign: str
    template: str
    params: dict[str, str]
    content: str
    out_id: str
    parts: int


class KeptText(SentText, gc=False):
    """The same with what only the provider needs: receipts says how often it reports the text."""

    biz_id: str
    nonce: str
    receipts: int


KEPT_TEXT = msgspec.json.Decoder(KeptText)
SENT_TEXT = msgspec.json.Decoder(SentText)


@dataclass(frozen=True, slots=True)
class Message:
    phone: str
    sign: str
    params: dict[str, str]


class Provider:
    def __init__(self, folder: Path, templates: Templates) -> None:
        self._templates = templates
        self._log = Book(folder / "log.jsonl")
        self._offsets_by_phone: dict[str, list[int]] = {}

    async def send(
        self, template: str, messages: Sequence[Message], out_id: str, nonce: str, receipts: int
    ) -> tuple[str, list[int]]:
        """Send all or none; answer with the receipt id and where the log holds the texts."""
        at = stamp(now())
        biz_id = f"{secrets.randbelow(10**18):018d}^0"
        texts: list[KeptText] = []
        for message in messages:
            content = self._templates.render(message.sign, template, message.params)
            text = KeptText(
                at=at,
                provider=PROVIDER,
                phone=bare_mobile(message.phone),
                sign=message.sign,
                template=template,
                params=message.params,
                content=content,
                out_id=out_id,
                parts=parts(content),
                biz_id=biz_id,
                nonce=nonce,
                receipts=receipts,
            )
            texts.append(text)
        offsets = await self._log.append([msgspec.json.encode(text) for text in texts])
        for text, offset in zip(texts, offsets, strict=True):
            self._index(text.phone, offset)
        return biz_id, offsets

    def details(self, phone: str, day: datetime, biz_id: str) -> list[KeptText]:
        """Give what was sent to a phone on a day, the newest first."""
        offsets = sorted(self._offsets_by_phone.get(bare_mobile(phone), []), reverse=True)
        date = day.date().isoformat()
        texts = map(KEPT_TEXT.decode, self._log.at(offsets))
        return [
            text
            for text in texts
            if text.at.startswith(date) and (not biz_id or text.biz_id == biz_id)
        ]

    def read_log(self) -> Iterator[tuple[int, KeptText]]:
        """Know again, once after a start, what was sent to whom, and show it to who else asks."""
        for offset, line in self._log.lines():
            text = KEPT_TEXT.decode(line)
            self._index(text.phone, offset)
            yield offset, text

    def kept_at(self, offsets: Sequence[int]) -> list[KeptText]:
        return [KEPT_TEXT.decode(line) for line in self._log.at(offsets)]

    def log(self) -> Iterator[bytes]:
        """Show the log, oldest first, without what only the provider needs."""
        lines: list[bytes] = []
        for _, line in self._log.lines():
            lines.append(msgspec.json.encode(SENT_TEXT.decode(line)) + b"\n")
            if len(lines) == LINES_PER_CHUNK:
                yield b"".join(lines)
                lines = []
        yield b"".join(lines)

    def _index(self, phone: str, offset: int) -> None:
        self._offsets_by_phone.setdefault(phone, []).append(offset)


def bare_mobile(phone: str) -> str:
    found = MOBILE.fullmatch(phone)
    if found is None:
        raise SmsRefused("isv.MOBILE_NUMBER_ILLEGAL", "号码格式错误")
    return found.group(1)
