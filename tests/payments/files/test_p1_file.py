"""P1's batch file and its result: byte for byte, and never believed when something is odd."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.sandbox.bank import batchfile
from services.common.identity import PersonName
from services.common.kit.http import Client
from services.payments.channels.base import LineAnswer, Outcome
from services.payments.channels.p1_file import P1File, parse, render
from services.payments.errors import PayeeUnusable, ResultUnusable
from services.payments.model.payouts import Payee
from tests.payments.files.other_side import LINES_MAX, p1_result
from tests.payments.files.samples import (
    AMOUNTS,
    BATCH_NO,
    CARD,
    CARDS,
    DAY,
    PAYER,
    a_payee,
    instructions,
)

# Rare signs of four bytes (U+3400, U+20000 and above), dots, wide blanks, and a mark of order.
NAMES = st.one_of(
    st.sampled_from(
        [
            "王小明",
            "欧阳·娜娜",
            "买买提•艾力",
            "㐂𠮷丽",
            "王\u3000明",
            "\ufeff王",
            "O'Neil Ж",
            "𬎆𫖯",
            "\U00020000\U0002a6df\U00030000",
        ]
    ),
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="|"),
        min_size=1,
        max_size=60,
    ).filter(str.strip),
    st.text(st.characters(min_codepoint=0x20000, max_codepoint=0x2EBE0), min_size=1, max_size=60),
)
PAYEES = st.builds(
    Payee, NAMES.map(PersonName), CARDS, st.sampled_from(["", "工商银行", "信用社·镇"])
)
BATCHES = st.lists(st.tuples(PAYEES, AMOUNTS), min_size=1, max_size=20)


@given(BATCHES)
def test_the_other_side_reads_what_was_written_and_back(content: list[tuple[Payee, int]]) -> None:
    lines = instructions(content)
    written = render(BATCH_NO, PAYER, DAY, lines)
    assert render(BATCH_NO, PAYER, DAY, lines) == written
    read = batchfile.read(written, LINES_MAX)
    assert read.total_fen == sum(line.amount_fen for line in lines)
    for transfer, line in zip(read.transfers, lines, strict=True):
        assert transfer.account == line.payee.card.open()
        assert transfer.name == line.payee.name.open()
        assert transfer.amount_fen == line.amount_fen
        assert transfer.instruction_id == line.instruction_id
    found = parse(BATCH_NO, p1_result(written))
    assert found.final
    assert [(a.instruction_id, a.amount_fen) for a in found.lines] == [
        (line.instruction_id, line.amount_fen) for line in lines
    ]
    assert {(a.outcome, a.paid_on) for a in found.lines} == {(Outcome.DONE, DAY)}


@given(PAYEES)
def test_every_payee_that_passes_the_check_can_be_written(payee: Payee) -> None:
    channel = P1File(PAYER, Client("bank", "http://127.0.0.1:9"))
    channel.check(payee)
    render(BATCH_NO, PAYER, DAY, instructions([(payee, 1)]))


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("", CARD),
        ("\u3000 ", CARD),
        ("王|", CARD),
        ("王\n", CARD),
        ("王" * 61, CARD),
        ("\ud800", CARD),
        ("王", ""),
        ("王", "621700000000000001a"),
        ("王", "１２３４５６"),
    ],
)
def test_what_would_break_the_file_is_not_written(name: str, card: str) -> None:
    channel = P1File(PAYER, Client("bank", "http://127.0.0.1:9"))
    with pytest.raises(PayeeUnusable):
        channel.check(a_payee(name, card))


def test_a_bank_whose_name_would_end_the_field_is_not_written_either() -> None:
    channel = P1File(PAYER, Client("bank", "http://127.0.0.1:9"))
    with pytest.raises(PayeeUnusable):
        channel.check(a_payee()._replace(bank="工商|银行"))


SAMPLE = render(BATCH_NO, PAYER, DAY, instructions([(a_payee(), 100_00)] * 3))
GOOD = p1_result(SAMPLE, {2: "0001", 3: "0008"})
TEXT = GOOD.decode("gb18030")
HEADER, FIRST, SECOND, THIRD, TRAILER, _ = TEXT.split("\r\n")
FIRST_ID = FIRST.split("|")[8]


def a_result(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("gb18030")


def test_refused_lines_carry_the_banks_code_and_our_reason() -> None:
    paid, refused, moved = parse(BATCH_NO, GOOD).lines
    assert (paid.outcome, refused.outcome, moved.outcome) == (
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.UNKNOWN,
    )
    assert (paid.bank_serial, paid.bank_code, paid.paid_on) == ("20261122" + "1".zfill(14), "", DAY)
    assert (refused.bank_code, refused.reason) == ("0001", "NAME_DIFFERS")
    assert moved.moved_before


def test_a_code_that_nobody_told_us_of_is_for_finance_to_look_at() -> None:
    content = a_result(HEADER, FIRST, SECOND.replace("|0001|", "|0099|"), THIRD, TRAILER)
    refused = parse(BATCH_NO, content).lines[1]
    assert (refused.bank_code, refused.reason) == ("0099", "OTHER")


def test_a_line_in_process_counts_nowhere_and_is_not_known_yet() -> None:
    pending = FIRST.replace("|0|0000|", "|2|0000|")
    found = parse(BATCH_NO, a_result(HEADER, pending, SECOND, THIRD, "0|0.00|2|200.00"))
    assert found.final
    assert (found.lines[0].outcome, found.lines[0].paid_on) == (Outcome.UNKNOWN, None)
    assert not found.lines[0].moved_before


def test_a_line_that_nobody_sent_goes_through_under_its_own_id() -> None:
    stranger = FIRST.replace(FIRST_ID, "f" * 33)
    content = a_result(HEADER, FIRST, stranger, SECOND, THIRD, "2|200.00|2|200.00")
    ids = [answer.instruction_id for answer in parse(BATCH_NO, content).lines]
    assert ids[:2] == [FIRST_ID, "f" * 33]
    assert len(ids) == 4


@given(st.integers(0, len(GOOD) - 1))
def test_a_result_cut_short_anywhere_is_not_believed(length: int) -> None:
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, GOOD[:length])


@given(st.binary(max_size=300))
def test_noise_is_not_believed(noise: bytes) -> None:
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, noise)


def _answers(content: bytes) -> list[LineAnswer] | None:
    """Give what a result says of its lines, or None where it is not believed."""
    try:
        return list(parse(BATCH_NO, content).lines)
    except ResultUnusable:
        return None


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_changes_no_amount(place: int, flip: int) -> None:
    spoilt = bytearray(GOOD)
    spoilt[place] ^= flip
    found = _answers(bytes(spoilt))
    if found is not None:
        assert [answer.amount_fen for answer in found] == [100_00] * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_result_in_another_encoding_never_says_anything_else(encoding: str) -> None:
    """Plain UTF-8 can be read as GB18030 by chance: then only names and words are garbled."""
    spoilt = TEXT.encode(encoding)
    found = _answers(spoilt)
    if encoding == "utf-8":
        assert found in (None, list(parse(BATCH_NO, GOOD).lines))
    else:
        assert found is None


def with_first(first: str) -> str:
    return TEXT.replace(FIRST, first)


WRONG = {
    "a booked sum that is not the lines'": TEXT.replace("1|100.00|2", "1|100.01|2"),
    "counts that are not the lines'": TEXT.replace("1|100.00|2|200.00", "2|100.00|1|200.00"),
    "a line twice": with_first(f"{FIRST}\r\n{FIRST}").replace("1|100.00|2", "2|200.00|2"),
    "another batch's number": TEXT.replace(f"{BATCH_NO}|", "7216|"),
    "a mark of byte order": "\ufeff" + TEXT,
    "a status that there is not": with_first(FIRST.replace("|0|0000|", "|9|0000|")),
    "a day that there is not": with_first(FIRST.replace("|20261122", "|20261322")),
    "a day in digits of another script": with_first(FIRST.replace("|20261122", "|２０２６1122")),
    "a day with blanks": with_first(FIRST.replace("|20261122", "|2026 1 2")),
    "an amount with a sign": with_first(FIRST.replace("|100.00|", "|+100.00|")),
    "an empty id": with_first(FIRST.replace(FIRST_ID, "")),
    "an id beyond all measure": with_first(FIRST.replace(FIRST_ID, "a" * 5_000)),
    "a line with a field too few": with_first(FIRST.replace("||||", "|||")),
    "a byte that no database keeps": TEXT.replace("户名不符", "户名\0不符"),
    "line ends without their return": TEXT.replace("\r\n", "\n"),
    "a header with a field too many": TEXT.replace("|CNY|", "|CNY||"),
    "a header without a count": TEXT.replace("|3|300.00|", "||300.00|"),
    "no trailer": TEXT.removesuffix(TRAILER + "\r\n"),
    "two trailers": TEXT + TRAILER + "\r\n",
    "a line behind the trailer": TEXT + FIRST + "\r\n",
    "nothing but a line end": "\r\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_a_result_is_not_believed_with(text: str) -> None:
    assert text != TEXT
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, text.encode("gb18030"))


def test_a_line_left_out_leaves_the_result_open() -> None:
    found = parse(BATCH_NO, a_result(HEADER, SECOND, THIRD, "0|0.00|2|200.00"))
    assert not found.final
    assert len(found.lines) == 2


def test_a_thousand_lines_are_written_with_their_exact_sum() -> None:
    lines = instructions([(a_payee("张三", "622200001"), 3)] * 1_000)
    header = render(BATCH_NO, PAYER, DAY, lines).decode("gb18030").split("\r\n")[0].split("|")
    assert header[2:4] == ["1000", "30.00"]
