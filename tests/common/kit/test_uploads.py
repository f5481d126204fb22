"""Uploads: the file flows in pieces, everything is bounded, and a broken form is refused."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from services.common.kit import problems
from services.common.kit.uploads import Upload, UploadBounds, receive

BOUNDS = UploadBounds(file_bytes_max=1_000_000, field_bytes_max=64, parts_max=4)
LINE = b"\r\n"


class Door:
    """A route that takes an upload and keeps what came."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.upload: Upload | None = None
        self.app = FastAPI()
        problems.install(self.app)
        self.app.add_api_route("/files", self.take, methods=["POST"])

    async def take(self, request: Request) -> int:
        self.upload = await receive(request, self.keep, BOUNDS)
        return self.upload.size

    async def keep(self, piece: bytes) -> None:
        self.pieces.append(piece)

    async def post(self, **request: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.post("/files", **request)


@pytest.fixture
def door() -> Door:
    return Door()


def part(head: bytes, body: bytes, boundary: bytes = b"b") -> bytes:
    return b"--" + boundary + LINE + head + LINE + LINE + body + LINE


FILE = b'Content-Disposition: form-data; name="file"; filename="a.csv"'
FIELD = b'Content-Disposition: form-data; name="unit"'
END = b"--b--\r\n"
FORM = {"content-type": "multipart/form-data; boundary=b"}


async def test_fields_are_kept_and_the_file_flows_through(door: Door) -> None:
    content = bytes(range(256)) * 2_000
    answer = await door.post(
        data={"unit": "U-01", "from": "2026-01-01"}, files={"file": ("花名册.csv", content)}
    )
    assert (answer.status_code, answer.json()) == (200, len(content))
    assert b"".join(door.pieces) == content
    assert door.upload is not None
    assert door.upload.fields == {"unit": "U-01", "from": "2026-01-01"}
    assert door.upload.filename == "花名册.csv"


async def test_each_piece_is_taken_before_the_next_is_read(door: Door) -> None:
    read_when_taken: list[int] = []
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"--b\r\n" + FILE + LINE + LINE
        for _ in range(50):
            sent += 1
            yield b"x" * 1_000
        yield LINE + END

    async def keep(piece: bytes) -> None:
        assert piece
        read_when_taken.append(sent)

    door.keep = keep
    assert (await door.post(content=body(), headers=FORM)).status_code == 200
    assert len(read_when_taken) >= 50


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (part(FILE, b"x"), 422, "UPLOAD_BROKEN"),
        (part(FILE, b"x")[:30], 422, "UPLOAD_BROKEN"),
        (b"", 422, "UPLOAD_BROKEN"),
        (b"nonsense", 422, "UPLOAD_BROKEN"),
        (part(FIELD, b"\xff") + part(FILE, b"x") + END, 422, "UPLOAD_BROKEN"),
        (part(FIELD, b"1") + part(FIELD, b"2") + END, 422, "UPLOAD_BROKEN"),
        (part(b"Content-Type: a/b", b"1") + END, 422, "UPLOAD_BROKEN"),
        (part(FIELD, b"1") + END, 422, "UPLOAD_WITHOUT_FILE"),
        (part(FILE, b"1") * 2 + END, 422, "UPLOAD_WITHOUT_FILE"),
        (part(FILE.replace(b"file", b"elif"), b"1") + END, 422, "UPLOAD_WITHOUT_FILE"),
        (part(FILE, b"x" * 1_000_001) + END, 413, "UPLOAD_TOO_LARGE"),
        (part(FIELD, b"x" * 65) + END, 413, "UPLOAD_TOO_LARGE"),
        (part(b"A: " + b"x" * 5_000, b"") + END, 422, "UPLOAD_BROKEN"),
        (part(LINE.join([b"A: x"] * 9), b"") + END, 422, "UPLOAD_BROKEN"),
        (
            b"".join(part(FIELD.replace(b"unit", b"u%d" % n), b"1") for n in range(5)),
            413,
            "UPLOAD_TOO_LARGE",
        ),
    ],
)
async def test_a_broken_or_boundless_form_is_refused(
    door: Door, body: bytes, status: int, code: str
) -> None:
    answer = await door.post(content=body, headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("kind", ["application/json", "text/csv", ""])
async def test_only_forms_are_read(door: Door, kind: str) -> None:
    answer = await door.post(content=b"x", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "NOT_MULTIPART")


async def test_a_form_without_a_boundary_is_refused(door: Door) -> None:
    answer = await door.post(content=END, headers={"content-type": "multipart/form-data"})
    assert answer.json()["code"] == "UPLOAD_BROKEN"


@given(body=st.binary(max_size=400), cut=st.integers(1, 50))
async def test_no_bytes_bring_it_down(body: bytes, cut: int) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), cut):
            yield body[at : at + cut]

    answer = await Door().post(content=pieces(), headers=FORM)
    assert answer.status_code in {200, 413, 422}
