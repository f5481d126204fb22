"""A feed's rows, person by person: all of them, each as it was, in the same order every time."""

import asyncio
import csv
import io
import resource
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.claims import feedfile
from services.claims.feedfile import Line, OrderedFeed
from services.common.ids import new_id
from services.common.kit.sealed_file import SealedFileWriter
from services.common.kit.sealing import Opener, Sealer, Suite

HEADER = ["setl_id", "certno", "psn_name"]


def ordered(folder: Path, content: str, *, room: int = resource.RLIM_INFINITY) -> OrderedFeed:
    """Read a feed where no file may become larger than `room` meanwhile."""
    key, feed_id = X25519PrivateKey.generate(), new_id()
    path = feedfile.path_of(folder, feed_id)

    async def keep() -> None:
        sealer, label = Sealer({"claims": key.public_key()}), feedfile.label_of(feed_id)
        async with SealedFileWriter(path, sealer, recipient="claims", label=label) as file:
            await file.write(content.encode())
            await file.finish()

    asyncio.run(keep())
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        return feedfile.in_order(path, Opener("claims", [key]), feed_id, Suite.SM4_GCM)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def lines(folder: Path, content: str, *, after: int = 0) -> list[Line]:
    feed = ordered(folder, content)
    try:
        return list(feed.rows(after=after))
    finally:
        feed.close()


def written(rows: Sequence[Sequence[str]], quoting: int) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting)  # pyright: ignore[reportArgumentType] - a constant
    writer.writerows([HEADER, *rows])
    return text.getvalue()


def many() -> list[list[str]]:
    """More rows than stay in memory, of people who come again and again."""
    return [[f"S{at}", f"1101011990030{at % 97:04d}x", f"张,三\n{at}"] for at in range(30_000)]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_every_row_is_there_once_as_it_was_with_its_line(tmp_path: Path, quoting: int) -> None:
    rows = many()
    found = lines(tmp_path, written(rows, quoting))
    assert sorted(found) == [(number, row) for number, row in enumerate(rows, 2)]


@given(
    st.lists(st.lists(st.text(',"\r\n张a\x1c\u2028', max_size=4), min_size=2, max_size=3)),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_fields_come_back_whatever_stands_in_them(rows: list[list[str]], quoting: int) -> None:
    with TemporaryDirectory() as folder:
        found = lines(Path(folder), written([["S1", "x"], *rows], quoting))
    assert sorted(fields for _, fields in found) == sorted([["S1", "x"], *rows])


def test_a_persons_rows_stand_side_by_side_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = lines(tmp_path, written([[one, who, "张三"] for one, who, _ in many()], csv.QUOTE_NONE))
    runs = [list(run) for _, run in groupby(found, key=lambda line: line[1][1])]
    assert len(runs) == 97
    assert all(run == sorted(run) for run in runs)


def test_a_disk_without_room_is_not_taken_for_a_bad_feed(tmp_path: Path) -> None:
    content = written(many(), csv.QUOTE_MINIMAL)
    with pytest.raises(OSError, match=r"too large|No space"):
        ordered(tmp_path, content, room=100_000)
    assert len(lines(tmp_path, content)) == 30_000


def test_small_and_capital_letters_name_the_same_person(tmp_path: Path) -> None:
    rows = [["1", "11010119900307001x"], ["2", "11010119900307002X"], ["3", "11010119900307001X"]]
    order = [fields[0] for _, fields in lines(tmp_path, written(rows, csv.QUOTE_NONE))]
    assert order in (["1", "3", "2"], ["2", "1", "3"])


@pytest.mark.parametrize("after", [0, 1, 96, 15_000, 29_999, 30_000])
def test_the_order_is_the_same_when_a_feed_is_gone_on_with(tmp_path: Path, after: int) -> None:
    content = written(many(), csv.QUOTE_MINIMAL)
    assert lines(tmp_path, content)[after:] == lines(tmp_path, content, after=after)


def test_the_order_is_the_one_that_feeds_under_way_were_begun_in(tmp_path: Path) -> None:
    """Who changes it has them begin again, by a migration: their `done` counts rows in it."""
    rows = [[f"S{at}", whose] for at, whose in enumerate(["110101199003070011", "", "x", "", "E1"])]
    found = lines(tmp_path, written(rows * 2, csv.QUOTE_NONE))
    assert [number for number, _ in found] == [3, 5, 6, 11, 2, 7, 10, 4, 9, 8]


def test_a_row_that_is_too_short_to_say_whose_it_is_comes_as_it_is(tmp_path: Path) -> None:
    assert lines(tmp_path, "setl_id,certno\n\nS1\nS2,\n") == [(3, ["S1"]), (4, ["S2", ""])]
