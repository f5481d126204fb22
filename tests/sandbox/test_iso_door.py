"""The bank's drop folder as a customer meets it: orders in; reports, notices, statements out."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from lxml import etree

from deploy.sandbox import clock
from tests.sandbox.conftest import Sandbox
from tests.sandbox.inside import opened
from tests.sandbox.iso_papers import PAYER, SAMPLE, To, Wire, order, texts
from tests.sandbox.test_iso_order import SCHEMAS

NOON = datetime(2026, 11, 22, 12, tzinfo=clock.CHINA)
MESSAGES = {
    "PAIN002": "pain.002.001.12",
    "CAMT053": "camt.053.001.08",
    "CAMT054": "camt.054.001.08",
}
CARD = "6217000000000000012"


@pytest.fixture
def wire(tmp_path: Path) -> Wire:
    return Wire(tmp_path / "wire")


@pytest.fixture
async def bank(tmp_path: Path, wire: Wire) -> AsyncGenerator[httpx.AsyncClient]:
    with clock.set_to(NOON):
        async with opened(tmp_path / "books", iso_dir=wire.root) as client:
            yield client


async def post(bank: httpx.AsyncClient, path: str, body: object) -> None:
    answer = await bank.post(path, json=body)
    assert answer.is_success, answer.text


def assert_valid(wire: Wire) -> None:
    """Hold everything the bank has written against the published schemas."""
    for name in wire.names():
        schema = etree.XMLSchema(file=SCHEMAS / f"{MESSAGES[name[:7]]}.xsd")
        schema.assertValid(etree.parse(wire.root / "from-bank" / name))


@pytest.mark.usefixtures("bank")
async def test_an_order_is_answered_at_once_and_reported_line_by_line(wire: Wire) -> None:
    name = wire.order("1", To(CARD, "12.34"), To("abc"), To(CARD, name="李四"))
    taken = await wire.got("PAIN002_1_1.xml")
    assert (texts(taken, "GrpSts"), texts(taken, "TxSts")) == (["ACTC"], [])
    final = await wire.got("PAIN002_1_2.xml")
    assert texts(final, "OrgnlMsgId") == texts(final, "OrgnlPmtInfId") == ["1"]
    assert texts(final, "GrpSts") == ["PART"]
    assert texts(final, "OrgnlEndToEndId") == ["I1-1", "I1-2", "I1-3"]
    assert texts(final, "TxSts") == ["ACSC", "RJCT", "RJCT"]
    assert texts(final, "Cd") == ["AC01", "BE01"]
    assert texts(final, "InstdAmt") == ["12.34", "10.00", "10.00"]
    assert texts(final, "CreDtTm")[0].startswith("2026-11-22T12:00:00")
    assert (await wire.taken(name)).exists()
    assert_valid(wire)


@pytest.mark.parametrize(
    ("transfers", "status"), [([To(CARD)], "ACSC"), ([To("abc"), To("abd")], "RJCT")]
)
@pytest.mark.usefixtures("bank")
async def test_the_whole_is_settled_or_refused_where_every_line_is(
    wire: Wire, transfers: list[To], status: str
) -> None:
    wire.order("1", *transfers)
    final = await wire.got("PAIN002_1_2.xml")
    assert texts(final, "GrpSts") == [status]
    assert texts(final, "TxSts") == [status] * len(transfers)


async def test_its_lines_stand_in_the_same_book_as_those_of_other_doors(
    wire: Wire, bank: httpx.AsyncClient
) -> None:
    wire.order("1", To(CARD, "12.34"))
    await wire.got("PAIN002_1_2.xml")
    book = await bank.get("/bank/book")
    assert f'"account":"{CARD}"' in book.text
    assert '"instruction_id":"I1-1"' in book.text
    state = (await bank.get("/bank/batches/1")).json()
    assert (state["status"], state["total"]) == ("closed", "12.34")


@pytest.mark.parametrize(
    ("was", "spoilt", "code"),
    [
        ("<CtrlSum>1234.57<", "<CtrlSum>1234.58<", "AM10"),
        ("<PmtMtd>TRF<", "<PmtMtd>CHK<", "FF01"),
        ("?>\n", "?>\n<!DOCTYPE Document>\n", "FF01"),
    ],
)
@pytest.mark.usefixtures("bank")
async def test_a_spoilt_order_is_refused_whole(
    wire: Wire, was: str, spoilt: str, code: str
) -> None:
    wire.put("PAIN001_U1_20261122_20261122000001.xml", SAMPLE.replace(was, spoilt, 1))
    refused = await wire.got("PAIN002_20261122000001_1.xml")
    assert texts(refused, "OrgnlMsgId") == ["20261122000001"]
    assert (texts(refused, "GrpSts"), texts(refused, "Cd")) == (["RJCT"], [code])
    assert_valid(wire)


@pytest.mark.usefixtures("bank")
async def test_the_same_order_again_is_a_question_and_booked_once(wire: Wire) -> None:
    name = wire.order("1", To(CARD))
    await wire.got("PAIN002_1_2.xml")
    await wire.taken(name)
    wire.order("1", To(CARD))
    again = await wire.got("PAIN002_1_3.xml")
    assert (texts(again, "GrpSts"), texts(again, "TxSts")) == (["ACSC"], ["ACSC"])


@pytest.mark.parametrize("name", ["PAIN001_U1_20261122_1.xml", "PAIN001_U1_20261122_2.xml"])
@pytest.mark.usefixtures("bank")
async def test_another_order_under_a_taken_name_or_number_is_refused_as_a_duplicate(
    wire: Wire, name: str
) -> None:
    first = wire.order("1", To(CARD))
    await wire.got("PAIN002_1_2.xml")
    taken = (await wire.taken(first)).read_bytes()
    wire.put(name, order("1", [To(CARD, "11.00")]))
    refused = await wire.got("PAIN002_1_3.xml")
    assert (texts(refused, "GrpSts"), texts(refused, "Cd")) == (["RJCT"], ["AM05"])
    assert (await wire.taken(first)).read_bytes() == taken


@pytest.mark.usefixtures("bank")
async def test_half_a_file_and_a_stranger_are_left_alone(wire: Wire) -> None:
    ours = wire.root / "to-bank"
    for name in ("PAIN001_U1_20261122_1.xml.part", ".PAIN001_U1_20261122_1.xml", "notes.txt"):
        (ours / name).write_text(order("1", [To(CARD)]))
    wire.order("2", To(CARD))
    await wire.got("PAIN002_2_2.xml")
    assert not [name for name in wire.names() if name.startswith("PAIN002_1_")]
    assert len([path for path in ours.iterdir() if path.is_file()]) == 3


async def test_an_order_on_hold_is_settled_when_it_is_released(
    wire: Wire, bank: httpx.AsyncClient
) -> None:
    await post(bank, "/faults", {"target": "iso_order", "kind": "hold"})
    wire.order("1", To(CARD))
    assert texts(await wire.got("PAIN002_1_1.xml"), "GrpSts") == ["ACTC"]
    await asyncio.sleep(0.3)
    assert wire.names() == ["PAIN002_1_1.xml"]
    await post(bank, "/bank/release", None)
    assert texts(await wire.got("PAIN002_1_2.xml"), "GrpSts") == ["ACSC"]


async def test_movements_are_told_as_they_come_and_each_once(
    wire: Wire, bank: httpx.AsyncClient
) -> None:
    wire.order("1", To(CARD, "12.34"))
    debit = await wire.got(f"CAMT054_{PAYER}_0000000001.xml")
    assert (texts(debit, "Amt"), texts(debit, "CdtDbtInd")) == (["12.34"], ["DBIT"])
    assert (texts(debit, "Cd"), texts(debit, "PmtInfId")) == (["BOOK", "PAYOUT"], ["1"])
    deposit = {"account": PAYER, "amount": "50.00", "party": "市总工会", "remark": "拨款 & 更多"}
    await post(bank, "/bank/deposits", [deposit])
    credit = await wire.got(f"CAMT054_{PAYER}_0000000002.xml")
    assert (texts(credit, "Amt"), texts(credit, "CdtDbtInd")) == (["50.00"], ["CRDT"])
    assert (texts(credit, "Nm"), texts(credit, "Ustrd")) == (["市总工会"], ["拨款 & 更多"])
    one = {"instruction_id": "I1-1", "reason": "0002"}
    await post(bank, "/bank/returns", [one])
    back = await wire.got(f"CAMT054_{PAYER}_0000000003.xml")
    assert texts(back, "Cd") == ["BOOK", "RETURN", "AC04"]
    assert (texts(back, "EndToEndId"), texts(back, "AddtlInf")) == (["I1-1"], ["账户已销户"])
    refs = [int(ref) for one in (debit, credit, back) for ref in texts(one, "AcctSvcrRef")]
    assert refs == sorted(set(refs))
    assert_valid(wire)


async def test_a_reversal_is_a_debit_taken_back(wire: Wire, bank: httpx.AsyncClient) -> None:
    wire.order("1", To(CARD, "12.34"))
    await wire.got(f"CAMT054_{PAYER}_0000000001.xml")
    one = {"instruction_id": "I1-1", "reason": "0001", "kind": "reversal"}
    await post(bank, "/bank/returns", [one])
    back = await wire.got(f"CAMT054_{PAYER}_0000000002.xml")
    assert (texts(back, "CdtDbtInd"), texts(back, "RvslInd")) == (["DBIT"], ["true"])
    assert texts(back, "Cd") == ["BOOK", "REVERSAL", "BE01"]


async def test_the_statement_of_a_day_comes_when_the_day_is_over(
    wire: Wire, bank: httpx.AsyncClient
) -> None:
    wire.order("1", To(CARD, "12.34"))
    await wire.got(f"CAMT054_{PAYER}_0000000001.xml")
    name = f"CAMT053_{PAYER}_20261122.xml"
    assert name not in wire.names()
    with clock.set_to(NOON + timedelta(days=2)):
        stated = await wire.got(name)
        next_day = await wire.got(f"CAMT053_{PAYER}_20261123.xml")
    assert texts(stated, "Amt") == ["10000000000.00", "9999999987.66", "12.34"]
    assert texts(next_day, "Amt") == ["9999999987.66", "9999999987.66"]
    assert texts(stated, "Cd") == ["OPBD", "CLBD", "BOOK", "PAYOUT"]
    answer = await bank.post("/bank/iso/statements", json={"account": PAYER, "day": "2026-11-22"})
    assert answer.json() == {"name": name}
    assert_valid(wire)


async def test_the_day_so_far_is_stated_on_demand(wire: Wire, bank: httpx.AsyncClient) -> None:
    deposit = {"account": PAYER, "amount": "50.00", "party": "市总工会"}
    await post(bank, "/bank/deposits", [deposit])
    await post(bank, "/bank/iso/statements", {"account": PAYER, "day": "2026-11-22"})
    stated = wire.read(f"CAMT053_{PAYER}_20261122.xml")
    assert texts(stated, "Amt") == ["10000000000.00", "10000000050.00", "50.00"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("twice", "ACSC ACSC"), ("unknown_ids", "ACSC RJCT"), ("stale", "PDNG"), ("truncated", None)],
)
async def test_a_spoilt_report_is_followed_by_the_right_one(
    wire: Wire, bank: httpx.AsyncClient, kind: str, status: str | None
) -> None:
    await post(bank, "/faults", {"target": "iso_report", "kind": kind})
    wire.order("1", To(CARD))
    right = await wire.got("PAIN002_1_3.xml")
    assert texts(right, "TxSts") == ["ACSC"]
    if status is None:
        with pytest.raises(SyntaxError):
            wire.read("PAIN002_1_2.xml")
    else:
        assert texts(wire.read("PAIN002_1_2.xml"), "TxSts") == status.split()


async def test_a_report_may_list_exceptions_only(wire: Wire, bank: httpx.AsyncClient) -> None:
    await post(bank, "/faults", {"target": "iso_report", "kind": "exceptions_only"})
    wire.order("1", To(CARD))
    final = await wire.got("PAIN002_1_2.xml")
    assert (texts(final, "GrpSts"), texts(final, "TxSts")) == (["ACSC"], [])


async def test_an_account_that_pays_through_another_door_is_not_told_of_here(
    wire: Wire, bank: httpx.AsyncClient
) -> None:
    other = "110000000001"
    lines = f"B9|{other}|1|1.00|CNY|20261122\r\n1|{CARD}|张三|1.00|||||I9\r\n"
    await bank.put("/bank/files/DF_U1_20261122_9.txt", content=lines.encode("gb18030"))
    wire.order("1", To(CARD))
    await wire.got(f"CAMT054_{PAYER}_0000000001.xml")
    assert not [name for name in wire.names() if other in name]


async def test_what_a_restored_bank_has_forgotten_is_new_to_it_and_no_number_is_used_twice(
    wire: Wire, bank: httpx.AsyncClient
) -> None:
    await post(bank, "/bank/backup", None)
    name = wire.order("1", To(CARD))
    await wire.got("PAIN002_1_2.xml")
    await wire.got(f"CAMT054_{PAYER}_0000000001.xml")
    (await wire.taken(name)).unlink()
    before = (wire.root / "from-bank" / "PAIN002_1_2.xml").read_bytes()
    await post(bank, "/bank/restore", None)
    wire.order("1", To(CARD))
    assert texts(await wire.got("PAIN002_1_3.xml"), "GrpSts") == ["ACTC"]
    assert texts(await wire.got("PAIN002_1_4.xml"), "GrpSts") == ["ACSC"]
    await wire.got(f"CAMT054_{PAYER}_0000000002.xml")
    assert (wire.root / "from-bank" / "PAIN002_1_2.xml").read_bytes() == before


async def test_a_file_that_a_kill_kept_from_being_written_is_written_with_the_same_content(
    tmp_path: Path, wire: Wire
) -> None:
    with clock.set_to(NOON):
        async with opened(tmp_path / "books", iso_dir=wire.root):
            wire.order("1", To(CARD), To("abc"))
            await wire.got(f"CAMT054_{PAYER}_0000000001.xml")
            with clock.set_to(NOON + timedelta(days=1)):
                await wire.got(f"CAMT053_{PAYER}_20261122.xml")
    written = {name: (wire.root / "from-bank" / name).read_bytes() for name in wire.names()}
    assert len(written) == 4
    for name in written:
        (wire.root / "from-bank" / name).unlink()
    async with opened(tmp_path / "books", iso_dir=wire.root):
        for name, content in written.items():
            await wire.got(name)
            assert (wire.root / "from-bank" / name).read_bytes() == content


def test_a_bank_killed_while_it_takes_and_books_goes_on_and_books_each_line_once(
    own_sandbox: Sandbox, tmp_path: Path
) -> None:
    wire = Wire(tmp_path / "wire")
    own_sandbox.settings["SANDBOX_ISO_DIR"] = str(wire.root)
    own_sandbox.start()
    for number in ("1", "2"):
        wire.order(number, *(To(f"6217{number}{place:011d}") for place in range(3_000)))
    asyncio.run(asyncio.wait_for(wire.got("PAIN002_1_1.xml"), 20))
    own_sandbox.kill()
    own_sandbox.start()
    for number in ("1", "2"):
        asyncio.run(wire.taken(f"PAIN001_U1_20261122_{number}.xml"))
        name = asyncio.run(_final(wire, number))
        assert texts(wire.read(name), "TxSts") == ["ACSC"] * 3_000
    assert own_sandbox.http.get("/bank/book").text.count('"booked"') == 6_000
    payer = own_sandbox.http.get(f"/bank/payers/{PAYER}").json()
    assert (payer["balance"], payer["movements"]) == ("9999940000.00", 2)


async def _final(wire: Wire, number: str) -> str:
    """Wait for a report that is final, whatever its number."""
    async with asyncio.timeout(20):
        while True:
            for name in wire.names():
                if name.startswith(f"PAIN002_{number}_") and texts(wire.read(name), "TxSts"):
                    return name
            await asyncio.sleep(0.05)
