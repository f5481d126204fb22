"""Reports on a batch: what each says, what several say together, and what is never believed."""

import io
from datetime import date

import pytest

from services.common.money import Fen
from services.payments.channels.base import Answer, LineAnswer, Outcome, Result
from services.payments.channels.iso20022 import pain002
from services.payments.errors import ResultUnusable
from tests.payments.iso.papers import BATCH_NO, DAY, IDS, report, transfer

SENT = {IDS[0]: Fen(100), IDS[1]: Fen(200)}
DONE_1 = LineAnswer(IDS[0], Fen(100), Outcome.DONE, bank_serial="71", paid_on=DAY)
OURS = transfer(IDS[0], "ACSC", serial="71"), transfer(IDS[1], "ACSC", amount="2.00", serial="72")


def read(content: str | bytes) -> pain002.Report:
    raw = content if isinstance(content, bytes) else content.encode()
    return pain002.parse(io.BytesIO(raw), BATCH_NO)


def whole(*contents: str) -> Answer:
    return pain002.whole([read(content) for content in contents])


def result(*contents: str) -> Result:
    return pain002.result([read(content) for content in contents], SENT)


def outcomes(*contents: str) -> dict[str, Outcome]:
    return {line.instruction_id: line.outcome for line in result(*contents).lines}


def test_nothing_said_is_not_ready() -> None:
    assert whole() == Answer(Outcome.UNKNOWN, "NOT_READY")


def test_received_is_not_yet_taken() -> None:
    assert whole(report("RCVD")) == Answer(Outcome.UNKNOWN, "RCVD")


@pytest.mark.parametrize("status", ["ACTC", "ACCP", "ACWC", "ACSP", "PDNG", "PART", "ACSC"])
def test_accepted_or_anything_later_is_taken(status: str) -> None:
    assert whole(report(status)) == Answer(Outcome.DONE)
    assert whole(report("RCVD"), report(status)) == Answer(Outcome.DONE)


@pytest.mark.parametrize("code", ["FF01", "AM10", "AM04", "AG01", "NARR"])
def test_a_batch_that_is_rejected_is_refused_whole_with_the_banks_code(code: str) -> None:
    assert whole(report("RJCT", code=code)) == Answer(Outcome.REFUSED, code)
    assert whole(report("ACTC"), report("RJCT", code=code)) == Answer(Outcome.REFUSED, code)


def test_a_rejection_without_a_code_is_a_refusal_all_the_same() -> None:
    assert whole(report("RJCT")) == Answer(Outcome.REFUSED, "RJCT")


def test_a_duplicate_means_that_the_number_is_taken_and_not_that_the_batch_is_refused() -> None:
    taken = report("RJCT", code="AM05")
    assert whole(taken) == Answer(Outcome.UNKNOWN, "AM05", number_taken=True)


def test_a_duplicate_speaks_of_another_file_than_the_one_that_was_accepted() -> None:
    taken = report("RJCT", code="AM05")
    assert whole(report("ACTC"), taken) == Answer(Outcome.DONE)
    assert outcomes(report("PART", *OURS), taken) == dict.fromkeys(IDS[:2], Outcome.DONE)


def test_every_transfer_is_told_of_with_its_serial_and_day() -> None:
    found = result(report("ACTC"), report("ACSC", *OURS))
    assert found.final
    assert found.lines == [
        DONE_1,
        DONE_1._replace(instruction_id=IDS[1], amount_fen=Fen(200), bank_serial="72"),
    ]


def test_all_settled_without_a_list_settles_what_was_sent() -> None:
    found = result(report("ACSC"))
    assert found.final
    assert [(line.instruction_id, line.amount_fen, line.outcome) for line in found.lines] == [
        (IDS[0], 100, Outcome.DONE),
        (IDS[1], 200, Outcome.DONE),
    ]


def test_all_settled_with_an_exception_listed_settles_only_what_nothing_contradicts() -> None:
    found = result(report("ACSC", transfer(IDS[0], "RJCT", "AC04")))
    assert not found.final
    assert [line.outcome for line in found.lines] == [Outcome.REFUSED]


def test_a_stranger_in_the_list_does_not_keep_ours_from_being_settled() -> None:
    stranger = transfer(IDS[8], "RJCT", "AC01")
    assert outcomes(report("ACSC", stranger)) == {
        IDS[0]: Outcome.DONE,
        IDS[1]: Outcome.DONE,
        IDS[8]: Outcome.REFUSED,
    }


def test_all_rejected_with_a_list_refuses_each_for_its_own_reason_and_the_rest_for_the_batchs() -> (
    None
):
    found = result(report("RJCT", transfer(IDS[0], "RJCT", "BE01"), code="AM04"))
    assert found.final
    assert [(line.outcome, line.bank_code, line.reason) for line in found.lines] == [
        (Outcome.REFUSED, "BE01", "NAME_DIFFERS"),
        (Outcome.REFUSED, "AM04", "INSUFFICIENT_FUNDS"),
    ]


def test_what_a_partial_report_leaves_out_stays_unknown() -> None:
    found = result(report("PART", OURS[0]))
    assert found.lines == [DONE_1]
    assert not found.final


@pytest.mark.parametrize("status", ["ACSP", "PDNG", "ACTC", "ACCP", "RCVD", "CANC", "XXXX"])
def test_a_transfer_in_process_stays_unknown(status: str) -> None:
    found = result(report("PART", OURS[0], transfer(IDS[1], status, amount="2.00")))
    assert found.lines[1] == LineAnswer(IDS[1], Fen(200), Outcome.UNKNOWN)
    assert not found.final


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AC01", "NO_SUCH_ACCOUNT"),
        ("AC04", "ACCOUNT_CLOSED"),
        ("AC06", "ACCOUNT_FROZEN"),
        ("AM02", "OVER_ACCOUNT_LIMIT"),
        ("AM03", "CURRENCY_NOT_TAKEN"),
        ("AM04", "INSUFFICIENT_FUNDS"),
        ("BE01", "NAME_DIFFERS"),
        ("AG01", "OTHER"),
        ("NARR", "OTHER"),
        ("ZZ99", "OTHER"),
        ("", "OTHER"),
    ],
)
def test_the_banks_codes_have_our_reasons(code: str, reason: str) -> None:
    (line,) = result(report("PART", transfer(IDS[0], "RJCT", code))).lines
    assert (line.outcome, line.bank_code, line.reason) == (Outcome.REFUSED, code, reason)


def test_an_id_that_was_booked_before_is_not_a_refusal() -> None:
    (line,) = result(report("PART", transfer(IDS[0], "RJCT", "AM05"))).lines
    assert line.outcome is Outcome.UNKNOWN
    assert line.moved_before


def test_a_transfer_without_an_amount_has_the_amount_that_was_sent() -> None:
    found = result(report("PART", transfer(IDS[1], "ACSC", amount="")))
    assert found.lines[0].amount_fen == 200


def test_another_amount_is_told_as_the_bank_says_it() -> None:
    found = result(report("PART", transfer(IDS[0], "ACSC", amount="1.01")))
    assert found.lines[0].amount_fen == 101


def test_a_later_report_that_knows_less_takes_nothing_back() -> None:
    waiting = report("PDNG", *(transfer(one, "PDNG") for one in IDS[:2]))
    assert result(report("ACSC", *OURS), waiting) == result(report("ACSC", *OURS))
    assert outcomes(waiting, report("ACSC", *OURS)) == dict.fromkeys(IDS[:2], Outcome.DONE)


def test_the_same_said_again_later_keeps_the_first_day() -> None:
    again = report("ACSC", *OURS, at="2026-11-25T10:00:00+08:00")
    assert result(report("ACSC", *OURS), again) == result(report("ACSC", *OURS))


def test_two_last_words_that_differ_make_a_transfer_unknown_for_good() -> None:
    paid, refused = report("PART", OURS[0]), report("PART", transfer(IDS[0], "RJCT", "AC04"))
    other_amount = report("PART", transfer(IDS[0], "ACSC", amount="1.01"))
    for contents in (
        (paid, refused),
        (refused, paid),
        (paid, refused, refused),
        (paid, other_amount),
    ):
        (line,) = result(*contents).lines
        assert (line.outcome, line.bank_code) == (Outcome.UNKNOWN, "CONTRADICTED")


def test_a_batch_that_is_settled_is_not_refused_by_a_rejection_after_it() -> None:
    contents = report("ACSC"), report("RJCT", code="AM04")
    assert whole(*contents) == Answer(Outcome.DONE)
    assert set(outcomes(*contents).values()) == {Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-11-22T15:59:59Z", date(2026, 11, 22)),
        ("2026-11-22T16:00:00Z", date(2026, 11, 23)),
        ("2026-11-22T23:59:59", date(2026, 11, 22)),
        ("2026-11-22T23:59:59.999+08:00", date(2026, 11, 22)),
    ],
)
def test_the_booking_day_is_the_day_in_china(at: str, day: date) -> None:
    assert result(report("ACSC", OURS[0], at=at)).lines[0].paid_on == day


@pytest.mark.parametrize(
    "content",
    [
        report("ACSC", *OURS, batch_no="4711"),
        report("ACSC", *OURS, payment="4711"),
        report("ACSC", OURS[0], OURS[0]),
        report("ACSC", *OURS).replace("<GrpSts>ACSC</GrpSts>", ""),
        report("ACSC", *OURS).replace("<TxSts>ACSC</TxSts>", ""),
        report("ACSC", *OURS).replace(f"<OrgnlEndToEndId>{IDS[0]}</OrgnlEndToEndId>", ""),
        report("ACSC", *OURS).replace('Ccy="CNY"', 'Ccy="USD"'),
        report("ACSC", *OURS).replace("pain.002.001.12", "pain.002.001.03"),
        report("ACSC", *OURS).replace("<TxSts>", "<Foo>1</Foo><TxSts>"),
        report("ACSC", *OURS, at="2026-11-22"),
        report("ACSC", *OURS, at="9999-12-31T23:59:59Z"),
        report("ACSC", *OURS)[:-30],
        "",
        "\x00\x13 no XML at all <<<",
    ],
)
def test_a_report_that_is_odd_is_not_believed_at_all(content: str) -> None:
    with pytest.raises(ResultUnusable):
        read(content)


@pytest.mark.parametrize(
    "amount",
    ["1.005", "1e3", "-0", "-1.00", "+1.00", "NaN", "１.００", "1", "1.0", ".50", "01.00", " 1.00"],
)
def test_an_amount_that_is_not_plain_yuan_and_fen_spoils_its_report(amount: str) -> None:
    with pytest.raises(ResultUnusable):
        read(report("ACSC", transfer(IDS[0], "ACSC", amount=amount)))
