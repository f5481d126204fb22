"""The bank's rules, as a customer with batch files meets them."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.sandbox.conftest import BatchText, Line, Sandbox, until

Lines = Callable[..., Line]
Batches = Callable[..., BatchText]


def test_a_line_is_booked_and_comes_back_with_a_serial(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    one, two = line(amount="1234.56"), line(name="阿依古丽·买买提", amount="0.01")
    sent = batch(one, two)
    answer = sandbox.put(sent.name, sent.content)
    assert answer.status_code == 201
    result = sandbox.result(sent.name)
    assert result[0] == sent.content.decode("gb18030").split("\r\n")[0]
    assert result[-1] == "2|1234.57|0|0.00"
    uploaded = sent.content.decode("gb18030").split("\r\n")[1:3]
    for was, now in zip(uploaded, result[1:3], strict=True):
        assert now.startswith(f"{was}|0|0000|交易成功|")
    state = sandbox.http.get(f"/bank/batches/{sent.number}").json()
    assert (state["status"], state["booked"], state["refused_lines"]) == ("closed", 2, 0)
    assert (state["count"], state["total"], state["name"]) == (2, "1234.57", sent.name)


def test_the_book_holds_each_line_with_the_agreed_fields(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    sent = batch(line(amount="88.00"), line(account="abc"))
    sandbox.pay(sent)
    book = [json.loads(text) for text in sandbox.http.get("/bank/book").text.splitlines()]
    booked, refused = [entry for entry in book if entry["batch"] == sent.number]
    at = booked.pop("at")
    assert at[10] == "T"
    assert at.endswith("+08:00")
    assert booked == {
        "batch": sent.number,
        "line": 1,
        "account": sent.lines[0].account,
        "name": "张三",
        "amount": "88.00",
        "currency": "CNY",
        "status": "booked",
        "reason": None,
        "instruction_id": sent.lines[0].instruction_id,
    }
    assert (refused["status"], refused["reason"]) == ("refused", "账号不存在")


@pytest.mark.parametrize("same", ["张 三", "张\u3000三", "张三 "])
def test_a_name_is_compared_without_blanks(
    sandbox: Sandbox, line: Lines, batch: Batches, same: str
) -> None:
    first = line()
    sandbox.pay(batch(first))
    [[status, *_]] = sandbox.pay(batch(line(account=first.account, name=same)))
    assert status == "0"


@pytest.mark.parametrize("dot", ["·", "•", ".", "\uff0e"])
def test_the_dots_of_a_name_are_one(
    sandbox: Sandbox, line: Lines, batch: Batches, dot: str
) -> None:
    first = line(name="阿依古丽·买买提")
    sandbox.pay(batch(first))
    [[status, *_]] = sandbox.pay(batch(line(account=first.account, name=f"阿依古丽{dot}买买提")))
    assert status == "0"


def test_another_name_on_a_known_card_is_refused(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    first = line()
    sandbox.pay(batch(first))
    [got] = sandbox.pay(batch(line(account=first.account, name="李四")))
    assert got == ["1", "0001", "户名不符", "", ""]


@pytest.mark.parametrize(
    ("standing", "code"), [("closed", "0002"), ("frozen", "0003"), ("open", "0000")]
)
def test_the_standing_of_an_account_decides(
    sandbox: Sandbox, line: Lines, batch: Batches, standing: str, code: str
) -> None:
    one = line()
    account = {"account": one.account, "name": one.name, "status": standing}
    assert sandbox.http.post("/bank/accounts", json=[account]).is_success
    [got] = sandbox.pay(batch(one))
    assert got[1] == code


def test_an_account_can_be_renamed_by_hand(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    one = line()
    sandbox.pay(batch(one))
    sandbox.http.post("/bank/accounts", json=[{"account": one.account, "name": "李四"}])
    [got] = sandbox.pay(batch(line(account=one.account, name="李四")))
    assert got[0] == "0"


def test_a_payer_cannot_spend_more_than_it_has(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    lines = line(amount="9999999999.99"), line(amount="0.02"), line(amount="0.01")
    got = sandbox.pay(batch(*lines, payer="110000000099"))
    assert [fields[1] for fields in got] == ["0000", "0004", "0000"]


def test_a_line_above_the_limit_is_refused(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    [got] = sandbox.pay(batch(line(amount="10000000000.01")))
    assert got[1:3] == ["0005", "超限额"]


def test_an_unknown_currency_is_refused_by_line(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    [got] = sandbox.pay(batch(line(), currency="USD"))
    assert got[1] == "0007"


def test_an_instruction_is_booked_once(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    one = line()
    sandbox.pay(batch(one))
    again = sandbox.pay(batch(one, line(instruction="I-twice"), line(instruction="I-twice")))
    assert [fields[1] for fields in again] == ["0008", "0000", "0008"]


def test_a_refused_instruction_may_come_again(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    one = line()
    sandbox.http.post(
        "/bank/accounts", json=[{"account": one.account, "name": "x", "status": "closed"}]
    )
    assert sandbox.pay(batch(one))[0][0] == "1"
    sandbox.http.post("/bank/accounts", json=[{"account": one.account, "name": one.name}])
    assert sandbox.pay(batch(one))[0][0] == "0"


def test_the_same_file_again_books_nothing(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    sent = batch(line())
    sandbox.pay(sent)
    before = sandbox.http.get("/bank/book").content
    again = sandbox.put(sent.name, sent.content)
    assert (again.status_code, again.json()["status"]) == (200, "closed")
    assert sandbox.http.get("/bank/book").content == before


def test_a_name_or_a_batch_number_of_another_file_is_refused(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    sent, other = batch(line()), batch(line())
    sandbox.pay(sent)
    taken = sandbox.put(sent.name, other.content)
    assert (taken.status_code, taken.json()["code"]) == (409, "D001")
    same_number = replace(other, number=sent.number)
    repeated = sandbox.put(other.name, same_number.content)
    assert (repeated.status_code, repeated.json()["reason"]) == (409, "重复批次")


def _spoilt(batch: BatchText) -> list[tuple[str, bytes]]:
    content = batch.content
    return [
        ("F002", content.replace("张三".encode("gb18030"), b"\xff\xff")),
        ("F003", content.replace(b"|CNY|", b"|CNY|x|")),
        ("F003", content.replace(b"20260712\r\n", b"20260732\r\n")),
        ("F003", b"\xef\xbb\xbf" + content),
        ("F003", content.replace(b"\r\n", b"\n")),
        ("F004", content[:-2]),
        ("F004", content.replace(b"|12.34|", b"|12.3|", 1)),
        ("F004", content.replace(b"|12.34|", b"|-2.34|", 1)),
        ("F004", content.replace(b"|12.34|", b"|0.00|", 1)),
        ("F005", content.replace(b"\r\n2|", b"\r\n3|")),
        ("F006", content.replace(b"|110000000001|2|", b"|110000000001|3|")),
        ("F007", content.replace(b"|24.68|", b"|24.67|")),
    ]


@pytest.mark.parametrize("spoilt", range(12))
def test_a_spoilt_file_is_refused_whole_and_stays_refused(
    sandbox: Sandbox, line: Lines, batch: Batches, spoilt: int
) -> None:
    before = sandbox.http.get("/bank/book").content
    sent = batch(line(), line())
    code, content = _spoilt(sent)[spoilt]
    first, second = (sandbox.put(sent.name, content) for _ in range(2))
    assert (first.status_code, first.json()["code"]) == (422, code)
    assert (second.status_code, second.json()) == (422, first.json())
    assert sandbox.http.get(f"/bank/files/{sent.name}.ret").status_code == 422
    assert sandbox.put(sent.name, sent.content).status_code == 409
    assert sandbox.http.get("/bank/book").content == before


def test_a_refused_file_uses_up_its_batch_number(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    sent, other = batch(line(), announced_total="1.00"), batch(line())
    sandbox.put(sent.name, sent.content)
    state = sandbox.http.get(f"/bank/batches/{sent.number}").json()
    assert (state["status"], state["code"], state["reason"]) == ("refused", "F007", "总金额不符")
    again = sandbox.put(other.name, replace(other, number=sent.number).content)
    assert (again.status_code, again.json()["code"]) == (409, "D002")


def test_a_file_needs_a_proper_name(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    answer = sandbox.put("payout.txt", batch(line()).content)
    assert (answer.status_code, answer.json()["code"]) == (422, "F001")


def test_a_file_longer_than_the_bank_takes_is_refused(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    sent = batch(*(line() for _ in range(5_001)))
    assert sandbox.put(sent.name, sent.content).json()["code"] == "F008"


def test_what_the_bank_has_never_seen_is_not_found(sandbox: Sandbox) -> None:
    assert sandbox.http.get("/bank/batches/B-never").status_code == 404
    assert sandbox.http.get("/bank/files/DF_U1_20260712_99.txt.ret").status_code == 404


def test_a_rare_character_survives(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    sent = batch(line(name="王𬍡"))
    sandbox.pay(sent)
    assert "王𬍡" in sandbox.result(sent.name)[1]


def test_a_killed_bank_knows_everything_again(
    own_sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    own_sandbox.start()
    paid, spoilt = batch(line(), line(account="abc")), batch(line(), announced_total="1.00")
    closed = line()
    own_sandbox.pay(paid)
    own_sandbox.put(spoilt.name, spoilt.content)
    own_sandbox.http.post(
        "/bank/accounts",
        json=[{"account": closed.account, "name": closed.name, "status": "closed"}],
    )
    book, result = own_sandbox.http.get("/bank/book").content, own_sandbox.result(paid.name)
    own_sandbox.kill()
    own_sandbox.start()
    assert own_sandbox.http.get("/bank/book").content == book
    assert own_sandbox.result(paid.name) == result
    assert own_sandbox.put(paid.name, paid.content).status_code == 200
    assert own_sandbox.put(spoilt.name, spoilt.content).status_code == 422
    wrong_name = line(account=paid.lines[0].account, name="李四")
    got = own_sandbox.pay(batch(closed, wrong_name, paid.lines[0]))
    assert [fields[1] for fields in got] == ["0002", "0001", "0008"]
    assert own_sandbox.stop() == 0


@pytest.mark.parametrize("kept", ["taken", "a thousand lines", "a thousand lines and torn ones"])
def test_a_bank_killed_while_booking_goes_on_at_the_next_line(
    own_sandbox: Sandbox, line: Lines, batch: Batches, kept: str
) -> None:
    own_sandbox.start()
    sent = batch(*(line(amount="1.00") for _ in range(1_500)))
    own_sandbox.pay(sent)
    result = own_sandbox.result(sent.name)
    own_sandbox.kill()
    journal = own_sandbox.folder / "bank" / "journal.jsonl"
    entries = journal.read_bytes().splitlines(keepends=True)
    whole = {"taken": 1}.get(kept, 1_001)
    torn = b"".join(entries[whole : whole + 3])[:-40] if "torn" in kept else b""
    journal.write_bytes(b"".join(entries[:whole]) + torn)
    own_sandbox.start()
    assert _without_days(own_sandbox.result(sent.name)) == _without_days(result)
    lines = own_sandbox.http.get("/bank/book").text.splitlines()
    assert [json.loads(text)["line"] for text in lines] == list(range(1, 1_501))
    until(
        lambda: own_sandbox.http.get(f"/bank/batches/{sent.number}"),
        lambda got: got.json()["status"] == "closed",
    )


def test_two_banks_never_share_a_book(sandbox: Sandbox) -> None:
    second = Sandbox(sandbox.folder)
    with pytest.raises(AssertionError, match="did not come up"):
        second.start()


def _without_days(result: list[str]) -> list[str]:
    """Drop serial and day: midnight may lie between."""
    return [text.rsplit("|", 2)[0] if text.count("|") > 8 else text for text in result]
