"""Receipts: every text is reported, some twice, none forgotten over a kill."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.sandbox.aliyun import query_details, send
from tests.sandbox.conftest import CALL_WITHIN_S, Sandbox


class Desk:
    """A customer's desk for receipts, which may turn some of them away first."""

    def __init__(self) -> None:
        self.posts: list[list[dict[str, object]]] = []
        self.refusals_left = 0

    def take(self, body: bytes) -> bytes:
        self.posts.append(json.loads(body))
        if self.refusals_left:
            self.refusals_left -= 1
            return b'{"code": 1}'
        return json.dumps({"code": 0, "msg": "接收成功"}).encode()

    def reports(self, at_least: int) -> list[dict[str, object]]:
        give_up = time.monotonic() + CALL_WITHIN_S
        while len(found := [one for post in self.posts for one in post]) < at_least:
            assert time.monotonic() < give_up
            time.sleep(0.02)
        return found


@pytest.fixture
def desk(own_sandbox: Sandbox) -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = desk.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        own_sandbox.settings |= {
            "SANDBOX_SMS_REPORT_URL": f"http://127.0.0.1:{server.server_port}/receipts",
            "SANDBOX_SMS_REPORT_RETRY_DELAYS_S": "[0.05, 0.05]",
        }
        yield desk
        server.shutdown()


def test_receipts_are_reported_repeated_left_out_and_survive(
    own_sandbox: Sandbox, desk: Desk
) -> None:
    own_sandbox.start()
    answer = send(own_sandbox, "13800138001")
    [report] = desk.reports(1)
    assert report["biz_id"] == answer.biz_id
    assert report["success"] is True
    assert (report["phone_number"], report["out_id"]) == ("13800138001", "text-1")
    assert (report["err_code"], report["sms_size"]) == ("DELIVERED", "1")
    own_sandbox.order(target="sms", kind="no_receipt")
    own_sandbox.order(target="sms", kind="duplicate_receipt")
    for number in ("13800138002", "13800138003"):
        send(own_sandbox, number)
    found = [one["phone_number"] for one in desk.reports(3)]
    assert found == ["13800138001", "13800138003", "13800138003"]
    assert [text.send_status for text in query_details(own_sandbox, "13800138002").details] == [1]
    desk.refusals_left = 1
    send(own_sandbox, "13800138004")
    assert [one["phone_number"] for one in desk.reports(5)][3:] == ["13800138004"] * 2
    own_sandbox.kill()
    (own_sandbox.folder / "sms" / "reported.jsonl").unlink()
    own_sandbox.start()
    again = [one["phone_number"] for one in desk.reports(9)][5:]
    assert sorted(map(str, again)) == ["13800138001", *["13800138003"] * 2, "13800138004"]
