"""A file that cannot be read is refused whole, with its reason, and leaves nothing behind."""

import gzip
from collections.abc import Callable

import pytest

from deploy.demo.actors import Cast, Json
from deploy.demo.dataset import Dataset
from tests.system.uploads import enroll, quiet, settle

NEITHER_UTF8_NOR_GB18030 = b"\xff\xfe\xff"


Spoil = Callable[[bytes], bytes]
SPOILT: dict[str, tuple[Spoil, str]] = {
    "broken gz": (lambda content: gzip.compress(content)[:-2_000], "UNREADABLE_FILE"),
    "open quote": (lambda content: content + b'"never closed', "UNREADABLE_FILE"),
    "bad bytes": (lambda content: content + NEITHER_UTF8_NOR_GB18030, "WRONG_ENCODING"),
    "utf-16": (lambda content: content.decode().encode("utf-16"), "WRONG_ENCODING"),
    "a column less": (lambda content: content.replace(b"hifp_pay", b"other", 1), "MISSING_COLUMN"),
    "header alone": (lambda content: content.partition(b"\n")[0], "EMPTY_FILE"),
    "nothing": (lambda _: b"", "EMPTY_FILE"),
}


@pytest.mark.parametrize(("spoilt", "code"), SPOILT.values(), ids=SPOILT.keys())
async def test_a_feed_that_cannot_be_read_is_refused_whole(
    cast: Cast, small: Dataset, settled_small: tuple[str, Json], spoilt: Spoil, code: str
) -> None:
    del settled_small
    admin = cast.staff("admin")
    before = await quiet(admin)
    # The good rows have new numbers, so that one of them would show if it were taken.
    content = small.feed_path.read_bytes().replace(b"BJ2", b"XX2")
    feed_id, feed = await settle(admin, spoilt(content))
    assert (feed["status"], feed["code"]) == ("refused", code)
    assert (feed["done"], feed["benefit"]) == (0, "0.00")
    assert await admin.refusals(feed_id) == []
    assert await quiet(admin) == before


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"name,id_number\n\xff\xfe\xff", "UNREADABLE_FILE"),
        (b"name,id_number\n", "MISSING_COLUMN"),
        (b"", "EMPTY_FILE"),
    ],
    ids=["bad bytes", "columns", "nothing"],
)
async def test_a_roster_that_cannot_be_read_is_refused_whole(
    cast: Cast, content: bytes, code: str
) -> None:
    admin = cast.staff("admin")
    before = (await admin.books())["enrollment"]["members"]
    [roster] = await enroll(admin, {"U0099": content}, "2024-01-01")
    assert (roster["status"], roster["code"]) == ("refused", code)
    assert (await admin.books())["enrollment"]["members"] == before
