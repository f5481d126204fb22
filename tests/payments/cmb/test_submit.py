"""A batch goes out in parts: the same bytes, in order, and never refused by guess."""

import json
from collections.abc import Callable
from datetime import date
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.identity import CardNumber, PersonName
from services.common.ids import new_id
from services.common.money import Fen
from services.payments.channels.base import Answer, BankChannel, Outcome
from services.payments.channels.cmb.channel import Cmb
from services.payments.errors import PayeeUnusable
from services.payments.model.batches import BatchFile, Instruction
from services.payments.model.payouts import Payee, instruction_id
from tests.payments.cmb.bank import CARD, PAYER, Bank, Fault, Json, Line, a_batch, channel_to, seal

DAY: Final = date(2026, 11, 22)
LINES: Final = a_batch(5_000)
TAKEN: Final = Answer(Outcome.DONE)
PAYEES: Final = st.builds(
    Payee,
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc")),
        min_size=1,
        max_size=60,
    )
    .filter(str.strip)
    .map(PersonName),
    st.from_regex(r"\A[0-9]{6,32}\Z").map(CardNumber),
    st.sampled_from(["", "工商银行", "招商银行威海分行"]),
)


def fixed(channel: BankChannel, lines: list[Instruction] = LINES) -> BatchFile:
    return channel.fix(new_id(), DAY, lines)


def parts_of(file: BatchFile) -> list[Json]:
    return json.loads(file.content)


def booked(bank: Bank, file: BatchFile) -> list[str]:
    return [line["cprref"] for line in bank.lines_of(file.batch_no)]


ALL_IDS: Final = [line.instruction_id for line in LINES]


async def test_five_thousand_lines_go_out_in_five_parts_in_their_order() -> None:
    bank = Bank()
    channel = channel_to(bank)
    file = fixed(channel)
    assert await channel.submit(file) == TAKEN
    assert booked(bank, file) == ALL_IDS
    heads = [body["bb6cdcbhx1"][0] for _, body in bank.heard]
    assert [(head["begtag"], head["endtag"]) for head in heads] == [
        ("Y", "N"),
        ("N", "N"),
        ("N", "N"),
        ("N", "N"),
        ("N", "Y"),
    ]
    # The number that the bank gave the first part stands on all others.
    assert [head.get("reqnbr") for head in heads] == [None, *[f"R{file.batch_no}"] * 4]
    assert {(head["ttlnum"], head["ttlcnt"], head["curcnt"]) for head in heads} == {
        ("5", "5000", "1000")
    }


def test_a_small_batch_is_one_part_written_like_this() -> None:
    payee = Payee(PersonName("欧阳·娜娜"), CardNumber(CARD), "招商银行威海分行")
    other = Payee(PersonName("㐂𠮷丽"), CardNumber(CARD), "工商银行")
    lines = [
        Instruction(1, f"{'a' * 32}1", payee, Fen(1)),
        Instruction(2, f"{'b' * 32}2", other, Fen(1_234_567_00)),
    ]
    file = channel_to(Bank()).fix(new_id(), DAY, lines)
    assert file.name == f"{file.batch_no}.json"
    assert file.content.decode() == (
        '[{"bb6busmod":[{"buscod":"N03020","busmod":"00001"}],"bb6cdcbhx1":[{'
        f'"accnam":"威海市总工会","accnbr":"{PAYER.account}","begtag":"Y","ccynbr":"10",'
        '"chlflg":"M","curamt":"1234567.01","curcnt":"2","endtag":"Y","eptdat":"20261122",'
        '"nusage":"职工医疗互助金","trstyp":"BYSA","ttlamt":"1234567.01","ttlcnt":"2",'
        f'"ttlnum":"1","yurref":"{file.batch_no}"}}],"bb6cdcdlx1":[{{'
        f'"accnam":"欧阳·娜娜","accnbr":"{CARD}","bnkflg":"Y","cprref":"{"a" * 32}1",'
        '"eacbnk":"招商银行威海分行","trsamt":"0.01","trsdsp":"职工医疗互助金","trxseq":"00000001"},{'
        f'"accnam":"㐂𠮷丽","accnbr":"{CARD}","bnkflg":"N","cprref":"{"b" * 32}2",'
        '"eacbnk":"工商银行","trsamt":"1234567.00","trsdsp":"职工医疗互助金","trxseq":"00000002"}]}]'
    )


def test_the_same_batch_has_the_same_bytes_and_another_has_others() -> None:
    channel, batch_id = channel_to(Bank()), new_id()
    one = channel.fix(batch_id, DAY, LINES)
    assert channel.fix(batch_id, DAY, LINES) == one
    assert channel_to(Bank()).fix(batch_id, DAY, LINES) == one
    assert channel.fix(batch_id, DAY, LINES[:-1]).content != one.content
    assert fixed(channel).batch_no != one.batch_no


@settings(max_examples=40)
@given(st.lists(st.tuples(PAYEES, st.integers(1, 10**12)), min_size=1, max_size=5), st.data())
def test_parts_hold_every_line_once_and_their_sums_agree(
    content: list[tuple[Payee, int]], data: st.DataObject
) -> None:
    count = data.draw(st.sampled_from([len(content), 999, 1_000, 1_001, 2_000, 2_001]))
    lines = [
        Instruction(line, instruction_id(new_id(), 1), payee, Fen(amount_fen))
        for line, (payee, amount_fen) in enumerate((content * count)[:count], 1)
    ]
    channel = channel_to(Bank())
    for line in lines[:5]:
        channel.check(line.payee)
    parts = parts_of(fixed(channel, lines))
    heads = [part["bb6cdcbhx1"][0] for part in parts]
    details = [detail for part in parts for detail in part["bb6cdcdlx1"]]
    assert [int(detail["trxseq"]) for detail in details] == list(range(1, count + 1))
    assert [
        (detail["cprref"], detail["accnam"], detail["accnbr"], fen(detail["trsamt"]))
        for detail in details
    ] == [
        (line.instruction_id, line.payee.name.open(), line.payee.card.open(), line.amount_fen)
        for line in lines
    ]
    assert [head["begtag"] for head in heads] == ["Y", *"N" * (len(parts) - 1)]
    assert [head["endtag"] for head in heads] == [*"N" * (len(parts) - 1), "Y"]
    total = sum(line.amount_fen for line in lines)
    assert {fen(head["ttlamt"]) for head in heads} == {total}
    assert sum(fen(head["curamt"]) for head in heads) == total
    assert sum(int(head["curcnt"]) for head in heads) == count
    assert all(len(part["bb6cdcdlx1"]) <= 1_000 for part in parts)


def fen(yuan: str) -> int:
    return int(yuan.replace(".", ""))


@pytest.mark.parametrize("part", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("lost", ["request lost", "answer lost"])
async def test_what_is_lost_at_any_part_is_asked_again_from_the_first(
    lost: Fault, part: int
) -> None:
    bank = Bank()
    line = Line(bank, {part: lost})
    channel = channel_to(line)
    file = fixed(channel)
    answer = await channel.submit(file)
    assert answer.outcome is Outcome.UNKNOWN
    assert not answer.number_taken
    assert line.calls == part, "nothing is sent behind a part that is not known to be there"
    assert await channel.submit(file) == TAKEN
    assert line.calls == part + 5
    assert booked(bank, file) == ALL_IDS, "every line is there once"


@pytest.mark.parametrize("part", [1, 5])
@pytest.mark.parametrize(
    "instead",
    [
        (500, b""),
        (502, b"<html>bad gateway</html>"),
        (404, b"no such page"),
        (302, b""),
        (200, b""),
        (200, b"ErrMsg:busy"),
        (200, b"CDCServer error"),
        (200, b"\xff\x00garbage"),
        (200, seal(b"{}")),
    ],
)
async def test_what_is_not_the_banks_word_leaves_the_batch_unknown(
    instead: tuple[int, bytes], part: int
) -> None:
    bank = Bank()
    channel = channel_to(Line(bank, {part: instead}))
    file = fixed(channel)
    answer = await channel.submit(file)
    assert answer._replace(code="") == Answer(Outcome.UNKNOWN)
    assert answer.code in {str(instead[0]), "ANSWER_UNREADABLE"}
    assert await channel.submit(file) == TAKEN
    assert booked(bank, file) == ALL_IDS


async def test_the_banks_own_words_under_an_error_are_not_believed() -> None:
    for status in (201, 302, 404, 500, 503):
        bank = Bank()
        channel = channel_to(Line(bank, {1: status}))
        file = fixed(channel, LINES[:3])
        assert await channel.submit(file) == Answer(Outcome.UNKNOWN, str(status))
        assert await channel.submit(file) == TAKEN


def said(code: str) -> Callable[[Json], None]:
    def spoil(message: Json) -> None:
        message["response"]["head"]["resultcode"] = code

    return spoil


@pytest.mark.parametrize(
    "code", ["NCB001", "NCB002", "NCB004", "NCB009", "NCB999", "SUC0001", "CSAC054"]
)
async def test_only_two_words_say_more_than_ask_again(code: str) -> None:
    channel = channel_to(Bank(spoil=said(code)))
    assert await channel.submit(fixed(channel, LINES[:3])) == Answer(Outcome.UNKNOWN, code)


async def test_a_word_in_another_form_is_not_passed_on() -> None:
    channel = channel_to(Bank(spoil=said("户名 王小明 不符")))
    assert await channel.submit(fixed(channel, LINES[:3])) == Answer(Outcome.UNKNOWN, "UNLISTED")


async def test_other_content_under_our_number_is_number_taken() -> None:
    bank = Bank()
    channel = channel_to(bank)
    file = fixed(channel)
    await channel.submit(file)
    other = file._replace(content=file.content.replace(b'"trsamt":"1.01"', b'"trsamt":"1.00"'))
    assert await channel.submit(other) == Answer(Outcome.UNKNOWN, "NCB003", number_taken=True)


async def test_sums_that_differ_are_the_only_refusal_of_a_whole_batch() -> None:
    channel = channel_to(Bank(sums_differ=True))
    assert await channel.submit(fixed(channel)) == Answer(Outcome.REFUSED, "NCB005")


async def test_a_bank_that_names_a_later_part_differently_is_asked_again() -> None:
    bank = Bank()

    def torn(message: Json) -> None:
        if len(bank.heard) == 2:
            message["response"]["body"]["bb6cdcbhz1"][0]["reqnbr"] = "R0"

    bank.spoil = torn
    line = Line(bank)
    channel = channel_to(line)
    file = fixed(channel)
    assert (await channel.submit(file)).outcome is Outcome.UNKNOWN
    assert line.calls == 2
    assert await channel.submit(file) == TAKEN
    assert booked(bank, file) == ALL_IDS


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        {"bb6cdcbhz1": None},
        {"bb6cdcbhz1": ""},
        {"bb6cdcbhz1": [{"reqsta": "OPR"}]},
        {"bb6cdcbhz1": [{"reqnbr": ""}]},
        {"bb6cdcbhz1": [{"reqnbr": 7}]},
        {"bb6cdcbhz1": [{"reqnbr": "R1"}, {"reqnbr": "R2"}]},
        {"bb6cdcbhz1": [{"reqnbr": "9" * 1_000}]},
    ],
)
async def test_a_part_without_the_banks_number_is_not_known_to_be_taken(body: object) -> None:
    def spoil(message: Json) -> None:
        message["response"]["body"] = body

    line = Line(Bank(spoil=spoil))
    channel = channel_to(line)
    assert await channel.submit(fixed(channel)) == Answer(Outcome.UNKNOWN, "RESULT_UNUSABLE")
    assert line.calls == 1


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("", CARD),
        ("\u3000 ", CARD),
        ("王\n", CARD),
        ("王\x00", CARD),
        ("王" * 61, CARD),
        ("\ud800", CARD),
        ("王", ""),
        ("王", "62170"),
        ("王", "6" * 33),
        ("王", "621700000000000001a"),
        ("王", "１２３４５６"),
    ],
)
def test_a_payee_that_cannot_be_written_is_refused_before(name: str, card: str) -> None:
    channel: Cmb = channel_to(Bank())
    with pytest.raises(PayeeUnusable):
        channel.check(Payee(PersonName(name), CardNumber(card), ""))
