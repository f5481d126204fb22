"""The API door as a customer meets it: batches in parts, what became of them, the account."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.sandbox import clock
from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.cmb.parts import CallRefused, Parts
from deploy.sandbox.bank.cmb.requests import Submit, read
from deploy.sandbox.settings import SandboxSettings
from tests.sandbox.cmb_customer import PAYER, Customer, Line, part
from tests.sandbox.inside import opened

NOON = datetime(2026, 11, 22, 12, tzinfo=clock.CHINA)
WITHIN_S = 20.0


@pytest.fixture(scope="module")
def customer() -> Customer:
    return Customer()


@pytest.fixture
async def line(tmp_path: Path, customer: Customer) -> AsyncGenerator[Line]:
    with clock.set_to(NOON):
        async with opened(tmp_path, **customer.settings) as http:
            yield Line(customer, http)


async def submit(line: Line, body: object) -> tuple[str, str, str]:
    """Send a part; give the result code, and where it was taken the bank's number and state."""
    code, answer = await line.ask("BB6BTHHL", body)
    taken = answer["bb6cdcbhz1"][0] if code == "SUC0000" else {"reqnbr": "", "reqsta": ""}
    return code, taken["reqnbr"], taken["reqsta"]


async def pay(line: Line, number: str, sizes: tuple[int, ...], **other: str) -> str:
    """Send a batch in parts of these sizes, and wait until it is done; give its reqnbr."""
    reqnbr, first, count = "", 1, sum(sizes)
    for size in sizes:
        head = {"ttlnum": str(len(sizes))} | ({"reqnbr": reqnbr} if reqnbr else {}) | other
        code, reqnbr, _ = await submit(line, part(number, first, first + size - 1, count, **head))
        assert code == "SUC0000"
        first += size
    await finished(line, number)
    return reqnbr


async def state(line: Line, number: str, first: int = 1) -> Mapping[str, Any]:
    asked = {"bb6bpdqyy1": [{"yurref": number, "trxseq": f"{first:08d}"}]}
    code, body = await line.ask("BB6BPDQY", asked)
    assert code == "SUC0000"
    return body


async def finished(line: Line, number: str) -> Mapping[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        while (body := await state(line, number))["bb6bpdqyz1"][0]["reqsta"] != "FIN":  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.01)
    return body


async def movements(line: Line, after: str = "0") -> list[dict[str, str]]:
    asked = {"dctrsinfy1": [{"accnbr": PAYER, "after": after}]}
    code, body = await line.ask("DCTRSINF", asked)
    assert code == "SUC0000"
    return body["dctrsinfz1"]


async def post(line: Line, path: str, body: object) -> None:
    answer = await line.http.post(path, json=body)
    assert answer.is_success, answer.text


async def test_a_batch_in_parts_is_booked_when_the_last_has_come_and_debited_by_part(
    line: Line,
) -> None:
    code, reqnbr, status = await submit(line, part("1", 1, 3, 5, ttlnum="2"))
    assert (code, status) == ("SUC0000", "OPR")
    await asyncio.sleep(0.1)
    assert (await state(line, "1"))["bb6bpdqyz1"][0]["reqsta"] == "OPR"
    assert await movements(line) == []
    code, again, _ = await submit(line, part("1", 4, 5, 5, ttlnum="2", reqnbr=reqnbr))
    assert (code, again) == ("SUC0000", reqnbr)
    body = await finished(line, "1")
    [head] = body["bb6bpdqyz1"]
    assert (head["rtnflg"], head["sucamt"], head["succnt"]) == ("S", "5.00", "5")
    assert (head["reqnbr"], head["ttlamt"], head["ttlcnt"]) == (reqnbr, "5.00", "5")
    assert [one["trxseq"] for one in body["bb6bpdqyz2"]] == [f"{n:08d}" for n in range(1, 6)]
    assert {one["stscod"] for one in body["bb6bpdqyz2"]} == {"S"}
    assert {one["bkdat"] for one in body["bb6bpdqyz2"]} == {"20261122"}
    assert len({one["bksn"] for one in body["bb6bpdqyz2"]}) == 5
    debits = await movements(line)
    assert [one["trsamt"] for one in debits] == ["3.00", "2.00"]
    assert {(one["trstyp"], one["amtcdr"], one["yurref"]) for one in debits} == {
        ("PAYOUT", "D", "1")
    }


async def test_its_lines_stand_in_the_same_book_as_those_of_other_doors(line: Line) -> None:
    await pay(line, "1", (1,))
    book = (await line.http.get("/bank/book")).text
    assert '"instruction_id":"I1-1"' in book
    assert (await line.http.get("/bank/batches/1")).json()["status"] == "closed"


@pytest.mark.parametrize(("cards", "flag"), [(("abc", "abd"), "F"), (("abc", ""), "P")])
async def test_a_refused_line_is_told_with_its_code(
    line: Line, cards: tuple[str, ...], flag: str
) -> None:
    batch = part("1", 1, 2, 2)
    for detail, card in zip(batch["bb6cdcdlx1"], cards, strict=True):
        detail["accnbr"] = card or detail["accnbr"]
    await submit(line, batch)
    body = await finished(line, "1")
    assert body["bb6bpdqyz1"][0]["rtnflg"] == flag
    first = body["bb6bpdqyz2"][0]
    assert (first["stscod"], first["errcod"], first["errtxt"]) == ("E", "C006", "账号不存在")
    assert (first["bkdat"], first["bksn"]) == ("", "")


async def test_an_instruction_is_booked_once_whatever_batch_it_comes_in(line: Line) -> None:
    await pay(line, "1", (1,))
    second = part("2", 1, 1, 1)
    second["bb6cdcdlx1"][0]["cprref"] = "I1-1"
    await submit(line, second)
    assert (await finished(line, "2"))["bb6bpdqyz2"][0]["errcod"] == "C008"


async def test_every_part_sent_again_is_a_question_and_nothing_is_booked_twice(line: Line) -> None:
    reqnbr = await pay(line, "1", (2, 2, 1))
    for first, last, given in ((1, 2, ""), (3, 4, reqnbr), (5, 5, reqnbr)):
        again = part("1", first, last, 5, ttlnum="3", **({"reqnbr": given} if given else {}))
        assert await submit(line, again) == ("SUC0000", reqnbr, "FIN")
    assert len(await movements(line)) == 3


@pytest.mark.parametrize(
    "other",
    [{"accnam": "别的工会"}, {"ttlamt": "6.00"}, {"nusage": "工资"}, {"chlflg": "Y"}],
)
async def test_a_number_belongs_to_what_came_under_it_first(
    line: Line, other: dict[str, str]
) -> None:
    _, reqnbr, _ = await submit(line, part("1", 1, 3, 5, ttlnum="2"))
    assert (await submit(line, part("1", 1, 3, 5, ttlnum="2", **other)))[0] == "NCB003"
    changed = part("1", 1, 3, 5, ttlnum="2")
    changed["bb6cdcdlx1"][0]["accnam"] = "李四"
    assert (await submit(line, changed))[0] == "NCB003"
    overlapping = part("1", 3, 5, 5, ttlnum="2", reqnbr=reqnbr)
    assert (await submit(line, overlapping))[0] == "NCB003"
    assert (await submit(line, part("1", 4, 5, 5, ttlnum="2", reqnbr=reqnbr)))[0] == "SUC0000"
    assert (await finished(line, "1"))["bb6bpdqyz1"][0]["rtnflg"] == "S"


async def test_a_number_that_came_through_another_door_is_taken(line: Line) -> None:
    text = "7|110000000001|1|1.00|CNY|20261122\r\n1|6217000000000012|张三|1.00|||||I9\r\n"
    await line.http.put("/bank/files/DF_U1_20261122_7.txt", content=text.encode("gb18030"))
    assert (await submit(line, part("7", 1, 1, 1)))[0] == "NCB003"


@pytest.mark.parametrize(
    "last",
    [
        {"curamt": "2.01"},
        {"curcnt": "3"},
        {},
    ],
)
async def test_sums_that_differ_refuse_the_batch_whole_and_for_good(
    line: Line, last: dict[str, str]
) -> None:
    # Where the last part is right in itself, the whole announces one transfer more than came.
    count = 5 if last else 6
    whole = {"ttlnum": "2", "ttlcnt": str(count), "ttlamt": f"{count}.00"}
    _, reqnbr, _ = await submit(line, part("1", 1, 3, 5, **whole))
    ending = part("1", 4, 5, 5, **(whole | {"reqnbr": reqnbr} | last))
    for _ in range(2):
        assert (await submit(line, ending))[0] == "NCB005"
    assert (await submit(line, part("1", 1, 3, 5, **whole)))[0] == "NCB005"
    body = await state(line, "1")
    [head] = body["bb6bpdqyz1"]
    assert (head["reqsta"], head["rtnflg"], head["succnt"]) == ("FIN", "R", "0")
    assert body["bb6bpdqyz2"] == await movements(line) == []


async def test_parts_come_in_order_and_name_the_batch_as_the_bank_does(line: Line) -> None:
    assert (await submit(line, part("1", 4, 5, 5, ttlnum="2")))[0] == "NCB002"
    _, reqnbr, _ = await submit(line, part("1", 1, 2, 5, ttlnum="2"))
    assert (await submit(line, part("1", 4, 5, 5, ttlnum="2", reqnbr=reqnbr)))[0] == "NCB002"
    assert (await submit(line, part("1", 3, 5, 5, ttlnum="2", reqnbr="X")))[0] == "NCB002"
    assert (await submit(line, part("1", 3, 5, 5, ttlnum="2", reqnbr=reqnbr)))[0] == "SUC0000"


@pytest.mark.parametrize(
    ("place", "field", "wrong"),
    [
        ("bb6cdcbhx1", "ccynbr", "21"),
        ("bb6cdcbhx1", "ttlamt", "2"),
        ("bb6cdcbhx1", "yurref", "B1"),
        ("bb6cdcbhx1", "eptdat", "20261340"),
        ("bb6cdcbhx1", "begtag", "N"),
        ("bb6cdcbhx1", "accnbr", "12"),
        ("bb6cdcbhx1", "surprise", "1"),
        ("bb6cdcdlx1", "trxseq", "00000002"),
        ("bb6cdcdlx1", "trsamt", "1.000"),
        ("bb6cdcdlx1", "trsamt", "0.00"),
        ("bb6cdcdlx1", "trsamt", "-1.00"),
        ("bb6cdcdlx1", "trsamt", "１.00"),
        ("bb6cdcdlx1", "accnam", " "),
        ("bb6cdcdlx1", "cprref", "a b"),
        ("bb6cdcdlx1", "cprref", 1),
    ],
)
async def test_a_part_that_is_not_of_its_form_leaves_nothing_behind(
    line: Line, place: str, field: str, wrong: object
) -> None:
    batch = part("1", 1, 2, 2)
    batch[place][0][field] = wrong
    assert (await submit(line, batch))[0] == "NCB002"
    assert (await submit(line, part("1", 1, 2, 2)))[0] == "SUC0000"


async def test_more_details_than_a_part_holds_are_refused(line: Line) -> None:
    assert (await submit(line, part("1", 1, 1_001, 1_001)))[0] == "NCB002"


async def test_a_result_is_read_in_pages(line: Line) -> None:
    await pay(line, "1", (1_000, 1_000, 200))
    pages = [(await state(line, "1", first)) for first in (1, 1_001, 2_001)]
    assert [page["nxtseq"] for page in pages] == ["00001001", "00002001", ""]
    seen = [one["trxseq"] for page in pages for one in page["bb6bpdqyz2"]]
    assert seen == [f"{place:08d}" for place in range(1, 2_201)]
    assert (await state(line, "1", 1_001))["bb6bpdqyz2"] == pages[1]["bb6bpdqyz2"]
    assert (await state(line, "1", 9_999))["bb6bpdqyz2"] == []


async def test_what_the_bank_gives_back_is_told_with_its_reason(line: Line) -> None:
    await pay(line, "1", (2,))
    [debit] = await movements(line)
    await post(line, "/bank/returns", [{"instruction_id": "I1-1", "reason": "0002"}])
    reversal = {"instruction_id": "I1-2", "reason": "0001", "kind": "reversal"}
    await post(line, "/bank/returns", [reversal])
    code, body = await line.ask(
        "BB6RFDQY", {"bb6rfdqyy1": [{"accnbr": PAYER, "after": debit["bksn"]}]}
    )
    assert code == "SUC0000"
    told = [(one["cprref"], one["errcod"], one["errtxt"]) for one in body["bb6rfdqyz1"]]
    assert told == [("I1-1", "C002", "账户已销户"), ("I1-2", "C001", "户名不符")]
    back = await movements(line, debit["bksn"])
    assert [(one["trstyp"], one["amtcdr"], one["trsamt"]) for one in back] == [
        ("RETURN", "C", "1.00"),
        ("REVERSAL", "C", "1.00"),
    ]
    assert [one["bksn"] for one in back] == [one["bksn"] for one in body["bb6rfdqyz1"]]


async def test_a_day_is_stated_when_it_is_over_or_so_far_on_demand(line: Line) -> None:
    deposit = {"account": PAYER, "amount": "50.00", "party": "市总工会", "remark": "拨款"}
    await post(line, "/bank/deposits", [deposit] * 3)
    asked = {"accnbr": PAYER, "date": "20261122"}
    assert (await line.ask("NTDAYSTM", {"ntdaystmy1": [asked]}))[0] == "NCB004"
    code, so_far = await line.ask("NTDAYSTM", {"ntdaystmy1": [asked | {"upto": "now"}]})
    assert code == "SUC0000"
    assert so_far["ntdaystmz1"] == [
        {"opnbal": "10000000000.00", "clsbal": "10000000150.00", "cnt": "3"}
    ]
    assert [one["rpynam"] for one in so_far["dctrsinfz1"]] == ["市总工会"] * 3
    with clock.set_to(NOON + timedelta(days=1)):
        first = so_far["dctrsinfz1"][0]["bksn"]
        code, rest = await line.ask("NTDAYSTM", {"ntdaystmy1": [asked | {"after": first}]})
        assert (code, len(rest["dctrsinfz1"])) == ("SUC0000", 2)
        nothing = asked | {"date": "20261231"}
        assert (await line.ask("NTDAYSTM", {"ntdaystmy1": [nothing]}))[0] == "NCB004"
    never = asked | {"date": "20260231"}
    assert (await line.ask("NTDAYSTM", {"ntdaystmy1": [never]}))[0] == "NCB002"


async def test_what_nobody_sent_is_not_found_and_an_unknown_function_not_of_form(
    line: Line,
) -> None:
    asked = {"bb6bpdqyy1": [{"yurref": "404", "trxseq": "00000001"}]}
    assert (await line.ask("BB6BPDQY", asked))[0] == "NCB004"
    assert (await line.ask("BB6BTHQY", asked))[0] == "NCB002"
    assert (await line.ask("BB6BPDQY", {}))[0] == "NCB002"
    assert (await line.ask("BB6BPDQY", []))[0] == "NCB002"


async def test_a_line_that_breaks_before_the_bank_leaves_nothing_and_behind_it_everything(
    line: Line,
) -> None:
    batch = part("1", 1, 1, 1)
    await post(line, "/faults", {"target": "cmb", "kind": "drop_request"})
    with pytest.raises(httpx.RemoteProtocolError):
        await submit(line, batch)
    asked = {"bb6bpdqyy1": [{"yurref": "1", "trxseq": "00000001"}]}
    assert (await line.ask("BB6BPDQY", asked))[0] == "NCB004"
    await post(line, "/faults", {"target": "cmb", "kind": "drop_answer"})
    with pytest.raises(httpx.RemoteProtocolError):
        await submit(line, batch)
    await finished(line, "1")


async def test_a_busy_bank_does_nothing_and_noise_does_not_mean_it_did_not(line: Line) -> None:
    await post(line, "/faults", {"target": "cmb", "kind": "busy"})
    assert (await submit(line, part("1", 1, 1, 1)))[0] == "NCB009"
    asked = {"bb6bpdqyy1": [{"yurref": "1", "trxseq": "00000001"}]}
    assert (await line.ask("BB6BPDQY", asked))[0] == "NCB004"
    await post(line, "/faults", {"target": "cmb", "kind": "garbage"})
    noise = await line.send(line.customer.form("BB6BTHHL", part("1", 1, 1, 1)))
    with pytest.raises(Exception):  # noqa: B017,PT011 - whatever noise does to a reader
        line.customer.opened(noise.content)
    await finished(line, "1")


async def test_a_batch_of_which_a_part_came_before_a_kill_goes_on_after_it(
    tmp_path: Path, customer: Customer
) -> None:
    async with opened(tmp_path, **customer.settings) as http:
        _, reqnbr, _ = await submit(Line(customer, http), part("1", 1, 3, 5, ttlnum="2"))
    async with opened(tmp_path, **customer.settings) as http:
        line = Line(customer, http)
        assert await submit(line, part("1", 1, 3, 5, ttlnum="2")) == ("SUC0000", reqnbr, "OPR")
        await submit(line, part("1", 4, 5, 5, ttlnum="2", reqnbr=reqnbr))
        before = await finished(line, "1")
        debits = await movements(line)
    async with opened(tmp_path, **customer.settings) as http:
        line = Line(customer, http)
        assert await state(line, "1") == before
        again = part("1", 4, 5, 5, ttlnum="2", reqnbr=reqnbr)
        assert await submit(line, again) == ("SUC0000", reqnbr, "FIN")
        assert await movements(line) == debits


class Killed(Exception):
    """The power goes."""


class BankKilledAtTheNote(Bank):
    """A bank that is killed when it has a batch or its refusal, and not yet the door's note."""

    async def note(self, door: str, texts: Sequence[str]) -> None:
        if any('"ended":true' in text or '"refused"' in text for text in texts):
            raise Killed
        await super().note(door, texts)


@pytest.mark.parametrize(("ttlamt", "answer"), [("5.00", ""), ("6.00", "NCB005")])
async def test_a_kill_between_the_banks_books_and_the_doors_note_is_made_good_by_the_question(
    tmp_path: Path, ttlamt: str, answer: str
) -> None:
    settings = SandboxSettings(data_dir=tmp_path)
    first = read(part("1", 1, 3, 5, ttlnum="2", ttlamt=ttlamt), Submit)
    dying = Parts(BankKilledAtTheNote(settings))
    reqnbr = (await dying.take(first)).reqnbr
    last = read(part("1", 4, 5, 5, ttlnum="2", ttlamt=ttlamt, reqnbr=reqnbr), Submit)
    with pytest.raises(Killed):
        await dying.take(last)
    bank = Bank(settings)
    parts = Parts(bank)
    assert (await parts.take(first)).reqnbr == reqnbr
    if answer:
        with pytest.raises(CallRefused, match=answer):
            await parts.take(last)
    else:
        assert (await parts.take(last)).ended
    received = bank.batch("1")
    assert received
    assert (received.status, received.count) == (("refused", 0) if answer else ("received", 5))


async def test_a_restored_bank_takes_what_it_has_forgotten_anew(line: Line) -> None:
    await pay(line, "1", (1,))
    await post(line, "/bank/backup", None)
    await pay(line, "2", (1,))
    await post(line, "/bank/restore", None)
    asked = {"bb6bpdqyy1": [{"yurref": "2", "trxseq": "00000001"}]}
    assert (await line.ask("BB6BPDQY", asked))[0] == "NCB004"
    assert (await state(line, "1"))["bb6bpdqyz1"][0]["rtnflg"] == "S"
    await pay(line, "2", (1,))
    assert len(await movements(line)) == 2
