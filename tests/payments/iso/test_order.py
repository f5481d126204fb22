"""The order that goes to the bank: valid by the published XSD, and the same bytes each time."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.common.identity import PersonName
from services.common.kit import clock
from services.common.money import Fen
from services.payments.channels.iso20022 import documents, pain001
from services.payments.errors import PayeeUnusable
from services.payments.model.batches import Instruction
from services.payments.model.payouts import Payee
from tests.payments.iso.papers import (
    BATCH_ID,
    BATCH_NO,
    CNAPS,
    DAY,
    IDS,
    PAYER,
    Drop,
    a_payee,
    instructions,
)

SCHEMAS = Path(documents.__file__).with_name("schemas")
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
ORDER = pain001.Order(BATCH_ID, PAYER, CNAPS, DAY)

EXPECTED = f"""<?xml version='1.0' encoding='UTF-8'?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>\
<GrpHdr><MsgId>{BATCH_NO}</MsgId><CreDtTm>2026-11-22T08:30:00.123+08:00</CreDtTm>\
<NbOfTxs>2</NbOfTxs><CtrlSum>1234.56</CtrlSum>\
<InitgPty><Nm>中国职工保险互助会重庆办事处</Nm></InitgPty></GrpHdr>\
<PmtInf><PmtInfId>{BATCH_NO}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg>\
<NbOfTxs>2</NbOfTxs><CtrlSum>1234.56</CtrlSum><ReqdExctnDt><Dt>2026-11-22</Dt></ReqdExctnDt>\
<Dbtr><Nm>中国职工保险互助会重庆办事处</Nm></Dbtr>\
<DbtrAcct><Id><Othr><Id>3100000000000000026</Id></Othr></Id></DbtrAcct>\
<DbtrAgt><FinInstnId><ClrSysMmbId><ClrSysId><Prtry>CNAPS</Prtry></ClrSysId>\
<MmbId>103653000018</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>\
<CdtTrfTxInf><PmtId><InstrId>{IDS[0]}</InstrId><EndToEndId>{IDS[0]}</EndToEndId></PmtId>\
<Amt><InstdAmt Ccy="CNY">1234.55</InstdAmt></Amt>\
<CdtrAgt><FinInstnId><Nm>工商银行</Nm></FinInstnId></CdtrAgt>\
<Cdtr><Nm>王小明</Nm></Cdtr><CdtrAcct><Id><Othr><Id>6217000000000000012</Id></Othr></Id></CdtrAcct>\
<RmtInf><Ustrd>职工医疗互助金</Ustrd></RmtInf></CdtTrfTxInf>\
<CdtTrfTxInf><PmtId><InstrId>{IDS[1]}</InstrId><EndToEndId>{IDS[1]}</EndToEndId></PmtId>\
<Amt><InstdAmt Ccy="CNY">0.01</InstdAmt></Amt>\
<Cdtr><Nm>A &lt;&amp;&gt; B</Nm></Cdtr>\
<CdtrAcct><Id><Othr><Id>6217000000000000012</Id></Othr></Id></CdtrAcct>\
<RmtInf><Ustrd>职工医疗互助金</Ustrd></RmtInf></CdtTrfTxInf>\
</PmtInf></CstmrCdtTrfInitn></Document>"""

# Rare signs of four bytes, dots, wide blanks, a mark of order, what XML must escape.
NAMES = st.one_of(
    st.sampled_from(
        [
            "王小明",
            "欧阳·娜娜",
            "买买提•艾力",
            "㐂𠮷丽",
            "王\u3000明",
            "\ufeff王",
            " 王 ",
            "]]>&<'\"",
            "𬎆𫖯" * 70,
        ]
    ),
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"),
        min_size=1,
        max_size=140,
    ).filter(str.strip),
)


def is_valid(content: bytes) -> bool:
    schema = etree.XMLSchema(file=str(SCHEMAS / "pain.001.001.09.xsd"))
    return schema.validate(etree.fromstring(content))


def rendered(*payees: Payee) -> bytes:
    lines = [Instruction(n, IDS[n - 1], payee, Fen(100)) for n, payee in enumerate(payees, 1)]
    return pain001.render(ORDER, lines)


def test_an_order_is_written_to_the_letter() -> None:
    lines = instructions(123455, 1)
    lines[1] = lines[1]._replace(payee=a_payee("A <&> B", bank=""))
    content = pain001.render(ORDER, lines)
    assert content.decode() == EXPECTED
    assert is_valid(content)


def test_the_same_batch_has_the_same_bytes_whatever_the_time() -> None:
    first = pain001.render(ORDER, instructions(100, 200))
    with clock.set_to(datetime(2031, 1, 1, tzinfo=UTC)):
        assert pain001.render(ORDER, instructions(100, 200)) == first


def test_an_empty_remark_is_left_out() -> None:
    silent = ORDER._replace(payer=PAYER._replace(remark=""))
    content = pain001.render(silent, instructions(100))
    assert b"RmtInf" not in content
    assert is_valid(content)


@given(NAMES, NAMES)
def test_every_name_that_is_taken_arrives_as_it_is(name: str, bank: str) -> None:
    payee = a_payee(name, bank=bank)
    pain001.check(payee)
    content = rendered(payee)
    root = etree.fromstring(content)
    assert is_valid(content)
    assert root.findtext(".//p:Cdtr/p:Nm", namespaces=NS) == name
    assert root.findtext(".//p:CdtrAgt/p:FinInstnId/p:Nm", namespaces=NS) == bank


@given(st.text(max_size=150), st.text(max_size=150))
def test_what_is_not_refused_can_be_written(name: str, bank: str) -> None:
    payee = a_payee(name, bank=bank)
    try:
        pain001.check(payee)
    except PayeeUnusable:
        return
    assert is_valid(rendered(payee))


@pytest.mark.parametrize(
    "name",
    ["", " ", "\u3000", "王" * 141, "王\n明", "王\x00", "王\x0b", "王\x85", "王\ud842", "王\ufffe"],
)
def test_a_name_that_cannot_be_written_is_refused(drop: Drop, name: str) -> None:
    with pytest.raises(PayeeUnusable):
        drop.channel.check(Payee(PersonName(name), a_payee().card, ""))


@pytest.mark.parametrize(
    "card", ["", "12345", "1" * 33, "62170000x0", "６２１７００００００", "621 7000"]
)
def test_a_card_that_is_no_number_is_refused(drop: Drop, card: str) -> None:
    with pytest.raises(PayeeUnusable):
        drop.channel.check(a_payee(card=card))


def test_an_order_that_would_not_be_valid_never_leaves() -> None:
    with pytest.raises(AssertionError, match="valid, and every id once"):
        rendered(a_payee("王" * 141))
    with pytest.raises(AssertionError, match="valid, and every id once"):
        pain001.render(ORDER, [])
    with pytest.raises(AssertionError, match="valid, and every id once"):
        pain001.render(ORDER, [*instructions(100), *instructions(100)])


def test_what_was_sent_is_read_back() -> None:
    content = pain001.render(ORDER, instructions(100, 250))
    assert pain001.amounts(io.BytesIO(content)) == {IDS[0]: 100, IDS[1]: 250}


def test_a_batch_is_named_after_its_unit_day_and_number(drop: Drop) -> None:
    file = drop.channel.fix(BATCH_ID, DAY, instructions(100))
    assert (file.batch_no, file.name) == (BATCH_NO, f"PAIN001_UNION01_20261122_{BATCH_NO}.xml")
