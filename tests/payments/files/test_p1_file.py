"""The batch file and its result: byte for byte, and never believed when something is odd."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.sandbox.bank import batchfile
from services.common.identity import CardNumber, PersonName
from services.common.ids import new_id
from services.common.kit.http import Client
from services.common.money import Fen
from services.payments.channels.base import Outcome
from services.payments.channels.p1_file import P1File, parse, render
from services.payments.errors import PayeeUnusable, ResultUnusable
from services.payments.model.batches import Instruction
from services.payments.model.payouts import Payee, instruction_id
from tests.payments.bank import PAYER

DAY = date(2026, 11, 22)
BATCH_NO = "7215"
CARD = "6217000000000000012"
NAMES = st.one_of(
    st.sampled_from(
        ["王小明", "欧阳·娜娜", "买买提•艾力", "㐂𠮷丽", "王\u3000明", "O'Neil Ж", "𬎆𫖯"]
    ),
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="|"),
        min_size=1,
        max_size=60,
    ).filter(str.strip),
)
PAYEES = st.builds(
    Payee,
    NAMES.map(PersonName),
    st.from_regex(r"\A[0-9]{6,32}\Z").map(CardNumber),
    st.sampled_from(["", "工商银行", "信用社·镇"]),
)
BATCHES = st.lists(st.tuples(PAYEES, st.integers(1, 10**12)), min_size=1, max_size=20)


def instructions(content: list[tuple[Payee, int]]) -> list[Instruction]:
    return [
        Instruction(line, instruction_id(new_id(), 1), payee, Fen(amount_fen))
        for line, (payee, amount_fen) in enumerate(content, 1)
    ]


def result(content: bytes, refused: dict[int, tuple[str, str]] | None = None) -> bytes:
    """Let the sandbox's own reader and writer answer a batch file."""
    file = batchfile.read(content, 5_000)
    outcomes = [
        batchfile.Outcome(t.amount_fen, *refused[place])
        if refused and place in refused
        else batchfile.Outcome(t.amount_fen, serial=f"2026{place}", day="20261122")
        for place, t in enumerate(file.transfers, 1)
    ]
    return batchfile.write_result(file, outcomes)


@given(BATCHES)
def test_the_other_side_reads_what_was_written_and_back(content: list[tuple[Payee, int]]) -> None:
    lines = instructions(content)
    written = render(BATCH_NO, PAYER, DAY, lines)
    assert render(BATCH_NO, PAYER, DAY, lines) == written
    read = batchfile.read(written, 5_000)
    assert read.total_fen == sum(line.amount_fen for line in lines)
    for transfer, line in zip(read.transfers, lines, strict=True):
        assert transfer.account == line.payee.card.open()
        assert transfer.name == line.payee.name.open()
        assert transfer.amount_fen == line.amount_fen
        assert transfer.instruction_id == line.instruction_id
    found = parse(BATCH_NO, result(written))
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
        channel.check(Payee(PersonName(name), CardNumber(card), ""))


SAMPLE = render(
    BATCH_NO,
    PAYER,
    DAY,
    instructions([(Payee(PersonName("王小明"), CardNumber(CARD), ""), 100_00)] * 3),
)
GOOD = result(SAMPLE, {2: ("0001", "户名不符"), 3: ("0008", "企业流水号重复")})


def test_refused_lines_carry_the_banks_code_and_our_reason() -> None:
    paid, refused, moved = parse(BATCH_NO, GOOD).lines
    assert (paid.outcome, refused.outcome, moved.outcome) == (
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.UNKNOWN,
    )
    assert (refused.bank_code, refused.reason) == ("0001", "NAME_DIFFERS")
    assert moved.moved_before


@given(st.integers(0, len(GOOD) - 1))
def test_a_result_cut_short_anywhere_is_not_believed(length: int) -> None:
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, GOOD[:length])


@given(st.binary(max_size=300))
def test_noise_is_not_believed(noise: bytes) -> None:
    with pytest.raises(ResultUnusable):
        parse(BATCH_NO, noise)


def test_another_batchs_result_wrong_sums_and_repeated_lines_are_not_believed() -> None:
    text = GOOD.decode("gb18030")
    header, first, *rest = text.split("\r\n")
    wrong = [
        text.replace("1|100.00|2|200.00", "1|100.01|2|200.00"),
        text.replace("1|100.00|2|200.00", "2|100.00|1|200.00"),
        "\r\n".join([header, first, first, *rest]),
        "\r\n".join([header.replace(BATCH_NO, "7216"), first, *rest]),
        text.replace("|0|0000|", "|9|0000|"),
        text.replace("20261122", "20261322"),
    ]
    for bad in wrong:
        assert bad != text
        with pytest.raises(ResultUnusable):
            parse(BATCH_NO, bad.encode("gb18030"))


def test_a_line_left_out_leaves_the_result_open() -> None:
    header, _first, *rest = GOOD.decode("gb18030").split("\r\n")
    rest[-2] = "0|0.00|2|200.00"
    found = parse(BATCH_NO, "\r\n".join([header, *rest]).encode("gb18030"))
    assert not found.final
    assert len(found.lines) == 2


def test_a_thousand_lines_are_written_with_their_exact_sum() -> None:
    lines = instructions([(Payee(PersonName("张三"), CardNumber("622200001"), ""), 3)] * 1_000)
    header = render(BATCH_NO, PAYER, DAY, lines).decode("gb18030").split("\r\n")[0].split("|")
    assert header[2:4] == ["1000", "30.00"]
