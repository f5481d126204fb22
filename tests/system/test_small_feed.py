"""The small feed from upload to text, every verdict and every fen as worked out beforehand."""

import gzip
from decimal import Decimal

from deploy.demo import books
from deploy.demo.actors import Cast, Json
from deploy.demo.dataset import Dataset
from deploy.demo.inquiry import ask_again, granted
from tests.system.uploads import quiet, settle


async def test_every_line_gets_its_verdict(
    cast: Cast, small: Dataset, settled_small: tuple[str, Json]
) -> None:
    feed_id, feed = settled_small
    refusals = await cast.staff("admin").refusals(feed_id)
    failed = [check for check in books.check_feed(small, feed, refusals) if not check.ok]
    assert failed == []


async def test_every_line_is_remembered_with_its_fen(
    cast: Cast, small: Dataset, settled_small: tuple[str, Json]
) -> None:
    del settled_small
    check = await ask_again(cast, small)
    assert check.found == check.expected


async def test_every_member_is_granted_per_year_what_was_expected(
    cast: Cast, small: Dataset, settled_small: tuple[str, Json]
) -> None:
    del settled_small
    years = {int(row["enddate"][:4]) for row in small.rows}
    due = {(one["id_number"], year): Decimal(0) for one in small.members for year in years}
    due |= {(one.certno, one.year): one.benefit for one in small.expected}
    assert await granted(cast.staff("admin"), due) == due


async def test_all_that_was_granted_is_paid_and_told_once(
    cast: Cast, small: Dataset, settled_small: tuple[str, Json]
) -> None:
    del settled_small
    here = await quiet(cast.staff("admin"))
    other_side = cast.other_side()
    bank, texts = await other_side.bank_book(), await other_side.texts()
    phones = {one["card_number"]: one["phone"] for one in small.members}
    mine = [line for line in bank if line["account"] in phones]
    told = [text for text in texts if text["phone"] in phones.values()]
    checks = [
        *books.check_money(here, bank, here["claims"]["granted_fen"]),
        *books.check_texts(mine, told, phones.__getitem__),
        *books.check_quiet(here),
    ]
    assert [check for check in checks if not check.ok] == []


async def test_the_same_file_again_changes_nothing(
    cast: Cast, small: Dataset, settled_small: tuple[str, Json]
) -> None:
    admin = cast.staff("admin")
    first_id, first = settled_small
    before = await quiet(admin)
    again_id, again = await settle(admin, gzip.compress(small.feed_path.read_bytes()))
    assert (again["duplicate"], again["refused"]) == (
        first["lines"] - first["refused"],
        first["refused"],
    )
    assert again["benefit"] == "0.00"
    assert await admin.refusals(again_id) == await admin.refusals(first_id)
    assert await quiet(admin) == before
