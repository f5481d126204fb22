"""What the sandbox does wrong on order, and that its books stay right meanwhile."""

import time
from collections.abc import Callable

import httpx
import pytest

from tests.sandbox.conftest import BatchText, Line, Sandbox

Lines = Callable[..., Line]
Batches = Callable[..., BatchText]


def test_an_order_is_counted_down_and_can_be_cleared(sandbox: Sandbox) -> None:
    sandbox.order(target="wechat", kind="busy", times=2)
    sandbox.http.get("/cgi-bin/token")
    [pending] = sandbox.http.get("/faults").json()
    assert pending == {"target": "wechat", "kind": "busy", "times": 1}
    assert sandbox.http.delete("/faults").json() == []
    assert sandbox.http.get("/faults").json() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "bank_upload", "kind": "busy"},
        {"target": "bank_movements", "kind": "garbage"},
        {"target": "moon", "kind": "busy"},
        {"target": "sms", "kind": "error"},
        {"target": "sms", "kind": "drop_answer", "code": "isv.X"},
        {"target": "bank_upload", "kind": "delay"},
        {"target": "wechat", "kind": "busy", "times": 0},
        {"target": "wechat", "kind": "busy", "often": 3},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    sandbox: Sandbox, wrong: dict[str, object]
) -> None:
    assert sandbox.http.post("/faults", json=wrong).status_code == 422


def test_a_dropped_request_never_reached_the_bank(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    sent = batch(line())
    sandbox.order(target="bank_upload", kind="drop_request")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.put(sent.name, sent.content)
    assert sandbox.http.get(f"/bank/batches/{sent.number}").status_code == 404
    assert sandbox.pay(sent)[0][0] == "0"


def test_a_dropped_answer_hides_a_booking(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    sent = batch(line())
    sandbox.order(target="bank_upload", kind="drop_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.put(sent.name, sent.content)
    assert sandbox.http.get(f"/bank/batches/{sent.number}").json()["booked"] == 1
    assert sandbox.put(sent.name, sent.content).status_code == 200


def test_a_failing_bank_books_nothing(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    sent = batch(line())
    sandbox.order(target="bank_upload", kind="status_500")
    assert sandbox.put(sent.name, sent.content).status_code == 500
    assert sandbox.http.get(f"/bank/batches/{sent.number}").status_code == 404


def test_a_slow_bank_answers_in_the_end(sandbox: Sandbox, line: Lines, batch: Batches) -> None:
    sent = batch(line())
    sandbox.order(target="bank_upload", kind="delay", delay_s=0.3)
    begun = time.monotonic()
    assert sandbox.put(sent.name, sent.content).status_code == 201
    assert time.monotonic() - begun >= 0.3


def test_a_result_may_be_late_and_is_right_then(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    sent = batch(line())
    sandbox.pay(sent)
    sandbox.order(target="bank_result", kind="never_ready", times=2)
    answers = [sandbox.http.get(f"/bank/files/{sent.name}.ret").status_code for _ in range(3)]
    assert answers == [404, 404, 200]


def test_a_spoilt_result_is_right_when_asked_again(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    sent = batch(line(amount="1.00"), line(amount="2.00"), line(account="abc", amount="4.00"))
    sandbox.pay(sent)
    whole = sandbox.http.get(f"/bank/files/{sent.name}.ret").content

    def spoilt(kind: str) -> bytes:
        sandbox.order(target="bank_result", kind=kind)
        return sandbox.http.get(f"/bank/files/{sent.name}.ret").content

    assert whole.startswith(spoilt("truncated"))
    assert b"\r\n2|3.01|1|4.00\r\n" in spoilt("wrong_control_sum")
    in_process = spoilt("line_in_process").decode("gb18030").split("\r\n")
    assert in_process[1].endswith("|2|9999|处理中||")
    assert in_process[-2] == "1|2.00|1|4.00"
    assert spoilt("garbage") not in whole
    assert sandbox.http.get(f"/bank/files/{sent.name}.ret").content == whole


def test_a_result_repeats_recodes_or_makes_up_lines_on_order(
    sandbox: Sandbox, line: Lines, batch: Batches
) -> None:
    sent = batch(line(amount="1.00"), line(account="abc", amount="4.00"))
    sandbox.pay(sent)
    header, paid, failed, _trailer = sandbox.result(sent.name)

    def spoilt(kind: str) -> list[str]:
        sandbox.order(target="bank_result", kind=kind)
        return sandbox.result(sent.name)

    assert spoilt("twice") == [header, paid, paid, failed, failed, "2|2.00|2|8.00"]
    assert [text.split("|")[9:] for text in spoilt("stale")[1:3]] == [
        ["2", "9999", "处理中", "", ""]
    ] * 2
    *known, made_up, trailer = spoilt("unknown_ids")
    assert (known, trailer) == ([header, paid, failed], "2|2.00|1|4.00")
    fields, paid_fields = made_up.split("|"), paid.split("|")
    assert fields[0] == "3"
    assert fields[1:8] + fields[9:] == paid_fields[1:8] + paid_fields[9:]
    assert fields[8] not in (sent.lines[0].instruction_id, sent.lines[1].instruction_id)
    sandbox.order(target="bank_result", kind="reencoded")
    content = sandbox.http.get(f"/bank/files/{sent.name}.ret").content
    assert content.decode("utf-8-sig").split("\r\n")[1:3] == [paid, failed]


def test_a_busy_wechat_says_so(sandbox: Sandbox) -> None:
    sandbox.order(target="wechat", kind="busy")
    assert sandbox.http.get("/sns/jscode2session").json()["errcode"] == -1
    assert sandbox.http.get("/sns/jscode2session").json()["errcode"] == 41002
