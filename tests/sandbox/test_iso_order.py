"""The bank's reader of payment orders: what is right is read, anything else is refused whole."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from deploy.sandbox.bank.iso import pain001
from deploy.sandbox.bank.iso.pain001 import Order, OrderRefused, Transaction
from tests.sandbox.iso_papers import PAYER, SAMPLE, To, order

SCHEMAS = Path(__file__).parents[2] / "services/payments/channels/iso20022/schemas"
# For reading: what is changed once stands once in the sample.
ONE_CONTROL_SUM = "<CtrlSum>1234.57</CtrlSum>\n      <InitgPty>"


def check(text: str | bytes) -> Order:
    return pain001.check(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def refusal(text: str | bytes) -> tuple[str, str | None]:
    with pytest.raises(OrderRefused) as refused:
        check(text)
    return refused.value.code, refused.value.message_id


def test_the_sample_is_valid_by_the_standard_and_read_whole() -> None:
    etree.XMLSchema(file=SCHEMAS / "pain.001.001.09.xsd").assertValid(
        etree.fromstring(SAMPLE.encode())
    )
    assert check(SAMPLE) == Order("20261122000001", PAYER, "重庆市总工会", "CNY", 2, 123457)
    assert list(pain001.transactions(io.BytesIO(SAMPLE.encode()))) == [
        Transaction("A1", "6217000000000000012", "阿依古丽·买买提 & 𠀀", 123456, "互助金"),
        Transaction("A2", "6222021000112345672", "张三", 1, ""),
    ]


@pytest.mark.parametrize("place", range(0, len(SAMPLE.encode()), 97))
def test_an_order_that_was_cut_off_is_refused(place: int) -> None:
    assert refusal(SAMPLE.encode()[:place])[0] == "FF01"


@pytest.mark.parametrize(
    ("was", "spoilt"),
    [
        ('<?xml version="1.0" encoding="UTF-8"?>', '<?xml version="1.0" encoding="GB18030"?>'),
        ("xsd:pain.001.001.09", "xsd:pain.001.001.03"),
        ("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>CHK</PmtMtd>"),
        ("<PmtMtd>TRF</PmtMtd>", ""),
        ("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>TRF</PmtMtd><PmtMtd>TRF</PmtMtd>"),
        ("<BtchBookg>true</BtchBookg>", "<BtchBookg>false</BtchBookg>"),
        ("<Dt>2026-11-22</Dt>", "<Dt>2026-13-22</Dt>"),
        ("<MmbId>102653000001</MmbId>", "<MmbId>10265300000</MmbId>"),
        ("<Prtry>CNAPS</Prtry>", "<Prtry>SWIFT</Prtry>"),
        ("<InstrId>A1</InstrId><EndToEndId>A1</EndToEndId>", "<InstrId>A1</InstrId>"),
        ("<EndToEndId>A1</EndToEndId>", "<EndToEndId>A 1</EndToEndId>"),
        ("<EndToEndId>A1</EndToEndId>", f"<EndToEndId>{'A' * 36}</EndToEndId>"),
        ("1234.56</InstdAmt>", "1234.5</InstdAmt>"),
        ("1234.56</InstdAmt>", "+1234.56</InstdAmt>"),
        ("1234.56</InstdAmt>", "1234.56</InstdAmt><InstdAmt>"),
        ("1234.56</InstdAmt>", "１234.56</InstdAmt>"),
        ("0.01</InstdAmt>", "0.00</InstdAmt>"),
        ("0.01</InstdAmt>", "1e3</InstdAmt>"),
        ('<InstdAmt Ccy="CNY">0.01', '<InstdAmt Ccy="USD">0.01'),
        ('<InstdAmt Ccy="CNY">0.01', "<InstdAmt>0.01"),
        ('<InstdAmt Ccy="CNY">0.01', '<InstdAmt Ccy="CNY" x="1">0.01'),
        ("<Cdtr><Nm>张三</Nm></Cdtr>", "<Cdtr><Nm> </Nm></Cdtr>"),
        ("<Cdtr><Nm>张三</Nm></Cdtr>", f"<Cdtr><Nm>{'张' * 141}</Nm></Cdtr>"),
        ("<Cdtr><Nm>张三</Nm></Cdtr>", "<Cdtr><Nm>张<b>三</b></Nm></Cdtr>"),
        ("<Cdtr><Nm>张三</Nm></Cdtr>", "<Cdtr>张三<Nm>张三</Nm></Cdtr>"),
        ("<RmtInf>", "<RmtInf><Surprise/>"),
        ("<Purp>", "<Purp>" + "<a>" * 40),
        ("</PmtInf>", "</PmtInf><PmtInf/>"),
        ("</Document>", "</Document><Document/>"),
        ("<PmtInfId>20261122000001", "<PmtInfId>20261122000002"),
    ],
)
def test_what_is_not_in_its_place_or_form_is_refused(was: str, spoilt: str) -> None:
    assert was in SAMPLE
    assert refusal(SAMPLE.replace(was, spoilt, 1))[0] == "FF01"


@pytest.mark.parametrize(
    ("was", "spoilt"),
    [
        (ONE_CONTROL_SUM, ONE_CONTROL_SUM.replace("1234.57", "1234.56")),
        ("<NbOfTxs>2</NbOfTxs>", "<NbOfTxs>3</NbOfTxs>"),
        ("1234.56</InstdAmt>", "1234.55</InstdAmt>"),
    ],
)
def test_sums_that_differ_are_told_with_the_orders_number(was: str, spoilt: str) -> None:
    assert refusal(SAMPLE.replace(was, spoilt, 1)) == ("AM10", "20261122000001")


@pytest.mark.parametrize(
    "prologue",
    [
        "<!DOCTYPE Document>",
        '<!DOCTYPE Document [<!ENTITY a "b">]>',
        '<!DOCTYPE Document SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_a_document_type_is_refused_before_anything_of_it_is_used(prologue: str) -> None:
    assert refusal(SAMPLE.replace("?>\n", f"?>\n{prologue}\n", 1)) == ("FF01", None)


def test_a_deep_or_endless_element_is_refused_early() -> None:
    def endless() -> Iterator[bytes]:
        yield SAMPLE.partition("<Purp>")[0].encode() + b"<Purp>"
        while True:
            yield b"<a>" * 1_000

    class Endless(io.RawIOBase):
        pieces = endless()

        def read(self, _size: int = -1) -> bytes:
            return next(self.pieces)

    with pytest.raises(OrderRefused):
        pain001.check(Endless())  # pyright: ignore[reportArgumentType] - it reads, and that is all


def test_other_bytes_than_utf_8_are_refused() -> None:
    assert refusal(SAMPLE.encode("gb18030"))[0] == "FF01"
    assert refusal(SAMPLE.encode("utf-16"))[0] == "FF01"
    assert refusal(b"")[0] == "FF01"


def test_a_file_of_many_transfers_is_read_one_by_one() -> None:
    many = order("7", [To(f"6217{place:012d}") for place in range(5_000)])
    assert check(many).count == 5_000
    reading = pain001.transactions(io.BytesIO(many.encode()))
    assert next(reading).account == "6217000000000000"
