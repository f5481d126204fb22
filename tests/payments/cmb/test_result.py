"""What became of a batch: told line by line once it is finished, and in doubt before."""

import pytest

from services.common.money import Fen
from services.payments.channels.base import Answer, LineAnswer, Outcome, Result
from tests.payments.cmb.bank import Bank, Fault, Json, Line, channel_to, seal
from tests.payments.cmb.three import DAY, LINES, head, lines, refused, taken, told


async def test_a_batch_that_was_paid_is_told_line_by_line() -> None:
    found = await told(lambda _page: None)
    assert found == Result(
        [
            LineAnswer(
                line.instruction_id,
                line.amount_fen,
                Outcome.DONE,
                bank_serial=f"9{line.line:08d}",
                paid_on=DAY,
            )
            for line in LINES
        ],
        final=True,
    )


async def test_five_thousand_lines_are_read_in_five_pages() -> None:
    bank = Bank()
    channel, file = await taken(bank, 5_000)
    found = await channel.result(file.batch_no, file.name)
    assert isinstance(found, Result)
    assert found.final
    assert len({line.instruction_id for line in found.lines}) == 5_000
    assert [body["bb6bpdqyy1"][0]["trxseq"] for _, body in bank.heard] == [
        "00000001",
        "00001001",
        "00002001",
        "00003001",
        "00004001",
    ]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("C001", "NAME_DIFFERS"),
        ("C002", "ACCOUNT_CLOSED"),
        ("C003", "ACCOUNT_FROZEN"),
        ("C004", "INSUFFICIENT_FUNDS"),
        ("C005", "OVER_ACCOUNT_LIMIT"),
        ("C006", "NO_SUCH_ACCOUNT"),
        ("C007", "OTHER"),
        ("", "OTHER"),
    ],
)
async def test_a_refused_line_has_the_banks_code_and_our_reason(code: str, reason: str) -> None:
    found = await told(lambda page: refused(page, 1, code))
    assert isinstance(found, Result)
    assert found.final
    assert [line.outcome for line in found.lines] == [
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.DONE,
    ]
    assert found.lines[1] == LineAnswer(
        LINES[1].instruction_id, Fen(102), Outcome.REFUSED, bank_code=code, reason=reason
    )


async def test_a_line_booked_in_another_batch_has_moved_and_is_not_refused() -> None:
    found = await told(lambda page: refused(page, 0, "C008"))
    assert isinstance(found, Result)
    assert found.lines[0] == LineAnswer(
        LINES[0].instruction_id, Fen(101), Outcome.UNKNOWN, bank_code="C008", moved_before=True
    )


@pytest.mark.parametrize("flag", ["F", "R"])
async def test_a_batch_that_failed_is_told_by_its_lines(flag: str) -> None:
    def spoil(page: Json) -> None:
        for place, code in enumerate(("C001", "C008", "C003")):
            refused(page, place, code)
        head(page)["rtnflg"] = flag

    found = await told(spoil)
    assert isinstance(found, Result)
    assert [(line.outcome, line.moved_before) for line in found.lines] == [
        (Outcome.REFUSED, False),
        (Outcome.UNKNOWN, True),
        (Outcome.REFUSED, False),
    ]


@pytest.mark.parametrize("listed", [0, 2, 3])
async def test_a_batch_that_was_rejected_before_its_lines_is_refused_whole(listed: int) -> None:
    def spoil(page: Json) -> None:
        for line in lines(page):
            line.update(stscod="A", bkdat="", bksn="")
        del lines(page)[listed:]
        head(page).update(rtnflg="R", succnt="0", sucamt="0.00")

    assert await told(spoil) == Answer(Outcome.REFUSED, "R")


@pytest.mark.parametrize(
    ("state", "flag", "code"),
    [
        ("OPR", "", "OPR"),
        ("BNK", "", "BNK"),
        ("WRF", "", "WRF"),
        ("AUT", "", "AUT"),
        ("NEW", "S", "NEW S"),
        ("BNK", "F", "BNK F"),
        ("FIN", "", "FIN"),
        ("FIN", "B", "FIN B"),
        ("FIN", "D", "FIN D"),
        ("FIN", "C", "FIN C"),
        ("", "", ""),
    ],
)
async def test_any_other_word_means_in_process(state: str, flag: str, code: str) -> None:
    def spoil(page: Json) -> None:
        head(page).update(reqsta=state, rtnflg=flag)

    assert await told(spoil) == Answer(Outcome.UNKNOWN, code)


async def test_a_line_that_is_only_registered_stays_unknown() -> None:
    def spoil(page: Json) -> None:
        refused(page, 2, "")
        lines(page)[2]["stscod"] = "A"

    found = await told(spoil)
    assert isinstance(found, Result)
    assert [line.outcome for line in found.lines] == [
        Outcome.DONE,
        Outcome.DONE,
        Outcome.UNKNOWN,
    ]


async def test_a_batch_nobody_knows_is_not_found_and_nothing_else_is() -> None:
    for code in ("NCB004", "NCB001", "NCB003", "NCB005", "NCB009"):
        bank = Bank()
        channel, file = await taken(bank)
        bank.tells = lambda _funcode, _body, code=code: code
        found = await channel.result(file.batch_no, file.name)
        assert found == Answer(Outcome.UNKNOWN, code, not_found=code == "NCB004")


@pytest.mark.parametrize("page", [1, 3, 5])
@pytest.mark.parametrize(
    "instead", [(500, b""), (200, b"ErrMsg"), (200, b"garbage"), (200, seal(b"{}"))]
)
async def test_no_result_is_made_of_half_its_pages(instead: tuple[int, bytes], page: int) -> None:
    bank = Bank()
    _, file = await taken(bank, 4_001)
    found = await channel_to(Line(bank, {page: instead})).result(file.batch_no, file.name)
    assert isinstance(found, Answer)
    assert found.outcome is Outcome.UNKNOWN
    assert not found.not_found


async def test_lost_questions_and_answers_are_not_known() -> None:
    bank = Bank()
    _, file = await taken(bank)
    faults: tuple[Fault, ...] = ("request lost", "answer lost")
    for fault in faults:
        found = await channel_to(Line(bank, {1: fault})).result(file.batch_no, file.name)
        assert isinstance(found, Answer)
        assert found._replace(code="") == Answer(Outcome.UNKNOWN)
