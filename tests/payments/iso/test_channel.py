"""The channel over the folder: a batch handed over once, asked about, and the account read."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.payments.channels.base import Answer, BankChannel, Outcome, Result
from services.payments.channels.folder import DropFolder
from services.payments.channels.iso20022.channel import Iso20022
from services.payments.errors import ResultUnusable
from services.payments.model.batches import BatchFile
from services.payments.model.statements import Movements
from tests.payments.iso.papers import (
    ACCOUNT,
    BATCH_ID,
    BATCH_NO,
    CNAPS,
    DAY,
    IDS,
    PAYER,
    Drop,
    balance,
    entry,
    instructions,
    notice,
    report,
    statement,
    transfer,
)

NOT_READY = Answer(Outcome.UNKNOWN, "NOT_READY")
SETTLED = report("ACSC", transfer(IDS[0], "ACSC"), transfer(IDS[1], "ACSC", amount="2.00"))
BAD = "no XML at all"
STATEMENT_NAME = f"CAMT053_{ACCOUNT}_20261122.xml"


@pytest.fixture
def file(drop: Drop) -> BatchFile:
    return drop.channel.fix(BATCH_ID, DAY, instructions(100, 200))


async def outcomes(drop: Drop, file: BatchFile) -> list[Outcome]:
    result = await drop.channel.result(BATCH_NO, file.name)
    assert isinstance(result, Result)
    return [line.outcome for line in result.lines]


def refs(movements: Movements | None) -> list[str]:
    assert movements is not None
    return [movement.bank_ref for movement in movements.lines]


def test_it_is_a_channel_like_every_other(drop: Drop) -> None:
    channel: BankChannel = drop.channel
    assert channel.lines_max == 100_000


async def test_a_batch_is_put_and_done_once_the_bank_says_so(drop: Drop, file: BatchFile) -> None:
    assert await drop.channel.submit(file) == NOT_READY
    assert (drop.to_bank / file.name).read_bytes() == file.content
    drop.take(file.name)
    assert await drop.channel.submit(file) == NOT_READY
    drop.report(1, report("ACTC"))
    assert await drop.channel.submit(file) == Answer(Outcome.DONE)


async def test_the_same_bytes_again_are_not_written_again(drop: Drop, file: BatchFile) -> None:
    await drop.channel.submit(file)
    before = (drop.to_bank / file.name).stat()
    assert await drop.opened().submit(file) == NOT_READY
    assert (drop.to_bank / file.name).stat() == before
    drop.take(file.name)
    assert await drop.opened().submit(file) == NOT_READY
    assert not (drop.to_bank / file.name).exists()


@pytest.mark.parametrize("taken", [False, True])
async def test_other_bytes_under_our_name_are_never_overwritten(
    drop: Drop, file: BatchFile, *, taken: bool
) -> None:
    place = drop.to_bank / "taken" if taken else drop.to_bank
    (place / file.name).write_bytes(b"of somebody else")
    answer = await drop.channel.submit(file)
    assert answer == Answer(Outcome.UNKNOWN, "NAME_TAKEN", number_taken=True)
    assert (place / file.name).read_bytes() == b"of somebody else"


async def test_a_batch_refused_whole_is_refused_when_handed_over_and_when_asked_about(
    drop: Drop, file: BatchFile
) -> None:
    await drop.channel.submit(file)
    drop.report(1, report("RJCT", code="AM10"))
    assert await drop.channel.submit(file) == Answer(Outcome.REFUSED, "AM10")
    assert await drop.channel.result(BATCH_NO, file.name) == Answer(Outcome.REFUSED, "AM10")


async def test_a_number_that_is_taken_is_not_a_refusal(drop: Drop, file: BatchFile) -> None:
    drop.report(1, report("RJCT", code="AM05"))
    expected = Answer(Outcome.UNKNOWN, "AM05", number_taken=True)
    assert await drop.channel.submit(file) == expected
    assert await drop.channel.result(BATCH_NO, file.name) == expected


async def test_the_result_comes_after_the_technical_answer(drop: Drop, file: BatchFile) -> None:
    await drop.channel.submit(file)
    assert await drop.channel.result(BATCH_NO, file.name) == NOT_READY
    drop.report(1, report("ACTC"))
    assert await drop.channel.result(BATCH_NO, file.name) == NOT_READY
    drop.report(2, SETTLED)
    drop.take(file.name)
    assert await outcomes(drop, file) == [Outcome.DONE, Outcome.DONE]


async def test_a_report_that_lists_nothing_settles_what_was_sent(
    drop: Drop, file: BatchFile
) -> None:
    await drop.channel.submit(file)
    drop.take(file.name)
    drop.report(1, report("ACSC"))
    assert await outcomes(drop, file) == [Outcome.DONE, Outcome.DONE]


async def test_reports_are_read_in_the_order_of_their_numbers(drop: Drop, file: BatchFile) -> None:
    await drop.channel.submit(file)
    drop.report(10, report("RJCT", code="AM04"))
    drop.report(9, report("ACTC"))
    assert await drop.channel.result(BATCH_NO, file.name) == Answer(Outcome.REFUSED, "AM04")


async def test_a_report_on_another_batch_is_not_looked_at(drop: Drop, file: BatchFile) -> None:
    await drop.channel.submit(file)
    drop.lay(f"PAIN002_{BATCH_NO}1_1.xml", BAD)
    drop.lay("PAIN002_1_1.xml", BAD)
    assert await drop.channel.result(BATCH_NO, file.name) == NOT_READY


async def test_a_batch_of_which_nothing_lies_anywhere_is_not_known_there(
    drop: Drop, file: BatchFile
) -> None:
    answer = await drop.channel.result(BATCH_NO, file.name)
    assert answer == Answer(Outcome.UNKNOWN, "NOT_FOUND", not_found=True)
    assert await drop.channel.submit(file) == NOT_READY
    assert (drop.to_bank / file.name).exists()


async def test_a_bad_report_is_said_once_and_the_later_ones_go_on(
    drop: Drop, file: BatchFile
) -> None:
    await drop.channel.submit(file)
    drop.report(1, BAD)
    with pytest.raises(ResultUnusable):
        await drop.channel.result(BATCH_NO, file.name)
    assert await drop.channel.result(BATCH_NO, file.name) == NOT_READY
    drop.report(2, SETTLED)
    assert await outcomes(drop, file) == [Outcome.DONE, Outcome.DONE]


async def test_a_good_report_in_the_place_of_a_bad_one_is_read(drop: Drop, file: BatchFile) -> None:
    await drop.channel.submit(file)
    drop.report(1, BAD)
    assert await drop.channel.submit(file) == Answer(Outcome.UNKNOWN, "RESULT_UNUSABLE")
    assert await drop.channel.submit(file) == NOT_READY
    drop.report(1, SETTLED)
    assert await drop.channel.submit(file) == Answer(Outcome.DONE)


async def test_without_the_folder_nothing_is_known_and_nothing_is_made(
    tmp_path: Path, file: BatchFile
) -> None:
    channel = Iso20022(PAYER, DropFolder(tmp_path / "unmounted"), CNAPS)
    failed = Answer(Outcome.UNKNOWN, "FOLDER_FAILED")
    assert await channel.submit(file) == failed
    assert await channel.result(BATCH_NO, file.name) == failed
    assert await channel.movements("") is None
    assert await channel.statement(DAY) is None
    assert not (tmp_path / "unmounted").exists()


async def test_what_was_settled_is_not_guessed_where_the_order_is_gone(
    drop: Drop, file: BatchFile
) -> None:
    drop.report(1, report("ACSC"))
    answer = await drop.channel.result(BATCH_NO, file.name)
    assert answer == Answer(Outcome.UNKNOWN, "FOLDER_FAILED")


async def test_movements_go_on_behind_the_mark(drop: Drop) -> None:
    assert await drop.channel.movements("") == Movements([], "")
    drop.notice(1, notice(entry("FEE", ref="1")))
    drop.notice(2, notice(entry("FEE", ref="2"), entry("FEE", ref="3")))
    first = await drop.channel.movements("")
    assert (refs(first), first and first.mark) == (["1", "2", "3"], "0000000002")
    assert await drop.channel.movements("0000000002") == Movements([], "0000000002")
    drop.notice(10, notice(entry("FEE", ref="4")))
    assert refs(await drop.opened().movements("0000000002")) == ["4"]


async def test_a_notice_that_a_listing_has_missed_is_not_passed_over(drop: Drop) -> None:
    for number in range(1, 5):
        drop.notice(number, notice(entry("FEE", ref=str(number))))
    all_four = sorted(path.name for path in drop.from_bank.iterdir())
    # The second was missed while it was put; while the fourth was put, perhaps another.
    listings = [[all_four[0], all_four[2]], all_four, all_four, all_four]

    class Late(DropFolder):
        def names(self) -> list[str]:
            return listings.pop(0)

    channel = Iso20022(PAYER, Late(drop.root), CNAPS)
    page = await channel.movements("")
    assert (refs(page), page and page.mark) == (["1", "2", "3"], "0000000003")
    assert refs(await channel.movements("0000000003")) == ["4"]


async def test_notices_on_other_accounts_are_not_ours(drop: Drop) -> None:
    drop.lay(f"CAMT054_{ACCOUNT}0_0000000001.xml", BAD)
    drop.lay(f"CAMT054_{ACCOUNT}_1.xml", BAD)
    assert await drop.channel.movements("") == Movements([], "")


async def test_a_page_ends_with_a_notice(drop: Drop) -> None:
    for number in (1, 2):
        drop.notice(number, notice(*(entry("FEE", ref=str(ref)) for ref in range(1_000))))
    page = await drop.channel.movements("")
    assert page is not None
    assert (len(page.lines), page.mark) == (1_000, "0000000001")


async def test_a_bad_notice_is_said_once_and_the_later_ones_go_on(drop: Drop) -> None:
    drop.notice(1, notice(entry("FEE", ref="1")))
    drop.notice(2, BAD)
    with pytest.raises(ResultUnusable):
        await drop.channel.movements("")
    page = await drop.channel.movements("")
    assert (refs(page), page and page.mark) == (["1"], "0000000001")
    drop.notice(3, notice(entry("FEE", ref="3")))
    assert refs(await drop.channel.movements("0000000001")) == ["3"]


async def test_a_bad_notice_put_right_under_its_name_is_read(drop: Drop) -> None:
    drop.notice(1, BAD)
    with pytest.raises(ResultUnusable):
        await drop.channel.movements("")
    drop.notice(1, notice(entry("FEE", ref="1")))
    assert refs(await drop.channel.movements("")) == ["1"]


async def test_an_empty_notice_only_moves_the_mark(drop: Drop) -> None:
    drop.notice(1, notice())
    assert await drop.channel.movements("") == Movements([], "0000000001")


async def test_a_day_has_a_statement_once_it_is_over(drop: Drop) -> None:
    assert await drop.channel.statement(DAY) is None
    balances = balance("OPBD", "1.00"), balance("CLBD", "1.00")
    drop.lay(STATEMENT_NAME, statement(balances, at="2026-11-22T18:00:00+08:00"))
    assert await drop.channel.statement(DAY) is None
    so_far = await drop.channel.statement(DAY, upto_now=True)
    assert so_far is not None
    drop.lay(STATEMENT_NAME, statement(balances))
    assert await drop.channel.statement(DAY) == so_far
    assert await drop.channel.statement(DAY + timedelta(days=1), upto_now=True) is None


async def test_a_bad_statement_is_said_once_and_a_better_one_is_read(drop: Drop) -> None:
    drop.lay(STATEMENT_NAME, BAD)
    with pytest.raises(ResultUnusable):
        await drop.channel.statement(DAY)
    assert await drop.channel.statement(DAY) is None
    drop.lay(STATEMENT_NAME, statement([balance("OPBD", "1.00"), balance("CLBD", "1.00")]))
    assert await drop.channel.statement(DAY) is not None
