"""A result is believed whole or not at all: what contradicts itself proves nothing."""

import pytest

from services.payments.errors import ResultUnusable
from tests.payments.cmb.bank import Bank, Json
from tests.payments.cmb.three import Spoil, head, lines, refused, taken, told


def doubled(page: Json) -> None:
    lines(page)[1] = dict(lines(page)[0])


def same_id(page: Json) -> None:
    lines(page)[1]["cprref"] = lines(page)[0]["cprref"]


def half_the_lines(page: Json) -> None:
    del lines(page)[1:]


def failed_without_lines(page: Json) -> None:
    lines(page).clear()
    head(page).update(rtnflg="F", succnt="0", sucamt="0.00")


def all_paid_but_one_is_not(page: Json) -> None:
    refused(page, 1, "C001")
    head(page)["rtnflg"] = "S"


def rejected_but_one_is_paid(page: Json) -> None:
    refused(page, 1, "C001")
    head(page)["rtnflg"] = "R"


def failed_but_one_is_paid(page: Json) -> None:
    refused(page, 1, "C001")
    head(page)["rtnflg"] = "F"


def rejected_and_half_told(page: Json) -> None:
    refused(page, 0, "C001")
    refused(page, 1, "C001")
    refused(page, 2, "C001")
    del lines(page)[2:]
    head(page)["rtnflg"] = "R"


def in_a_circle(page: Json) -> None:
    page["nxtseq"] = "00000001"


def behind_a_gap(page: Json) -> None:
    page["nxtseq"] = "00000009"


def no_lines_and_yet_more(page: Json) -> None:
    lines(page).clear()
    page["nxtseq"] = "00000001"


def more_lines_than_counted(page: Json) -> None:
    head(page).update(ttlcnt="2", ttlamt="2.03", succnt="2", sucamt="2.03")


def another_order(page: Json) -> None:
    lines(page).reverse()


def two_heads(page: Json) -> None:
    page["bb6bpdqyz1"] *= 2


def too_long(page: Json) -> None:
    page["bb6bpdqyz2"] = lines(page) * 400


@pytest.mark.parametrize(
    "spoil",
    [
        doubled,
        same_id,
        half_the_lines,
        failed_without_lines,
        all_paid_but_one_is_not,
        rejected_but_one_is_paid,
        failed_but_one_is_paid,
        rejected_and_half_told,
        in_a_circle,
        behind_a_gap,
        no_lines_and_yet_more,
        more_lines_than_counted,
        another_order,
        two_heads,
        too_long,
    ],
)
async def test_a_result_that_contradicts_itself_is_not_believed(spoil: Spoil) -> None:
    with pytest.raises(ResultUnusable):
        await told(spoil)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("yurref", "7215"),
        ("reqsta", None),
        ("ttlcnt", "9" * 5_000),
        ("ttlcnt", "-3"),
        ("ttlcnt", 3),
        ("succnt", "2"),
        ("sucamt", "3.05"),
        ("ttlamt", "3.07"),
        ("ttlamt", "3.6"),
    ],
)
async def test_a_head_that_is_spoilt_is_not_believed(field: str, value: object) -> None:
    with pytest.raises(ResultUnusable):
        await told(lambda page: head(page).update({field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trsamt", "1.010"),
        ("trsamt", "1e3"),
        ("trsamt", "-1.01"),
        ("trsamt", "+1.01"),
        ("trsamt", "NaN"),
        ("trsamt", "１.01"),
        ("trsamt", "01.01"),
        ("trsamt", "1.01\n"),
        ("trsamt", "9" * 5_000 + ".00"),
        ("trsamt", 1.01),
        ("trxseq", "1"),
        ("trxseq", "99999999"),
        ("trxseq", "00000000"),
        ("cprref", ""),
        ("cprref", "王小明"),
        ("cprref", "a" * 41),
        ("stscod", None),
        ("stscod", "s"),
        ("errcod", "王小明"),
        ("bkdat", ""),
        ("bkdat", "20261322"),
        ("bkdat", "2026112"),
        ("bkdat", "２０２６１１２２"),
        ("bksn", ""),
        ("bksn", "9" * 40),
    ],
)
async def test_a_line_that_is_spoilt_spoils_the_result(field: str, value: object) -> None:
    with pytest.raises(ResultUnusable) as caught:
        await told(lambda page: lines(page)[0].update({field: value}))
    assert caught.value.args == (), "nothing of it is told"


@pytest.mark.parametrize("field", ["trxseq", "trsamt", "stscod", "cprref", "bkdat", "bksn"])
async def test_a_line_that_lacks_a_field_spoils_the_result(field: str) -> None:
    with pytest.raises(ResultUnusable):
        await told(lambda page: lines(page)[0].pop(field))


@pytest.mark.parametrize("body", [None, "", 7, {"bb6bpdqyz1": ""}])
async def test_an_answer_of_another_shape_is_not_believed(body: object) -> None:
    def spoil(message: Json) -> None:
        message["response"]["body"] = body

    bank = Bank()
    channel, file = await taken(bank)
    bank.spoil = spoil
    with pytest.raises(ResultUnusable):
        await channel.result(file.batch_no, file.name)


async def test_a_batch_that_changes_between_two_pages_is_asked_for_again() -> None:
    bank = Bank()
    channel, file = await taken(bank, 1_500)

    def page(_funcode: str, body: Json) -> Json:
        answer = bank.page_of(body)
        if len(bank.heard) == 2:
            head(answer).update(sucamt="1.00")
        return answer

    bank.tells = page
    with pytest.raises(ResultUnusable):
        await channel.result(file.batch_no, file.name)


async def test_a_bank_that_never_comes_to_an_end_is_left() -> None:
    bank = Bank()
    channel, file = await taken(bank)

    def without_end(_funcode: str, body: Json) -> Json:
        assert len(bank.heard) < 5
        start = int(body["bb6bpdqyy1"][0]["trxseq"])
        body["bb6bpdqyy1"][0]["trxseq"] = "00000001"
        page = bank.page_of(body)
        more = range(start, start + 3)
        for line, place in zip(lines(page), more, strict=True):
            line.update(trxseq=f"{place:08d}", cprref=f"a{place}")
        page["nxtseq"] = f"{start + 3:08d}"
        return page

    bank.tells = without_end
    with pytest.raises(ResultUnusable):
        await channel.result(file.batch_no, file.name)
