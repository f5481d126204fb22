"""Multipart uploads as a stream: fields are kept, the file flows on, nothing touches a disk."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from services.common.errors import Invalid
from services.common.kit.problems import TooLarge, UnsupportedType, allow_body

Sink = Callable[[bytes], Awaitable[None]]

MULTIPART: Final = b"multipart/form-data"


class UploadBroken(Invalid):
    """The upload is not a whole multipart form."""

    code = "UPLOAD_BROKEN"


class UploadTooLarge(TooLarge):
    """The upload has more bytes or fields than this door lets in."""

    code = "UPLOAD_TOO_LARGE"


class UploadWithoutFile(Invalid):
    """The form has not exactly one file under the name that this door reads."""

    code = "UPLOAD_WITHOUT_FILE"


class NotMultipart(UnsupportedType):
    """The content is not multipart/form-data."""

    code = "NOT_MULTIPART"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBounds:
    file_bytes_max: int
    field_bytes_max: int = 4_096
    parts_max: int = 16
    header_count_max: int = 8
    header_bytes_max: int = 4_096
    idle_timeout_s: float = 30.0

    @property
    def part_bytes_max(self) -> int:
        """What a part may take beside the file's own bytes."""
        return self.field_bytes_max + self.header_count_max * self.header_bytes_max


@dataclass(frozen=True, slots=True)
class Upload:
    """What came: the fields, and what is known of the file that went into the sink."""

    fields: Mapping[str, str]
    filename: str
    content_type: str
    size: int
    sha256: bytes


async def receive(
    request: Request, sink: Sink, bounds: UploadBounds, *, file_field: str = "file"
) -> Upload:
    """Read the form; every piece of the file is awaited into `sink` before more is read."""
    allow_body(request, bounds.file_bytes_max + bounds.parts_max * bounds.part_bytes_max)
    form = _Form(_boundary(request), bounds, file_field)
    digest, size = hashlib.sha256(), 0
    async for chunk in _chunks(request, bounds.idle_timeout_s):
        for piece in form.feed(chunk):
            size += len(piece)
            if size > bounds.file_bytes_max:
                raise UploadTooLarge
            digest.update(piece)
            await sink(piece)
    form.finish()
    return Upload(form.fields, form.filename, form.content_type, size, digest.digest())


async def _chunks(request: Request, idle_timeout_s: float) -> AsyncIterator[bytes]:
    """Give the body as it comes; who sends nothing for too long is refused."""
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(idle_timeout_s):
                chunk = await anext(stream, None)
        except (TimeoutError, ClientDisconnect) as error:
            raise UploadBroken from error
        if chunk is None:
            return
        yield chunk


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != MULTIPART:
        raise NotMultipart
    if not options.get(b"boundary"):
        raise UploadBroken
    return options[b"boundary"]


@dataclass(slots=True)
class _Part:
    name: str = ""
    filename: str | None = None
    content_type: str = ""
    value: bytearray = field(default_factory=bytearray)


class _Form:
    """The parser's callbacks gather here what one chunk brought."""

    def __init__(self, boundary: bytes, bounds: UploadBounds, file_field: str) -> None:
        self._bounds = bounds
        self._file_field = file_field
        self._parts = 0
        self._files = 0
        self._ended = False
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self._pieces: list[bytes] = []
        self.fields: dict[str, str] = {}
        self.filename = ""
        self.content_type = ""
        self._parser = MultipartParser(
            boundary,
            callbacks={
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._part_ends,
                "on_end": self._form_ends,
            },
            max_header_count=bounds.header_count_max,
            max_header_size=bounds.header_bytes_max,
        )

    def feed(self, chunk: bytes) -> list[bytes]:
        """Parse a chunk and give the pieces of the file that it brought."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise UploadBroken from error
        pieces, self._pieces = self._pieces, []
        return pieces

    def finish(self) -> None:
        if not self._ended:
            raise UploadBroken
        if self._files != 1:
            raise UploadWithoutFile

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > self._bounds.parts_max:
            raise UploadTooLarge
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _header_ends(self) -> None:
        name, value = bytes(self._header[0]).lower(), bytes(self._header[1])
        self._header = (bytearray(), bytearray())
        if name == b"content-disposition":
            _, options = parse_options_header(value)
            self._part.name = _text(options.get(b"name", b""))
            if b"filename" in options:
                self._part.filename = _text(options[b"filename"])
        elif name == b"content-type":
            self._part.content_type = _text(value)

    def _headers_end(self) -> None:
        part = self._part
        if part.filename is not None:
            self._files += 1
            if part.name != self._file_field or self._files > 1:
                raise UploadWithoutFile
            self.filename, self.content_type = part.filename, part.content_type
        elif not part.name or part.name in self.fields:
            raise UploadBroken

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.filename is not None:
            self._pieces.append(data[start:end])
            return
        self._part.value += data[start:end]
        if len(self._part.value) > self._bounds.field_bytes_max:
            raise UploadTooLarge

    def _part_ends(self) -> None:
        if self._part.filename is None:
            self.fields[self._part.name] = _text(bytes(self._part.value))

    def _form_ends(self) -> None:
        self._ended = True


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UploadBroken from error
