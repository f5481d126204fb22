"""The SMS provider itself: sends texts into its log, and knows what it sent to whom.

Like the real one it does not recognise a text it has sent before: asked twice, it sends twice. Its
log holds a line for each call, with all its texts; who asks is shown a line for each text.
"""

import asyncio
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from deploy.sandbox.books import CHUNK_BYTES, Book
from deploy.sandbox.clock import now, stamp
from deploy.sandbox.places import Places
from deploy.sandbox.sms.templates import SmsRefused, Templates, parts

PROVIDER = "aliyun"
# A customer's calls come several at a time, and what is written together is written cheaper.
LOG_LINGER_S = 0.005
BARE_LINES = re.compile(r"(?:1[3-9]\d{9}\n)*", re.ASCII)
BARE_LINE_CHARS = 12
MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9]\d{9})", re.ASCII)


class Addressed(msgspec.Struct, array_like=True, gc=False):
    """One text of a call as far as its receipt speaks of it."""

    phone: str
    parts: int


class Text(Addressed, array_like=True, gc=False):
    sign: str
    params: dict[str, str]
    content: str


T = TypeVar("T", bound=Addressed)


class Call(msgspec.Struct, Generic[T]):
    """Texts that were sent together; `receipts` says how often the provider reports them."""

    at: str
    template: str
    out_id: str
    biz_id: str
    nonce: str
    receipts: int
    texts: list[T]


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


_WHOLE = msgspec.json.Decoder(Call[Text])
_ADDRESSED = msgspec.json.Decoder(Call[Addressed])


@dataclass(frozen=True, slots=True)
class Messages:
    """What is to be sent in one call, each to its phone; all three are of the same length."""

    phones: Sequence[str]
    signs: Sequence[str]
    params: Sequence[dict[str, str]]


class Provider:
    def __init__(self, folder: Path, templates: Templates) -> None:
        self._templates = templates
        self._log = Book(folder / "calls.jsonl", LOG_LINGER_S)
        # Where the calls lie, by the phones they went to, up to a place in the log: the rest is
        # read when somebody asks, for hardly any text is ever asked about.
        self._by_phone = Places()
        self._indexed_to = 0
        self._indexing = asyncio.Lock()

    async def send(
        self, template: str, messages: Messages, out_id: str, nonce: str, receipts: int
    ) -> tuple[str, int]:
        """Send all or none; answer with the receipt id and where the log holds the call."""
        contents = self._templates.render(messages.signs, template, messages.params)
        phones = bare_mobiles(messages.phones)
        texts = list(
            map(Text, phones, map(parts, contents), messages.signs, messages.params, contents)
        )
        biz_id = f"{secrets.randbelow(10**18):018d}^0"
        call = Call(stamp(now()), template, out_id, biz_id, nonce, receipts, texts)
        [offset] = await self._log.append([msgspec.json.encode(call)])
        return biz_id, offset

    async def details(
        self, phone: str, day: datetime, biz_id: str
    ) -> list[tuple[Call[Text], Text]]:
        """Give what was sent to a phone on a day, the newest first, each with its call."""
        bare, date = bare_mobile(phone), day.date().isoformat()
        await self._index()
        offsets = sorted(set(self._by_phone.all(int(bare))), reverse=True)
        calls = map(_WHOLE.decode, self._log.at(offsets))
        return [
            (call, text)
            for call in calls
            if call.at.startswith(date) and (not biz_id or call.biz_id == biz_id)
            for text in reversed(call.texts)
            if text.phone == bare
        ]

    def read_log(self) -> Iterator[tuple[int, Call[Addressed]]]:
        """Show, once after a start, what was sent to whom."""
        for offset, line in self._log.lines():
            yield offset, _ADDRESSED.decode(line)

    def calls_at(self, offsets: Sequence[int]) -> list[Call[Addressed]]:
        return [_ADDRESSED.decode(line) for line in self._log.at(offsets)]

    def log(self) -> Iterator[bytes]:
        """Show the log in chunks, a line for each text, oldest first."""
        chunk = bytearray()
        for _, line in self._log.lines():
            call = _WHOLE.decode(line)
            for text in call.texts:
                chunk += msgspec.json.encode(_shown(call, text))
                chunk += b"\n"
            if len(chunk) > CHUNK_BYTES:
                yield bytes(chunk)
                chunk.clear()
        yield bytes(chunk)

    async def _index(self) -> None:
        """Know all that was sent, to whom; others have their turn while much is read."""
        async with self._indexing:
            # What was taken before it is asked about is shown, though it is only being written.
            await self._log.append([])
            for offset, line in self._log.lines(self._indexed_to):
                for text in _ADDRESSED.decode(line).texts:
                    self._by_phone.add(int(text.phone), offset)
                self._indexed_to = offset + len(line)
                await asyncio.sleep(0)


def bare_mobiles(phones: Sequence[str]) -> Sequence[str]:
    """Give the numbers without the country's code; mostly all of them come so."""
    together = "".join([f"{phone}\n" for phone in phones])
    # A line end within one of them would make more lines of it than there are phones.
    as_they_are = len(together) == BARE_LINE_CHARS * len(phones) and BARE_LINES.fullmatch(together)
    return phones if as_they_are else list(map(bare_mobile, phones))


def bare_mobile(phone: str) -> str:
    found = MOBILE.fullmatch(phone)
    if found is None:
        raise SmsRefused("isv.MOBILE_NUMBER_ILLEGAL", "号码格式错误")
    return found.group(1)


def _shown(call: Call[Text], text: Text) -> SentText:
    return SentText(
        at=call.at,
        provider=PROVIDER,
        phone=text.phone,
        sign=text.sign,
        template=call.template,
        params=text.params,
        content=text.content,
        out_id=call.out_id,
        parts=text.parts,
    )
