"""P2's batch file and its result: to the byte in GBK, and never believed when something is odd."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from deploy.sandbox.bank import fixedfile
from services.common.identity import PersonName
from services.common.kit.http import Client
from services.payments.channels.base import LineAnswer, Outcome
from services.payments.channels.p2_file import P2File, parse, render
from services.payments.errors import PayeeUnusable, ResultUnusable
from services.payments.model.payouts import Payee
from tests.payments.files.other_side import LINES_MAX, P2_STEP, p2_result
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

CHANNEL = P2File(PAYER, Client("bank", "http://127.0.0.1:9"))


def is_writable(payee: Payee) -> bool:
    try:
        CHANNEL.check(payee)
    except PayeeUnusable:
        return False
    return True


def fits(text: str) -> bool:
    try:
        return len(text.encode("gbk")) <= 60
    except UnicodeEncodeError:
        return False


NAMES = st.one_of(
    st.sampled_from(["王小明", "欧阳·娜娜", "王\u3000明", "O'Neil Ж", "镕喆頔", "a" * 60]),
    st.text(st.characters(codec="gbk", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=60)
    .filter(str.strip)
    .filter(fits),
)
BATCHES = st.lists(
    st.tuples(st.builds(Payee, NAMES.map(PersonName), CARDS, st.just("")), AMOUNTS),
    min_size=1,
    max_size=20,
)


@given(BATCHES)
def test_every_record_is_as_wide_as_every_other_and_says_what_was_meant(
    content: list[tuple[Payee, int]],
) -> None:
    lines = instructions(content)
    written = render(BATCH_NO, PAYER, DAY, lines)
    assert render(BATCH_NO, PAYER, DAY, lines) == written
    assert len(written) == P2_STEP * (1 + len(lines))
    assert all(written[end - 2 : end] == b"\r\n" for end in range(P2_STEP, len(written), P2_STEP))
    total_fen = sum(line.amount_fen for line in lines)
    account = PAYER.account.ljust(32)
    expected = f"H{BATCH_NO:<20}{account}{len(lines):06d}{total_fen:015d}CNY20261122"
    assert written[:200] == expected.encode().ljust(200)
    read = fixedfile.read(written, LINES_MAX)
    assert (read.number, read.payer, read.total_fen) == (BATCH_NO, PAYER.account, total_fen)
    for transfer, line in zip(read.transfers, lines, strict=True):
        assert transfer.account == line.payee.card.open()
        assert transfer.name == line.payee.name.open().rstrip(" ")
        assert transfer.amount_fen == line.amount_fen
        assert transfer.remark == PAYER.remark
        assert transfer.instruction_id == line.instruction_id


@given(BATCHES)
def test_the_result_of_what_was_written_is_read_back(content: list[tuple[Payee, int]]) -> None:
    lines = instructions(content)
    found = parse(BATCH_NO, p2_result(render(BATCH_NO, PAYER, DAY, lines)))
    assert found.final
    assert [(a.instruction_id, a.amount_fen) for a in found.lines] == [
        (line.instruction_id, line.amount_fen) for line in lines
    ]
    assert {(a.outcome, a.paid_on, a.bank_serial) for a in found.lines} == {(Outcome.DONE, DAY, "")}


@given(st.text(min_size=1, max_size=61))
@example("𠮷")
@example("买买提•艾力")
@example("王" * 31)
@example("\ufeff王")
def test_a_name_is_written_whole_or_its_payee_is_refused(name: str) -> None:
    payee = a_payee(name)
    if is_writable(payee):
        written = render(BATCH_NO, PAYER, DAY, instructions([(payee, 1)]))
        (transfer,) = fixedfile.read(written, LINES_MAX).transfers
        assert transfer.name == name.rstrip(" ")
    else:
        assert not (fits(name) and name.isprintable() and name.strip())


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("", CARD),
        ("\u3000 ", CARD),
        ("王\n", CARD),
        ("王" * 30 + "a", CARD),
        ("𠮷丽", CARD),
        ("\ud800", CARD),
        ("王", "621700000000000001a"),
        ("王", "1" * 33),
    ],
)
def test_what_would_break_the_file_is_not_written(name: str, card: str) -> None:
    assert not is_writable(a_payee(name, card))


def test_a_refused_name_does_not_stand_in_the_refusal() -> None:
    with pytest.raises(PayeeUnusable) as refused:
        CHANNEL.check(a_payee("𠮷丽"))
    assert refused.value.__cause__ is None
    assert "20bb7" not in str(refused.value)


def test_a_remark_that_does_not_fit_is_found_at_the_start() -> None:
    with pytest.raises(ValueError, match="too long"):
        P2File(PAYER._replace(remark="互" * 16), Client("bank", "http://127.0.0.1:9"))


SAMPLE = render(BATCH_NO, PAYER, DAY, instructions([(a_payee(), 100_00)] * 4))
GOOD = p2_result(SAMPLE, {2: "0001", 3: "0008", 4: "9999"})
RECORDS = [GOOD[at : at + P2_STEP] for at in range(0, len(GOOD), P2_STEP)]


def test_each_line_is_what_the_bank_says_of_it() -> None:
    found = parse(BATCH_NO, GOOD)
    paid, refused, moved, pending = found.lines
    assert found.final
    assert (paid.outcome, paid.bank_code, paid.paid_on) == (Outcome.DONE, "", DAY)
    assert (refused.outcome, refused.bank_code, refused.reason, refused.paid_on) == (
        Outcome.REFUSED,
        "0001",
        "NAME_DIFFERS",
        None,
    )
    assert (moved.outcome, moved.moved_before) == (Outcome.UNKNOWN, True)
    assert (pending.outcome, pending.moved_before) == (Outcome.UNKNOWN, False)


def test_a_line_left_out_leaves_the_result_open() -> None:
    found = parse(BATCH_NO, b"".join([*RECORDS[:4], RECORDS[5]]))
    assert not found.final
    assert len(found.lines) == 3


def test_a_line_that_nobody_sent_goes_through_under_its_own_id() -> None:
    stranger = RECORDS[4][:144] + b"f" * 33 + RECORDS[4][177:]
    found = parse(BATCH_NO, b"".join([*RECORDS[:5], stranger, RECORDS[5]]))
    assert [answer.instruction_id for answer in found.lines][-1] == "f" * 33


@given(st.integers(0, len(GOOD) - 1))
def test_a_result_cut_short_anywhere_is_not_believed(length: int) -> None:
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, GOOD[:length])


@given(st.binary(max_size=300) | st.binary(min_size=404, max_size=404))
def test_noise_is_not_believed(noise: bytes) -> None:
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, noise)


def _answers(content: bytes) -> list[LineAnswer] | None:
    try:
        return list(parse(BATCH_NO, content).lines)
    except ResultUnusable:
        return None


@example(4 * P2_STEP + 99, 1)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_changes_no_amount_that_is_decided(
    place: int, flip: int
) -> None:
    spoilt = bytearray(GOOD)
    spoilt[place] ^= flip
    found = _answers(bytes(spoilt))
    if found is not None:
        *decided, in_process = found
        assert [a.amount_fen for a in decided] == [100_00] * 3
        assert in_process.outcome is Outcome.UNKNOWN


@given(st.integers(0, len(GOOD) - 1), st.integers(0, len(GOOD) - 1))
def test_a_byte_that_was_lost_is_not_made_up_for_by_one_elsewhere(lost: int, found: int) -> None:
    spoilt = bytearray(GOOD)
    del spoilt[lost]
    spoilt.insert(found, ord(" "))
    assume(bytes(spoilt) != GOOD)
    answers = _answers(bytes(spoilt))
    if answers is not None:
        assert [a.amount_fen for a in answers] == [100_00] * 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_result_in_another_encoding_is_not_believed(encoding: str) -> None:
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, GOOD.decode("gbk").encode(encoding))


HEADER, FIRST, SECOND, THIRD, FOURTH, TRAILER = RECORDS
BOOKED_TWICE = TRAILER.replace(b"T000001000000000010000", b"T000002000000000020000")


def with_first(first: bytes) -> list[bytes]:
    return [HEADER, first, *RECORDS[2:]]


WRONG = {
    "a booked sum that is not the lines'": [
        *RECORDS[:5],
        TRAILER.replace(b"T000001000000000010000", b"T000001000000000010001"),
    ],
    "a line twice": [HEADER, FIRST, FIRST, SECOND, THIRD, FOURTH, BOOKED_TWICE],
    "another batch's number": [HEADER.replace(b"H7215", b"H7216"), *RECORDS[1:]],
    "a batch number that only begins like ours": [
        HEADER.replace(b"H7215 ", b"H72151"),
        *RECORDS[1:],
    ],
    "a status that there is not": with_first(FIRST[:184] + b"9" + FIRST[185:]),
    "a day that there is not": with_first(FIRST.replace(b"20261122", b"20261322")),
    "a booked line without a day": with_first(FIRST.replace(b"20261122", b" " * 8)),
    "a name cut in half": with_first(
        FIRST.replace("王小明 ".encode("gbk"), b" \xcd\xf5\xd0\xa1\xc3 ")
    ),
    "an amount with a sign": with_first(FIRST.replace(b"000000000010000", b"+00000000010000")),
    "an empty id": with_first(FIRST[:144] + b" " * 40 + FIRST[184:]),
    "an id with a blank in it": with_first(FIRST[:150] + b" " + FIRST[151:]),
    "a control character": with_first(FIRST[:60] + b"\0" + FIRST[61:]),
    "a record of another kind": with_first(b"X" + FIRST[1:]),
    "a second header": [HEADER, *RECORDS],
    "no trailer": RECORDS[:5],
    "two trailers": [*RECORDS, TRAILER],
    "something behind the end": [*RECORDS, b"\r\n"],
    "no header": RECORDS[1:],
    "a trailer alone": [TRAILER],
}


@pytest.mark.parametrize("records", WRONG.values(), ids=WRONG.keys())
def test_a_result_is_not_believed_with(records: list[bytes]) -> None:
    assert records != RECORDS
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, b"".join(records))
