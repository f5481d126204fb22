"""Books on disk: nothing that was answered is lost, nothing half written is read."""

import asyncio
import os
from pathlib import Path

import pytest

from deploy.sandbox.books import CHUNK_BYTES, Book


async def test_many_writers_at_once_each_learn_where_their_lines_lie(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.jsonl")
    lines = [[f"{writer}-{place}".encode() for place in range(3)] for writer in range(50)]
    offsets = await asyncio.gather(*(book.append(some) for some in lines))
    for wrote, where in zip(lines, offsets, strict=True):
        assert [line.strip() for line in book.at(where)] == wrote
    assert [line.strip() for _, line in book.lines()] == [one for some in lines for one in some]


async def test_a_torn_last_line_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    await Book(path).append([b"one", b"two"])
    with path.open("ab") as torn:
        torn.write(b"x" * (CHUNK_BYTES + 1))
    book = Book(path)
    assert [line.strip() for _, line in book.lines()] == [b"one", b"two"]
    await book.append([b"three"])
    assert [line.strip() for _, line in book.lines()] == [b"one", b"two", b"three"]


@pytest.mark.parametrize("lost", range(1, len(b"three \nfour \nfive\n")))
async def test_what_is_appended_together_is_kept_whole_or_not_at_all(
    tmp_path: Path, lost: int
) -> None:
    path = tmp_path / "book.jsonl"
    book = Book(path)
    await book.append([b"one", b"two"])
    before = book.size
    await book.append([b"three", b"four", b"five"])
    os.truncate(path, book.size - lost)
    assert Book(path).size == before
    assert path.stat().st_size == before


async def test_a_book_can_be_set_back_and_written_on(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.jsonl")
    await book.append([b"one"])
    before = book.size
    await book.append([b"two"])
    book.cut(before)
    await book.append([b"three"])
    assert b"".join(book.chunks()) == b"one\nthree\n"


async def test_a_book_of_nothing_but_a_torn_line_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    path.write_bytes(b"torn")
    assert list(Book(path).lines()) == []
    assert path.read_bytes() == b""
