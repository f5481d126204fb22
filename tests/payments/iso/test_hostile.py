"""What a hostile document tries: nothing is fetched, nothing grows, nothing of it is believed."""

import io
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.channels.iso20022 import pain002
from services.payments.errors import ResultUnusable
from tests.payments.iso.papers import BATCH_NO, IDS, report, transfer

GOOD = report("ACSC", transfer(IDS[0], "ACSC"))
HEAD, BODY = GOOD.split("\n", 1)
LOLS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def read(content: str | bytes) -> pain002.Report:
    raw = content if isinstance(content, bytes) else content.encode()
    return pain002.parse(io.BytesIO(raw), BATCH_NO)


def with_doctype(doctype: str, use: str = "") -> str:
    return f"{HEAD}\n{doctype}\n{BODY.replace('<MsgId>R1', f'<MsgId>R1{use}')}"


class Listener(HTTPServer):
    """Counts who comes."""

    calls = 0


@pytest.fixture
def listener() -> Generator[Listener]:
    class Count(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server asks for
            Listener.calls += 1
            self.send_error(404)

    Listener.calls = 0
    with Listener(("127.0.0.1", 0), Count) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("doctype", "use"),
    [
        ("<!DOCTYPE Document>", ""),
        ('<!DOCTYPE Document [<!ENTITY x "y">]>', "&x;"),
        ('<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/hostname">]>', "&x;"),
        (f'<!DOCTYPE Document [<!ENTITY l0 "lol">{LOLS}]>', "&l9;"),
        (f'<!DOCTYPE Document [<!ENTITY a "{"a" * 50_000}">]>', "&a;" * 50_000),
        ('<!DOCTYPE Document [<!ATTLIST InstdAmt Ccy CDATA "CNY">]>', ""),
        ("", "&undeclared;"),
    ],
)
def test_no_dtd_and_no_entity_is_taken(doctype: str, use: str) -> None:
    with pytest.raises(ResultUnusable):
        read(with_doctype(doctype, use))


def test_no_dtd_is_taken_in_another_encoding() -> None:
    hidden = with_doctype("<!DOCTYPE Document>").replace("UTF-8", "UTF-16")
    with pytest.raises(ResultUnusable):
        read(hidden.encode("utf-16"))


def test_nothing_is_fetched_from_the_network(listener: Listener) -> None:
    url = f"http://127.0.0.1:{listener.server_port}/x"
    for doctype, use in (
        (f'<!DOCTYPE Document SYSTEM "{url}">', ""),
        (f'<!DOCTYPE Document [<!ENTITY x SYSTEM "{url}">]>', "&x;"),
        (f'<!DOCTYPE Document [<!ENTITY % x SYSTEM "{url}"> %x;]>', ""),
    ):
        with pytest.raises(ResultUnusable):
            read(with_doctype(doctype, use))
    hint = (
        f'xsi:schemaLocation="urn:other {url} urn:iso:std:iso:20022:tech:xsd:pain.002.001.12 {url}"'
    )
    xsi = f'<Document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {hint}'
    assert read(GOOD.replace("<Document", xsi)).status == "ACSC"
    assert Listener.calls == 0


def test_an_inclusion_is_not_followed() -> None:
    inclusion = (
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>'
    )
    with pytest.raises(ResultUnusable):
        read(GOOD.replace("<MsgId>R1", f"<MsgId>{inclusion}"))


@pytest.mark.parametrize("inside", ["<CstmrPmtStsRpt>", "<GrpHdr>", "<TxInfAndSts>"])
def test_depth_is_bounded(inside: str) -> None:
    before, _, _ = GOOD.partition(inside)
    with pytest.raises(ResultUnusable):
        read(before + inside + "<a>" * 100_000)


def test_depth_is_bounded_where_the_standard_lets_anything_stand() -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    extra = f"<SplmtryData><Envlp>{deep}</Envlp></SplmtryData></CstmrPmtStsRpt>"
    with pytest.raises(ResultUnusable):
        read(GOOD.replace("</CstmrPmtStsRpt>", extra))


def test_long_names_and_long_texts_are_bounded() -> None:
    for extra in (f"<{'a' * 40_000}>", "<a>" + "x" * 20_000_000):
        with pytest.raises(ResultUnusable):
            read(GOOD.replace("<TxSts>", f"{extra}<TxSts>"))


@pytest.mark.parametrize(
    "extra", ["x" * 20_000, "".join(f"<a{n}/>" for n in range(2_000))], ids=["text", "elements"]
)
def test_what_is_kept_of_one_transfer_is_bounded(extra: str) -> None:
    beside = f"<SplmtryData><Envlp><x>{extra}</x></Envlp></SplmtryData></TxInfAndSts>"
    with pytest.raises(ResultUnusable):
        read(GOOD.replace("</TxInfAndSts>", beside))


def test_what_the_standard_lets_anybody_add_is_passed_over() -> None:
    forged = transfer(IDS[1], "ACSC")
    extra = (
        f"<SplmtryData><Envlp><CstmrPmtStsRpt><OrgnlPmtInfAndSts>{forged}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Envlp></SplmtryData></CstmrPmtStsRpt>"
    )
    found = read(GOOD.replace("</CstmrPmtStsRpt>", extra))
    assert [line.instruction_id for line in found.lines] == [IDS[0]]


def test_a_comment_or_an_instruction_cuts_no_text_in_two() -> None:
    half = len(IDS[0]) // 2
    parted = f"{IDS[0][:half]}<!-- cut --><?cut?><![CDATA[{IDS[0][half:]}]]>"
    assert read(GOOD.replace(IDS[0], parted)) == read(GOOD)


@given(st.data())
def test_a_spoilt_report_is_unusable_or_says_only_what_a_report_can_say(
    data: st.DataObject,
) -> None:
    raw = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "double"])):
            case "flip":
                raw[place] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del raw[place : place + data.draw(st.integers(1, 40))]
            case _:
                raw[place:place] = raw[place : place + data.draw(st.integers(1, 40))]
        if not raw:
            return
    try:
        found = read(bytes(raw))
    except ResultUnusable:
        return
    assert all(line.instruction_id and line.status for line in found.lines)
